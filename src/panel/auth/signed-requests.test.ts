import { describe, expect, it } from 'vitest'
import { replayGuard } from './signed-requests.ts'

const signed = (nonce: string, created: number, expires: number | null = null) => ({
  ...{ nonce, created, expires, keyId: 'wcp_a', components: [], parameters: '', signature: Buffer.alloc(0) },
})

describe('a signed request', () => {
  it('counts once', () => {
    let now = 0
    const guard = replayGuard(() => now)
    now = 1_000_000

    guard.demandNew(signed('one', 1000))
    expect(() => guard.demandNew(signed('one', 1000))).toThrow('came before')
    guard.demandNew(signed('two', 1000))
    guard.demandNew({ ...signed('one', 1000), keyId: 'wcp_b' })
    now += 299_000
    expect(() => guard.demandNew(signed('one', 1000))).toThrow('came before')
  })

  it('counts for five minutes, or until it expires', () => {
    let now = 0
    const guard = replayGuard(() => now)
    now = 1_000_000

    expect(() => guard.demandNew(signed('old', 700))).toThrow('too old')
    guard.demandNew(signed('fresh', 701))
    expect(() => guard.demandNew(signed('expired', 999, 1000))).toThrow('too old')
    guard.demandNew(signed('short', 999, 1001))
    expect(() => guard.demandNew(signed('future', 1003))).toThrow('from the future')
    guard.demandNew(signed('ahead', 1002))
  })

  it('counts once also at the far edge of its life, signed by a clock that is ahead', () => {
    let now = 0
    const guard = replayGuard(() => now)
    now = 1_000_000

    guard.demandNew(signed('edge', 1002))
    now = 1_301_999
    expect(() => guard.demandNew(signed('edge', 1002))).toThrow('came before')
    guard.demandNew(signed('other', 1002)) // the signature itself would still be good
    now = 1_302_000
    expect(() => guard.demandNew(signed('another', 1002))).toThrow('too old')
  })

  it('does not count again after a restart', () => {
    let now = 1_000_000
    const before = replayGuard(() => now - 1_000_000)
    expect(before).toBeDefined()
    const guard = replayGuard(() => now)

    expect(() => guard.demandNew(signed('kept', 999))).toThrow('has just started')
    expect(() => guard.demandNew(signed('ahead', 1002))).toThrow('has just started')
    now += 3000
    guard.demandNew(signed('new', 1003))
  })

  it('is refused rather than forgotten when there are too many', () => {
    let now = 0
    const guard = replayGuard(() => now)
    now = 1_000_000
    for (let number = 0; number < 100_000; number++) guard.demandNew(signed(`n${number}`, 1000))

    expect(() => guard.demandNew(signed('more', 1000))).toThrow('too many')
    now += 303_000
    guard.demandNew(signed('more', 1300))
  })
})
