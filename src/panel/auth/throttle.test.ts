import { describe, expect, it } from 'vitest'
import { loginThrottle, networkOf, type ThrottleLimits } from './throttle.ts'

function throttle(limits: Partial<ThrottleLimits> = {}) {
  let moment = 0
  const refused: string[] = []
  const tool = loginThrottle(
    () => ({ perAccount: 5, perNetwork: 30, globalPerMinute: 200, ...limits }),
    (address) => refused.push(address),
    () => moment,
  )
  const attempt = (account: string, address: string) => {
    try {
      tool.enter(account, address)
      return 0
    } catch (error) {
      return (error as { details: { retryAfterSeconds: number } }).details.retryAfterSeconds
    }
  }
  return { ...tool, attempt, refused, pass: (ms: number) => (moment += ms) }
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

    const waits = times(1000, (index) => attempt('a@example.com', `10.${index >> 8}.${index & 255}.1`))

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

describe('networkOf', () => {
  it.each([
    ['192.0.2.77', '192.0.2'],
    ['::ffff:192.0.2.77', '192.0.2'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s is in %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
