import { describe, expect, it } from 'vitest'
import { beginningOf, isTokenOf, newToken, selectorOf } from './token.ts'

const known = 'wcp_0123456789abcdefghjkmnpqrstvwxyz0123456789abcdefgh'

describe('an API key', () => {
  it('is known by its shape, and never the same', () => {
    const tokens = Array.from({ length: 100 }, () => newToken().token)

    for (const token of tokens) expect(token).toMatch(/^wcp_[0-9a-hjkmnp-tv-z]{57}$/)
    expect(new Set(tokens.map(selectorOf)).size).toBe(100)
  })

  it('ends in the check letters that others can compute, too', () => {
    // zlib.crc32(b"wcp_…") of Python, in base 32.
    expect(selectorOf(`${known}06z324w`)).toBe('0123456789')
  })

  it('is no key when any letter of it was changed, lost or added', () => {
    const { token } = newToken()
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === '7' ? '8' : '7'
      expect(selectorOf(token.slice(0, at) + other + token.slice(at + 1))).toBeNull()
      expect(selectorOf(token.slice(0, at) + token.slice(at + 1))).toBeNull()
    }
    expect(selectorOf(`${token}0`)).toBeNull()
    expect(selectorOf(token.toUpperCase())).toBeNull()
  })

  it('fits its own digest and no other', () => {
    const [one, other] = [newToken(), newToken()]

    expect(isTokenOf(one.digest, one.token)).toBe(true)
    expect(isTokenOf(one.digest, other.token)).toBe(false)
  })

  it('is recognised by its beginning, which says nothing of the secret', () => {
    const { token, selector } = newToken()

    expect(selectorOf(token)).toBe(selector)
    expect(beginningOf(selector)).toBe(`${token.slice(0, 14)}…`)
  })
})
