import { describe, expect, it } from 'vitest'
import type { Known } from './acquaintance.ts'
import { loginThrottle, type ThrottleLimits } from './throttle.ts'

/** @param limits may be changed later */
function throttle(limits: Partial<ThrottleLimits> = {}) {
  let moment = 0
  const refused: string[] = []
  const tool = loginThrottle(
    () => ({ perAccount: 5, perNetwork: 30, globalPerMinute: 200, ...limits }),
    (address) => refused.push(address),
    () => moment,
  )
  const enter = (account: string, address: string, known: Known = null, isBegun = false) =>
    tool.enter({ account, address, known, ...(isBegun && { isBegun }) })
  const attempt = (account: string, address: string, known: Known = null) => {
    try {
      enter(account, address, known)
      return 0
    } catch (error) {
      return (error as { details: { retryAfterSeconds: number } }).details.retryAfterSeconds
    }
  }
  return { enter, attempt, refused, pass: (ms: number) => (moment += ms) }
}

const times = (count: number, what: (index: number) => unknown) =>
  Array.from({ length: count }, (_, index) => what(index))

describe('loginThrottle', () => {
  it('lets an account fail five times, then makes it wait twice as long each time', () => {
    const { attempt, refused, pass } = throttle()

    expect(times(6, () => attempt('a@example.com', '192.0.2.1'))).toEqual([0, 0, 0, 0, 0, 30])
    expect(refused).toEqual(['192.0.2.1'])
    pass(30_000)
    expect(times(2, () => attempt('a@example.com', '192.0.2.1'))).toEqual([0, 60])
    pass(60_000)
    expect(times(2, () => attempt('a@example.com', '192.0.2.1'))).toEqual([0, 120])
  })

  it('does not make the owner wait for a stranger elsewhere', () => {
    const { attempt, enter } = throttle()
    times(50, () => attempt('owner@example.com', '198.51.100.9'))

    expect(() => enter('owner@example.com', '192.0.2.1')).not.toThrow()
  })

  it('counts a whole network over many accounts', () => {
    const { attempt } = throttle()

    const waits = times(31, (index) => attempt(`user${index}@example.com`, `192.0.2.${index}`))

    expect(waits.filter((wait) => wait !== 0)).toEqual([30])
  })

  it('holds back a thousand addresses with one try each', () => {
    const { attempt } = throttle()

    const waits = times(1000, (index) => attempt('a@example.com', `${1 + (index >> 8)}.${index & 255}.0.1`))

    expect(waits.filter((wait) => wait === 0)).toHaveLength(200)
  })

  it('forgets an account at its success and everything after fifteen minutes', () => {
    const { attempt, enter, pass } = throttle()
    times(3, () => attempt('a@example.com', '192.0.2.1'))
    enter('a@example.com', '192.0.2.1').succeeded()

    expect(times(5, () => attempt('A@example.com', '192.0.2.1'))).toEqual([0, 0, 0, 0, 0])
    pass(15 * 60_000)
    expect(() => enter('a@example.com', '192.0.2.1')).not.toThrow()
  })
})

