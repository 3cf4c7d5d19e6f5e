import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Wakes } from './wakes.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function wakes() {
  const asked: string[] = []
  const options = { patienceMs: 5000, maxHosts: 4, ofTenant: { maxHosts: 2, maxRequests: 3 } }
  const tenantOf = (host: string) => host.split('.').at(-2) ?? ''
  return { asked, wakes: new Wakes({ ask: (host) => void asked.push(host), tenantOf, ...options }) }
}

describe('wakes', () => {
  it('asks once for all requests of a host and sends each of them on', async () => {
    const { asked, wakes: w } = wakes()

    const replies = Promise.all([w.request('a.test'), w.request('a.test'), w.request('a.test')])
    w.answer({ ok: 'a.test' })

    expect(asked).toEqual(['a.test'])
    expect(await replies).toEqual(Array(3).fill({ status: 200, headers: { 'X-Accel-Redirect': '@php' } }))
  })

  it.each([
    ['failed', 503, { 'Retry-After': '7' }],
    ['suspended', 503, { 'Retry-After': '7' }],
    ['busy', 503, { 'Retry-After': '7' }],
    ['unknown', 404, {}],
    ['static', 404, {}],
  ] as const)('answers a refusal because %s with %i', async (reason, status, headers) => {
    const { wakes: w } = wakes()

    const reply = w.request('a.test')
    w.answer({ refused: 'a.test', reason, retryAfter: 7 })

    expect(await reply).toEqual({ status, headers })
  })

  it('gives up when the agent stays away, and asks again when it comes back in time', async () => {
    const { asked, wakes: w } = wakes()
    const early = w.request('a.test')
    vi.advanceTimersByTime(4000)
    const late = w.request('b.test')

    w.askAgain()
    vi.advanceTimersByTime(1000)
    w.answer({ ok: 'b.test' })

    expect(await early).toEqual({ status: 503, headers: { 'Retry-After': '5' } })
    expect(await late).toMatchObject({ status: 200 })
    expect(asked).toEqual(['a.test', 'b.test', 'a.test', 'b.test'])
  })

  it('bounds the hosts that wait and ignores answers nobody waits for', async () => {
    const { wakes: w } = wakes()
    for (const host of ['a.test', 'b.test', 'c.test', 'd.test']) void w.request(host)

    w.answer({ ok: 'z.test' })

    expect(await w.request('e.test')).toMatchObject({ status: 503 })
  })

  it('leaves the rest of its places to others when one tenant takes its share, and counts that back', async () => {
    const { asked, wakes: w } = wakes()
    const greedy = [w.request('a.greedy.test'), w.request('b.greedy.test')]

    expect(await w.request('c.greedy.test')).toMatchObject({ status: 503 })
    const other = w.request('a.modest.test')
    w.answer({ ok: 'a.modest.test' })
    expect(await other).toMatchObject({ status: 200 })
    for (const host of ['a.greedy.test', 'b.greedy.test']) w.answer({ ok: host })
    await Promise.all(greedy)
    const again = w.request('c.greedy.test')
    w.answer({ ok: 'c.greedy.test' })

    expect(await again).toMatchObject({ status: 200 })
    expect(asked).toEqual(['a.greedy.test', 'b.greedy.test', 'a.modest.test', 'c.greedy.test'])
  })

  it('bounds the requests that wait for one tenant', async () => {
    const { wakes: w } = wakes()
    for (let n = 0; n < 3; n++) void w.request('a.greedy.test')

    expect(await w.request('a.greedy.test')).toMatchObject({ status: 503 })
  })
})
