import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { demandQuota, quota, rateLimitHeaders } from './quota.ts'

function world(perMinute: number, burst: number) {
  const clock = { now: 0 }
  const { take } = quota(
    'reads',
    () => ({ perMinute, burst }),
    () => clock.now,
  )
  return { clock, take }
}

describe('quota', () => {
  it('lets a burst come, then one as often as it says', () => {
    const { clock, take } = world(60, 20)
    const first = Array.from({ length: 21 }, () => take('a'))

    expect(first.map(({ waitSeconds }) => waitSeconds)).toEqual([...Array(20).fill(null), 1])
    expect(first.map(({ remaining }) => remaining)).toEqual([...Array.from({ length: 20 }, (_, at) => 19 - at), 0])
    expect(take('b').waitSeconds).toBeNull()
    clock.now = 1000
    expect([take('a').waitSeconds, take('a').waitSeconds]).toEqual([null, 1])
    clock.now = 61_000
    expect(take('a').remaining).toBe(19)
  })

  it('counts none of those that had to wait', () => {
    const { clock, take } = world(60, 1)
    const waits = Array.from({ length: 50 }, () => take('a').waitSeconds)

    expect(waits).toEqual([null, ...Array(49).fill(1)])
    clock.now = 1000
    expect(take('a')).toMatchObject({ waitSeconds: null, fullInSeconds: 1 })
  })

  it('forgets a key that waits before one that was let through later', () => {
    const { take } = world(60, 1)
    for (const key of ['waits', 'came later']) take(key)
    take('waits')
    for (let key = 0; key < 19_999; key++) take(String(key))

    expect(take('came later').waitSeconds).toBe(1)
    expect(take('waits').waitSeconds).toBeNull()
  })

  it('is told as the draft has it', () => {
    const { take } = world(60, 20)

    expect(rateLimitHeaders(take('a'))).toEqual({
      'ratelimit-policy': '"reads";q=60;w=60',
      ratelimit: '"reads";r=19;t=1',
    })
  })

  it('refuses with the seconds to wait', () => {
    const { take } = world(6, 1)
    demandQuota(take('a'))

    expect(() => demandQuota(take('a'))).toThrow(
      expect.objectContaining({ code: 'too_many_requests', details: { retryAfterSeconds: 10 } }),
    )
  })

  it('never lets more through than the burst and what time has given', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 200 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 30 }),
        pauses,
        (perMinute, burst, steps) => {
          const { clock, take } = world(perMinute, burst)
          let taken = 0
          for (const step of steps) {
            clock.now += step
            const { waitSeconds } = take('a')
            if (waitSeconds === null) taken++
            else expect(waitSeconds).toBeGreaterThan(0)
          }
          expect(taken).toBeLessThanOrEqual(burst + (clock.now * perMinute) / 60_000 + 1e-6)
        },
      ),
    )
  })

  it('remembers no more than 20,000 keys, and none that has its whole burst again', () => {
    const { clock, take } = world(60, 1)
    take('first')
    for (let key = 0; key < 20_000; key++) take(String(key))

    expect(take('first').waitSeconds).toBeNull()
    expect(take('19999').waitSeconds).toBe(1)
    clock.now = 1000
    expect(take('19999').waitSeconds).toBeNull()
  })
})
