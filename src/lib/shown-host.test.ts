import { domainToASCII } from 'node:url'
import { describe, expect, it } from 'vitest'
import { shownHost, withShownHosts } from './shown-host.ts'

describe('a name', () => {
  it('of ASCII alone stays as it is', () => {
    expect(shownHost('shop.example.com')).toBe('shop.example.com')
  })

  it.each([
    'münchen.example.com',
    'пример.example.com',
    'яндекс.рф',
    '例え.テスト',
    '東京ラーメン.jp',
    'www.café.fr',
    'ร้าน.example',
  ])('of one script, %s, is shown as people write it, with its A-labels beside', (unicode) => {
    const name = domainToASCII(unicode)
    expect(shownHost(name)).toBe(`\u2068${unicode}\u2069 (${name})`)
  })

  it.each([
    ['pаypal.com', 'a Cyrillic letter among Latin ones'],
    ['аррӏе.com', 'Cyrillic letters that all look like Latin ones'],
    ['goοgle.example', 'a Greek letter among Latin ones'],
    ['ᏚᎢ.example', 'letters of a script that nobody is expected to know'],
  ])('%s comes after its A-labels: %s', (unicode) => {
    const name = domainToASCII(unicode)
    expect(shownHost(name).startsWith(`${name} (\u2068`)).toBe(true)
  })

  it('of letters that look like Latin ones, below a domain of its own script, is shown as it is written', () => {
    expect(shownHost(domainToASCII('сор.рф'))).toMatch(/^\u2068сор\.рф\u2069 /)
  })
})

it('finds names among words, and leaves places alone', () => {
  const name = domainToASCII('münchen.example.com')
  expect(withShownHosts(`Site ${name}: created`)).toBe(`Site \u2068münchen.example.com\u2069 (${name}): created`)
  for (const place of [`/etc/nginx/${name}.conf`, `https://${name}/`, `me@${name}`])
    expect(withShownHosts(place)).toBe(place)
})