describe('what is counted', () => {
  const minutes = 60_000
  const ann = ['ann@example.com', '192.0.2.1'] as const

  it.each([
    [15 * minutes - 1, [0, 30]],
    [15 * minutes, [0, 0]],
  ])('is forgotten fifteen minutes after the first of it: after %i ms', (ms, waits) => {
    const { attempt, pass } = throttle()
    attempt(...ann)
    pass(minutes)
    times(3, () => attempt(...ann))
    pass(ms - minutes)

    expect(times(2, () => attempt(...ann))).toEqual(waits)
  })

  it('is not forgotten while it makes anybody wait', () => {
    const { attempt, pass } = throttle()
    times(5, () => attempt(...ann))
    for (const seconds of [30, 60, 120, 240, 480]) {
      expect(attempt(...ann)).toBe(seconds)
      pass(seconds * 1000 - 1)
      expect(attempt(...ann)).toBe(1)
      pass(1)
      expect(attempt(...ann)).toBe(0)
    }

    // 15 minutes and a half after the first failure it begins anew.
    expect(times(5, () => attempt(...ann))).toEqual([0, 0, 0, 0, 30])
  })

  it('makes nobody wait for longer than fifteen minutes, also where fewer failures are allowed than before', () => {
    const limits = { perAccount: 20 }
    const { attempt } = throttle(limits)
    times(9, () => attempt(...ann))
    limits.perAccount = 1

    expect(times(2, () => attempt(...ann))).toEqual([0, 900])
  })

  it('is told in whole seconds, at least one', () => {
    const { attempt, pass } = throttle()
    times(5, () => attempt(...ann))
    pass(28_500)
    expect(attempt(...ann)).toBe(2)
    pass(1_499)
    expect(attempt(...ann)).toBe(1)
  })

  it('is given back to who shares it, and lets the next one in at once', () => {
    const { attempt, enter } = throttle({ perNetwork: 3 })
    const begun = times(3, (index) => enter(`user${index}@example.com`, '192.0.2.1')) as ReturnType<typeof enter>[]
    expect(attempt('next@example.com', '192.0.2.1')).toBe(30)

    begun[0]?.succeeded()
    expect(times(2, () => attempt('next@example.com', '192.0.2.1'))).toEqual([0, 30])
    begun[1]?.withdrawn()
    expect(times(2, () => attempt('more@example.com', '192.0.2.1'))).toEqual([0, 30])
  })

  it('of more than 20,000 accounts is that of the last ones to try', () => {
    const { attempt, pass } = throttle({ globalPerMinute: 1_000_000, perNetwork: 1_000_000 })
    times(5, () => attempt('first@example.com', '192.0.2.1'))
    times(5, () => attempt('again@example.com', '192.0.2.1'))
    const fill = (from: number, count: number) =>
      times(count, (index) => attempt(`${from + index}@example.com`, '192.0.2.1'))
    fill(0, 19_900) // with the network and the range there is room for 96 more
    pass(30_000)
    expect(attempt('again@example.com', '192.0.2.1')).toBe(0)
    fill(19_900, 97)

    expect(attempt('again@example.com', '192.0.2.1')).toBe(60)
    expect(attempt('first@example.com', '192.0.2.1')).toBe(0)
  })
})

describe('an account', () => {
  const limit = 5

  it('is counted by its whole name, whatever its letters', () => {
    const { attempt } = throttle()
    times(limit, () => attempt('ann@example.com', '192.0.2.1'))

    expect(attempt('nn@example.com', '192.0.2.1')).toBe(0)
    expect(attempt('bnn@example.com', '192.0.2.1')).toBe(0)
    expect(attempt('ann@example.co', '192.0.2.1')).toBe(0)
    expect(attempt('Ann@Example.com', '192.0.2.1')).toBe(30)
  })

  it('of any length takes no more memory than the longest address: what follows does not count', () => {
    const { attempt } = throttle()
    const longest = 'x'.repeat(320)
    times(limit, (index) => attempt(`${longest}${index}`, '192.0.2.1'))

    expect(attempt(`${longest}more`, '192.0.2.1')).toBe(30)
    expect(attempt(`${longest.slice(1)}y`, '192.0.2.1')).toBe(0)
  })
})

describe('tries at once', () => {
  it('are counted before any of them has ended', () => {
    const { enter } = throttle()
    const begin = () => {
      try {
        return enter('a@example.com', '192.0.2.1')
      } catch {
        return null
      }
    }

    const begun = times(20, begin)

    expect(begun.filter((one) => one !== null)).toHaveLength(5)
  })

  it('are free again when nothing was checked', () => {
    const { enter } = throttle()
    const begun = times(5, () => enter('a@example.com', '192.0.2.1'))
    for (const one of begun) (one as ReturnType<typeof enter>).withdrawn()

    expect(times(5, () => enter('a@example.com', '192.0.2.1'))).toHaveLength(5)
    expect(() => enter('a@example.com', '192.0.2.1')).toThrow('too many attempts')
  })

  it('that succeed do not count against their network', () => {
    const { enter } = throttle({ perNetwork: 3 })
    times(50, (index) => enter(`user${index}@example.com`, '192.0.2.1').succeeded())

    expect(() => times(3, (index) => enter(`other${index}@example.com`, '192.0.2.1'))).not.toThrow()
    expect(() => enter('last@example.com', '192.0.2.1')).toThrow('too many attempts')
  })
})

