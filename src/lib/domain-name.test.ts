import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fqdn } from '../contract/values.ts'
import { ancestorsOf, canonicalDomain, DomainName, isWithin, registrableDomain, reversedName } from './domain-name.ts'

const nameOf = (text: string) => {
  const result = canonicalDomain(text)
  return 'name' in result ? result.name : undefined
}

describe('canonicalDomain', () => {
  it.each([
    ['shop.example.com', 'shop.example.com'],
    ['SHOP.Example.COM', 'shop.example.com'],
    ['shop.example.com.', 'shop.example.com'],
    ['example。com', 'example.com'],
    ['ｅｘａｍｐｌｅ.com', 'example.com'],
    ['bücher.de', 'xn--bcher-kva.de'],
    ['BÜCHER.de', 'xn--bcher-kva.de'],
    ['bu\u0308cher.de', 'xn--bcher-kva.de'],
    ['XN--BCHER-KVA.de', 'xn--bcher-kva.de'],
    ['faß.de', 'xn--fa-hia.de'],
    ['a.co.uk', 'a.co.uk'],
    ['site.test', 'site.test'],
    ['0x7f.example.com', '0x7f.example.com'],
    [`${'a'.repeat(63)}.com`, `${'a'.repeat(63)}.com`],
  ])('reads %s as %s', (written, name) => {
    expect(nameOf(written)).toBe(name)
  })

  it.each([
    '',
    '.',
    '..',
    ' ',
    'localhost',
    'app.localhost',
    'x.invalid',
    'x.onion',
    '1.0.0.127.in-addr.arpa',
    'com',
    'co.uk',
    'github.io',
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0x7f000001',
    '0177.0.0.1',
    '１２７.0.0.1',
    '[::1]',
    '::1',
    '1.2.3.4.',
    'a..b',
    'a..example.com',
    '.example.com',
    'example.com..',
    '-a.com',
    'a-.com',
    'a_b.com',
    'ab--cd.com',
    'xn--a.com',
    'xn--.com',
    'xn--example-.com',
    'xn--zzzzzzzz99999.com',
    'xn--www-.example.com',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(126)}com.example`,
    'a'.repeat(100_000),
    `${'ü'.repeat(60)}.com`,
    '*.example.com',
    'a.com; } server {',
    'a.com\n',
    'a.com\r\nb',
    'a\0.com',
    'a.com/../etc',
    '../etc/passwd',
    '/etc/passwd',
    'a.com#x',
    'a.com?x',
    'a.com:80',
    'user@a.com',
    'a.com ',
    ' a.com',
    'a.com\u00a0',
    'a\u00ad.com',
    'a\u200d.com',
    '\u202eexample.com',
    'a%2ecom',
    'a%00.com',
    '$(id).com',
    '`id`.com',
    'a;id.com',
    'a|id.com',
    'a&&id.com',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what an attacker would send
    '${IFS}.com',
    '-rf',
    '--help',
    '$host',
    'a"b.com',
    "a'b.com",
    'a\\b.com',
    '<b>.com',
    'a,b.com',
    'http://example.com',
    'example.com\ud800',
    '__proto__',
  ])('refuses %j with a reason', (written) => {
    const result = canonicalDomain(written)

    expect(nameOf(written)).toBeUndefined()
    expect('problem' in result && result.problem).toMatch(/^(is|has) /)
  })

  it('gives of any text either nothing or a name that stays as it is', () => {
    const labels = fc.array(
      fc.oneof(fc.string({ unit: 'grapheme' }), fc.domain(), fc.constantFrom('xn--', 'com', '-', '。', 'ß', '\0')),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.domain(),
          labels.map((list) => list.join('.')),
          fc.ipV4(),
          fc.ipV6(),
          fc.webUrl(),
        ),
        (text) => {
          const name = nameOf(text)
          if (name === undefined) return
          expect(Fqdn.safeParse(name).success).toBe(true)
          expect(nameOf(name)).toBe(name)
          expect(nameOf(`${name}.`)).toBe(name)
          expect(nameOf(name.toUpperCase())).toBe(name)
        },
      ),
      { numRuns: 1000 },
    )
  }, 30_000)

  it('never takes an address in any writing', () => {
    const part = fc.integer({ min: 0, max: 255 })
    const written = fc
      .tuple(part, fc.constantFrom(10, 8, 16))
      .map(([value, base]) => ({ 10: '', 8: '0', 16: '0x' })[base] + value.toString(base))
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 4 }), (parts) => {
        expect(nameOf(parts.join('.'))).toBeUndefined()
      }),
    )
  })

  it('answers at once, however long the text', () => {
    const begin = performance.now()
    for (const part of ['a', '-', '.', 'a.', 'xn--', 'ü', '0x']) canonicalDomain(part.repeat(50_000))
    expect(performance.now() - begin).toBeLessThan(2000)
  })
})

describe('DomainName', () => {
  it('says what was wrong and what is accepted', () => {
    const result = DomainName.safeParse('127.0.0.1')

    expect(result.error?.issues[0]).toMatchObject({
      message: 'a host name such as shop.example.com',
      params: { problem: 'is not a host name' },
    })
  })

  it.each([1, true, null, ['example.com'], { name: 'example.com' }])('refuses %j', (value) => {
    expect(DomainName.safeParse(value).success).toBe(false)
  })
})

describe('relations', () => {
  const fqdn = (text: string) => Fqdn.parse(text)

  it('knows what is above a name, up to what was registered', () => {
    expect(ancestorsOf(fqdn('a.b.example.co.uk'))).toEqual(['b.example.co.uk', 'example.co.uk'])
    expect(ancestorsOf(fqdn('example.co.uk'))).toEqual([])
    expect(registrableDomain(fqdn('a.b.example.co.uk'))).toBe('example.co.uk')
    expect(ancestorsOf(fqdn('a.user.github.io'))).toEqual(['user.github.io'])
  })

  it('does not take a common ending for a common owner', () => {
    expect(isWithin('a.example.com', 'example.com')).toBe(true)
    expect(isWithin('example.com', 'example.com')).toBe(true)
    expect(isWithin('badexample.com', 'example.com')).toBe(false)
    expect(isWithin('example.com', 'a.example.com')).toBe(false)
  })

  it('turns below into a range of text', () => {
    fc.assert(
      fc.property(fc.domain(), fc.domain(), (one, other) => {
        const below = `${reversedName(other)}.`
        const inRange = reversedName(one) >= below && reversedName(one) < `${below.slice(0, -1)}/`
        expect(inRange).toBe(one.endsWith(`.${other}`))
        expect(`${reversedName(`x.${other}`)}`.startsWith(below)).toBe(true)
      }),
    )
  })
})
