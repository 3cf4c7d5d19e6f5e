import { describe, expect, it } from 'vitest'
import { bearerToken } from './bearer.ts'

describe('a bearer token', () => {
  it.each([
    ['Bearer wcp_abc', 'wcp_abc'],
    ['bearer  wcp_abc', 'wcp_abc'],
    ['BEARER a.b-c_d', 'a.b-c_d'],
  ])('is read from %j', (header, token) => {
    expect(bearerToken(header)).toBe(token)
  })

  it('is none without the header', () => {
    expect(bearerToken(undefined)).toBeUndefined()
  })

  it.each(['', 'Bearer', 'Bearer ', 'Basic YTpi', 'Bearer a b', 'Bearer a, Bearer b', 'wcp_abc', 'Bearer a\u00e9'])(
    'is refused in %j',
    (header) => {
      expect(() => bearerToken(header)).toThrow('Cannot read the header "Authorization"')
    },
  )
})