describe('who is known', () => {
  const device: Known = { kind: 'device', id: 'laptop' }
  const owner = 'owner@example.com'

  it('does not wait for any number of strangers, from wherever', () => {
    const { attempt } = throttle()
    times(5000, (index) => attempt(owner, `10.${index >> 8}.${index & 255}.1`))
    times(300, (index) => attempt(owner, `192.0.2.${index & 255}`))

    expect(attempt(owner, '192.0.2.7')).toBeGreaterThan(0)
    expect(attempt(owner, '192.0.2.7', device)).toBe(0)
    expect(attempt(owner, '192.0.2.7', { kind: 'network' })).toBe(0)
  })

  it.each<Known>([device, { kind: 'session', id: 's' }, { kind: 'network' }])(
    'waits for what they did: %j',
    (known) => {
      const { attempt } = throttle()

      expect(times(6, () => attempt(owner, '192.0.2.1', known))).toEqual([0, 0, 0, 0, 0, 30])
    },
  )

  it('does not wait for a neighbour in the same network', () => {
    const { attempt } = throttle()
    times(20, () => attempt(owner, '192.0.2.66', { kind: 'network' }))

    expect(attempt(owner, '192.0.2.1', { kind: 'network' })).toBe(0)
  })

  it('gives a network of neighbours no more guesses than any other', () => {
    const { attempt } = throttle()

    const waits = times(200, (index) => attempt(owner, `192.0.2.${index}`, { kind: 'network' }))

    expect(waits.filter((wait) => wait === 0)).toHaveLength(30)
  })
})

describe('strangers', () => {
  it('of an IPv6 /48 are one network, and those of a /32 one range', () => {
    const ofSite = throttle()
    const ofProvider = throttle({ globalPerMinute: 10_000 })

    const site = times(100, (index) =>
      ofSite.attempt(`user${index}@example.com`, `2001:db8:1:${index.toString(16)}::1`),
    )
    const provider = times(1000, (index) => ofProvider.attempt('a@example.com', `2001:db8:${index.toString(16)}::1`))

    expect(site.filter((wait) => wait === 0)).toHaveLength(30)
    expect(provider.filter((wait) => wait === 0)).toHaveLength(240)
  })

  it('are so many in each minute, counted anew in the next', () => {
    const { attempt, pass } = throttle({ globalPerMinute: 10 })
    const come = (from: number) => times(12, (index) => attempt('a@example.com', `${from}.${index}.0.1`))

    expect(come(10)).toEqual([...Array(10).fill(0), 60, 60])
    pass(59_999)
    expect(come(11)).toEqual(Array(12).fill(1))
    pass(1)
    expect(come(12)).toEqual([...Array(10).fill(0), 60, 60])
  })

  it('of a range that has not tried of late have half of the minute for themselves', () => {
    const { attempt } = throttle()
    const flood = times(1000, (index) => attempt('a@example.com', `10.${index % 4}.${index >> 2}.1`))

    expect(flood.filter((wait) => wait === 0)).toHaveLength(100)
    expect(attempt('b@example.com', '192.0.2.1')).toBe(0)
    expect(attempt('b@example.com', '10.1.255.1')).toBeGreaterThan(0)
  })

  it('do not count in the minute once the password was right', () => {
    const { enter, attempt } = throttle({ globalPerMinute: 10 })
    times(20, (index) => attempt('a@example.com', `10.${index}.0.1`))

    expect(attempt('b@example.com', '192.0.2.1')).toBeGreaterThan(0)
    expect(enter('code of b', '192.0.2.1', null, true)).toBeDefined()
  })
})
