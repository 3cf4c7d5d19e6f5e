import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { csrfToken, demandOwnOrigin, demandToken, isSafe } from './csrf.ts'

const own = ['https://panel.example.com:8360']

describe('demandOwnOrigin', () => {
  it.each([
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'same-origin', origin: 'null' },
    { origin: 'https://panel.example.com:8360' },
    { referer: 'https://panel.example.com:8360/login?next=%2F' },
  ])('accepts %j', (headers) => {
    expect(() => demandOwnOrigin(headers, own)).not.toThrow()
  })

  it.each([
    {},
    { origin: 'null' },
    { origin: 'https://panel.example.com' },
    { origin: 'https://panel.example.com:8361' },
    { origin: 'http://panel.example.com:8360' },
    { origin: 'https://shop.example.com' },
    { origin: 'https://panel.example.com:8360.evil.example' },
    { 'sec-fetch-site': 'same-site', origin: 'https://panel.example.com:8360' },
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'null', referer: 'https://panel.example.com:8360/' },
    { 'sec-fetch-site': 'cross-site', referer: 'https://panel.example.com:8360/' },
    { referer: 'https://shop.example.com/https://panel.example.com:8360/' },
    { referer: 'https://panel.example.com:8360.evil.example/' },
    { referer: 'panel.example.com:8360' },
    { 'sec-fetch-site': 'none', origin: 'https://panel.example.com:8360' },
  ])('refuses %j', (headers) => {
    expect(() => demandOwnOrigin(headers, own)).toThrow('does not come from')
  })
})

it('only methods that change nothing go without either', () => {
  const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'QUERY', 'get']
  expect(methods.filter(isSafe)).toEqual(['GET', 'HEAD', 'OPTIONS'])
})

describe('demandToken', () => {
  const key = randomBytes(32)

  it('accepts the token of the same cookie only', () => {
    const token = csrfToken(key, 'cookie-a')

    expect(() => demandToken(key, 'cookie-a', token)).not.toThrow()
    expect(() => demandToken(key, 'cookie-b', token)).toThrow('no valid token')
    expect(() => demandToken(key, null, token)).toThrow('no valid token')
    expect(() => demandToken(randomBytes(32), 'cookie-a', token)).toThrow('no valid token')
  })

  it.each([undefined, null, '', 'x', ['a'], {}])('refuses %j', (token) => {
    expect(() => demandToken(key, 'cookie-a', token)).toThrow('no valid token')
  })
})
