import { describe, expect, it } from 'vitest'
import { Fqdn } from '../../contract/values.ts'
import { AddressLine, addressLine, addressRuleOf } from './address-line.ts'
import { HeaderLine, headerLine, headerOf } from './header-line.ts'
import { RedirectLine, redirectLine, redirectOf } from './redirect-line.ts'
import { refuseUnfit, shown, withWish } from './settings.ts'

const name = Fqdn.parse('shop.example.com')
const alias = Fqdn.parse('www.shop.example.com')

describe('a redirect in one line', () => {
  it.each([
    ['/old /new 301', { from: '/old', isPrefix: false, to: '/new', code: 301 }],
    ['/old   /new', { from: '/old', isPrefix: false, to: '/new', code: 302 }],
    ['/a/* https://example.org/ 308', { from: '/a', isPrefix: true, to: 'https://example.org/', code: 308 }],
    ['/caf%C3%A9%201 /x?a=%20 307', { from: '/caf\u00e9 1', isPrefix: false, to: '/x?a=%20', code: 307 }],
  ])('%j', (line, redirect) => {
    expect(RedirectLine.safeParse(line).success).toBe(true)
    expect(redirectOf(line)).toEqual(redirect)
    expect(redirectOf(redirectLine(redirectOf(line)))).toEqual(redirect)
  })

  it.each([
    ['', /such as/],
    ['/old', /such as/],
    ['/old /new 200', /301, 302, 307, 308/],
    ['/old /new 301 more', /301, 302, 307, 308/],
    ['old /new', /a path such as/],
    ['/* /new', /a path such as/],
    ['/a/b/c/d/e/* /new', /one to four levels/],
    ['/a/* /new?x', /without query/],
    ['/a //example.org', /or an address/],
    ['/a ftp://example.org/', /or an address/],
    ['/%2e%2e/a /b', /a path such as/],
  ])('%j is refused in words', (line, words) => {
    expect(RedirectLine.safeParse(line).error?.issues[0]?.message).toMatch(words)
  })
})

describe('a header in one line', () => {
  it.each([
    ['X-Frame-Options: SAMEORIGIN', { name: 'x-frame-options', value: 'SAMEORIGIN' }],
    ["content-security-policy:default-src 'self'", { name: 'content-security-policy', value: "default-src 'self'" }],
  ])('%j', (line, header) => {
    expect(headerOf(line)).toEqual(header)
    expect(headerOf(headerLine(headerOf(line)))).toEqual(header)
  })

  it.each([
    ['X-Frame-Options', /one of content-security-policy/],
    ['Set-Cookie: a=b', /one of content-security-policy/],
    ['X-Frame-Options: maybe', /a value that this header takes/],
  ])('%j is refused in words', (line, words) => {
    expect(HeaderLine.safeParse(line).error?.issues[0]?.message).toMatch(words)
  })
})

describe('a rule about addresses in one line', () => {
  it.each([
    ['allow 203.0.113.0/24', { isAllowed: true, range: '203.0.113.0/24' }],
    ['  deny   2001:DB8::/32 ', { isAllowed: false, range: '2001:db8::/32' }],
    ['deny 198.51.100.7/32', { isAllowed: false, range: '198.51.100.7' }],
  ])('%j', (line, rule) => {
    expect(addressRuleOf(line)).toEqual(rule)
    expect(addressRuleOf(addressLine(rule))).toEqual(rule)
  })

  it.each([
    ['', /allow or deny/],
    ['203.0.113.0/24', /allow or deny/],
    ['allow everybody', /allow or deny/],
    ['allow 203.0.113.0/24 /x', /allow or deny/],
    ['allow 203.0.113.5/24', /allow or deny/],
    ['deny 0.0.0.0/0', /from \/1 on/],
    ['deny 2001:db8::/36', /up to eight below/],
  ])('%j is refused in words', (line, words) => {
    expect(AddressLine.safeParse(line).error?.issues[0]?.message).toMatch(words)
  })

  it('is refused twice, and where there would be too many', () => {
    for (const addressRules of [
      ['allow 10.0.0.0/8', 'deny 10.0.0.0/8'],
      Array.from({ length: 20 }, (_, n) => `deny ${n + 1}.0.0.0/9`),
    ])
      expect(() => refuseUnfit('update', withWish({}, { addressRules }), [name])).toThrow(/addressRules/)
  })
})

describe('settings of a site', () => {
  it('change one by one, and leave no trace when they are defaults again', () => {
    const first = withWish({}, { documentRoot: 'public', maintenance: true, redirects: ['/a /b'] })
    expect(shown(first)).toMatchObject({ documentRoot: 'public', maintenance: true, redirects: ['/a /b 302'] })

    const second = withWish(first, { frontController: 'off' })
    expect(second).toEqual({ ...first, front: 'off' })

    const none = { documentRoot: null, maintenance: false, redirects: [], frontController: null, canonicalName: null }
    expect(withWish(second, none)).toEqual({})
  })

  it.each([
    ['/a /a'],
    ['/a /A'],
    ['/a /b', '/b /a'],
    ['/a https://shop.example.com/b', '/b https://www.shop.example.com/a 301'],
    ['/a/* /a/b'],
    ['/a/* /b', '/b/* /a'],
    ['/a/* https://shop.example.com/a'],
    ['/a/* /b/a', '/b/* /'],
  ])('refuse redirects in a circle: %j', (...redirects) => {
    const settings = withWish({}, { redirects })

    expect(() => refuseUnfit('update', settings, [name, alias])).toThrow(/circle|itself|redirects/)
  })

  it.each([
    ['/a /b', '/b /c'],
    ['/a https://example.org/a'],
    ['/a/* /b', '/b /c'],
    ['/ /start'],
    ['/shop/* https://shop.example.org/shop'],
  ])('take others: %j', (...redirects) => {
    expect(() => refuseUnfit('update', withWish({}, { redirects }), [name, alias])).not.toThrow()
  })

  it('refuse headers that are there twice, or too much together', () => {
    const twice = ['X-Frame-Options: DENY', 'x-frame-options: SAMEORIGIN']

    expect(() => refuseUnfit('update', withWish({}, { headers: twice }), [name])).toThrow(/headers/)
  })

  it('refuse one path twice, and a main name that is none of theirs', () => {
    const twice = withWish({}, { redirects: ['/a /b', '/A /c'] })
    const other = withWish({}, { canonicalName: Fqdn.parse('example.org') })

    expect(() => refuseUnfit('update', twice, [name])).toThrow(/redirects/)
    expect(() => refuseUnfit('update', other, [name])).toThrow(/canonicalName/)
  })
})
