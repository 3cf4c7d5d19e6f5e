import { describe, expect, it } from 'vitest'
import { newRecoveryCode, recoveryCodeDigest, recoveryCodeOf } from './recovery-code.ts'

describe('a recovery code', () => {
  it('is four times four letters that nobody confuses, and never the same', () => {
    const codes = Array.from({ length: 100 }, newRecoveryCode)

    for (const code of codes) expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/)
    expect(new Set(codes).size).toBe(100)
  })

  it('is understood as people type it', () => {
    expect(recoveryCodeOf(' ABCD-efgh jkmn-0o1l ')).toBe('abcdefghjkmn0011')
  })

  it.each(['', '123456', 'abcd-efgh-jkmn', 'abcd-efgh-jkmn-pqrs-x', 'uuuu-uuuu-uuuu-uuuu'])('is not %j', (text) => {
    expect(recoveryCodeOf(text)).toBeNull()
  })

  it('has a digest that its dashes do not change and another key does', () => {
    const [one, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
    const digest = recoveryCodeDigest(one, 'abcd-efgh-jkmn-pqrs')

    expect(recoveryCodeDigest(one, 'abcdefghjkmnpqrs')).toBe(digest)
    expect(recoveryCodeDigest(other, 'abcd-efgh-jkmn-pqrs')).not.toBe(digest)
  })
})
