import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nginxWords } from '../../../test/support/nginx-words.ts'
import { SiteSettings } from '../../contract/site-settings.ts'
import { Fqdn } from '../../contract/values.ts'
import { quoted, type RowMap, siteRows, usersText } from './site-rows.ts'

const names = ['shop.example.com', 'www.shop.example.com'].map((name) => Fqdn.parse(name))
const docroot = '/srv/www/acme/sites/shop.example.com/public'

function rowsOf(settings: unknown): Partial<Record<RowMap, string[][]>> {
  const parsed = SiteSettings.parse(settings)
  const found = [...siteRows({ names, docroot, settings: parsed })]
  return Object.fromEntries(found.map(([map, text]) => [map, nginxWords(text)]))
}

describe('rows of a site', () => {
  it('are none where nothing is chosen', () => {
    expect(rowsOf({})).toEqual({})
  })

  it('are four words for each name', () => {
    expect(rowsOf({ root: 'public', front: '/app.php', maintenance: true })).toEqual({
      site: names.map((name) => [name, `m - /app.php ${docroot}/public - -`]),
    })
    expect(rowsOf({ canonical: names[0] })).toEqual({ site: [[names[1], `- ${names[0]} - - - -`]] })
  })

  it('are by path, and by directory of each depth', () => {
    const to = 'https://example.org/'
    const redirects = [
      { from: '/old', isPrefix: false, to: '/new?a=b', code: 301 },
      { from: '/a', isPrefix: true, to, code: 302 },
      { from: '/a/b/c/d', isPrefix: true, to: '/', code: 308 },
    ]

    expect(rowsOf({ redirects })).toEqual({
      site: names.map((name) => [name, 'r - - - - -']),
      exact: names.map((name) => [`${name}/old`, '301 =/new?a=b']),
      below1: names.map((name) => [`${name}/a`, '302 https://example.org']),
      below4: names.map((name) => [`${name}/a/b/c/d`, '308 =']),
    })
  })
})

describe('what is not done, and what is sent', () => {
  it('is by directory of each depth, once where it is both, and by host', () => {
    const rows = rowsOf({
      closed: ['/Data', '/a/b'],
      locked: ['/', '/intern', '/UPLOADS'],
      withoutPhp: ['/data', '/uploads'],
      cache: 'day',
      missing: '/404.html',
      headers: [
        { name: 'x-frame-options', value: 'DENY' },
        { name: 'permissions-policy', value: 'geolocation=(self "https://a.example")' },
      ],
    })

    expect(rows.site).toEqual(names.map((name) => [name, 'dhl - - - 1d /404.html']))
    expect(rows.within1?.toSorted()).toEqual(
      names.flatMap((name) => [
        [`${name}/data`, 'closed'],
        [`${name}/intern`, 'locked'],
        [`${name}/uploads`, 'still locked'],
      ]),
    )
    expect(rows.within2).toEqual(names.map((name) => [`${name}/a/b`, 'closed']))
    const said = 'x-frame-options=DENY|permissions-policy=geolocation=(self "https://a.example")'
    expect(rows.headers).toEqual(names.map((name) => [name, said]))
  })

  it.each([
    ['x-frame-options', 'ALLOW'],
    ['content-security-policy', 'a|x-frame-options=DENY'],
    ['content-security-policy', '$host'],
    ['content-security-policy', 'a\r\nSet-Cookie: b'],
    ['content-security-policy', ''],
    ['set-cookie', 'a=b'],
    ['location', 'https://example.org'],
    ['access-control-allow-origin', 'null'],
  ])('%s: %j is no header of a site', (name, value) => {
    expect(SiteSettings.safeParse({ headers: [{ name, value }] }).success).toBe(false)
  })
})

describe('what could be read as more than itself', () => {
  const attacks = [
    'a"; } server {',
    '$document_root',
    'a;b',
    '{',
    '}',
    '#',
    "'",
    '\\',
    'a\nb',
    '\0',
    '"',
    '${',
    '~^.*$',
    ' ',
    '',
  ]
  const fields: readonly ((text: string) => unknown)[] = [
    (root) => ({ root }),
    (text) => ({ root: `public/${text}` }),
    (front) => ({ front }),
    (text) => ({ front: `/${text}.php` }),
    (canonical) => ({ canonical }),
    (from) => ({ redirects: [{ from, isPrefix: false, to: '/', code: 301 }] }),
    (text) => ({ redirects: [{ from: `/${text}`, isPrefix: true, to: '/', code: 301 }] }),
    (to) => ({ redirects: [{ from: '/', isPrefix: false, to, code: 301 }] }),
    (text) => ({ redirects: [{ from: '/', isPrefix: false, to: `https://example.org/${text}`, code: 301 }] }),
    (text) => ({ closed: [`/${text}`] }),
    (path) => ({ locked: [path] }),
    (text) => ({ locked: [`/${text}`] }),
    (missing) => ({ missing }),
    (value) => ({ headers: [{ name: 'content-security-policy', value }] }),
    (code) => ({ redirects: [{ from: '/', isPrefix: false, to: '/', code }] }),
  ]

  it.each(['..', '../x', 'a/../b', '/a', 'a/', 'a//b', '.git', 'a/.hidden'])('%j is no document root', (root) => {
    expect(SiteSettings.safeParse({ root }).success).toBe(false)
  })

  it.each([
    '//evil.example',
    'javascript:alert(1)',
    'https://a.example@evil.example/',
    'https:///x',
    'ftp://a.example/',
    'x',
  ])('%j is no target', (to) => {
    const redirects = [{ from: '/a', isPrefix: false, to, code: 301 }]
    expect(SiteSettings.safeParse({ redirects }).success).toBe(false)
  })

  it('has a capital for each bound, and the hosts that show pictures under one name', () => {
    const friends = ['partner.example.net', 'shop.example.com']
    const [first] = names
    expect(
      rowsOf({ bodyMb: '8', rate: '100', connections: '4', listed: ['/', '/a'], ownPictures: true, friends }),
    ).toEqual({
      site: names.map((name) => [name, 'digCSV - - - - -']),
      within1: names.map((name) => [`${name}/a`, 'listed']),
      kin: names.map((name) => [name, first]),
      friends: [...names, 'partner.example.net'].map((host) => [`${first} ${host}`, 'shown']),
    })
    expect(rowsOf({ friends })).toEqual({})
  })

  it.each([
    { rate: '0' },
    { rate: 0 },
    { rate: '10' },
    { bodyMb: '0' },
    { bodyMb: 8 },
    { connections: '' },
    { friends: ['a b'] },
    { friends: [] },
    { listed: ['/../..'] },
  ])('%j is nothing that can be chosen', (settings) => {
    expect(SiteSettings.safeParse(settings).success).toBe(false)
  })

  it('has ranges once for all names, the narrower over the wider', () => {
    const addresses = [
      { isAllowed: false, range: '10.1.0.0/16' },
      { isAllowed: true, range: '10.0.0.0/15' },
      { isAllowed: true, range: '2001:db8::/32' },
    ]
    const [first] = names

    expect(rowsOf({ addresses, addressesBelow: ['/Intern'] })).toEqual({
      site: names.map((name) => [name, 'dn - - - - -']),
      within1: names.map((name) => [`${name}/intern`, 'near']),
      from: names.map((name) => [name, `${first} deny`]),
      from2: [
        [`${first} 10.0`, 'allow'],
        [`${first} 10.1`, 'deny'],
        [`${first} 2001:db8:`, 'allow'],
      ],
    })
    expect(rowsOf({ addresses: addresses.slice(0, 1) })).toMatchObject({
      site: names.map((name) => [name, 'w - - - - -']),
      from: names.map((name) => [name, `${first} allow`]),
    })
  })

  it.each([
    '',
    '10.0.0.0/8;',
    '10.0.0.0 allow',
    '$host',
    '"',
    '10.0.0.1\n',
    '0.0.0.0/0',
    '10.0.0.5/8x',
    '..',
    '::/0',
    '2001:db8::/36',
  ])('%j is no range of addresses', (range) => {
    const parsed = SiteSettings.safeParse({ addresses: [{ isAllowed: true, range }] })
    if (parsed.success) expect(() => siteRows({ names, docroot, settings: parsed.data })).toThrow()
  })

  it('is refused, or comes back from another reader as it was written', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...attacks), fc.webPath(), fc.webUrl())
    const judged = fc.property(text, fc.constantFrom(...fields), (given, field) => {
      const parsed = SiteSettings.safeParse(field(given))
      if (!parsed.success) return
      const { root, front, canonical, redirects, closed, headers, missing, locked } = parsed.data
      const below = locked?.filter((path) => path !== '/') ?? []
      const isFenced = closed !== undefined || below.length > 0
      const whole = locked !== undefined && below.length < locked.length
      const flags = `${redirects ? 'r' : ''}${isFenced ? 'd' : ''}${headers ? 'h' : ''}${whole ? 'l' : ''}`
      const words = (name: Fqdn) =>
        [flags, canonical === name ? '' : canonical, front, root && `${docroot}/${root}`, '', missing].map(
          (word) => word || '-',
        )
      const sent = (redirects ?? []).map(({ from, isPrefix, to, code }) => {
        const local = to.startsWith('/') ? '=' : ''
        return [from, `${code} ${local}${isPrefix ? to.replace(/\/$/, '') : to}`] as const
      })
      const wanted = names.flatMap((name) => [
        [name, words(name).join(' ')],
        ...sent.map(([from, target]) => [`${name}${from}`, target]),
        ...(closed ?? []).map((path) => [`${name}${path.toLowerCase()}`, 'closed']),
        ...below.map((path) => [`${name}${path.toLowerCase()}`, 'locked']),
        ...(headers ? [[name, headers.map((one) => `${one.name}=${one.value}`).join('|')]] : []),
      ])
      const read = [...siteRows({ names, docroot, settings: parsed.data }).values()].flatMap(nginxWords)
      expect(read.toSorted()).toEqual(wanted.filter(([, value]) => value !== '- - - - - -').toSorted())
    })
    fc.assert(judged, { numRuns: 1000 })
  })

  it('is refused as a name of a user, or one line of the file that nginx reads has it', () => {
    const verifier = `{SSHA}${'A'.repeat(48)}`
    const given = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a:b', 'a\n', '#a', ':', ' a', 'a b', 'alice@b.c'),
    )
    const judged = fc.property(given, (name) => {
      const parsed = SiteSettings.safeParse({ users: [{ name, verifier }] })
      if (!parsed.success) return
      expect(
        usersText(parsed.data.users ?? [])
          .split('\n')
          .map((line) => line.split(':')),
      ).toEqual([[name, verifier], ['']])
      expect(name).not.toMatch(/^#/)
    })
    fc.assert(judged, { numRuns: 1000 })
  })

  it.each([
    '{PLAIN}x',
    '{SSHA}',
    `{SSHA}${'A'.repeat(47)}:`,
    `$1$${'a'.repeat(30)}`,
    `{SSHA}${'A'.repeat(48)}\nb:{PLAIN}b`,
  ])('%j verifies no password of a user', (verifier) => {
    expect(SiteSettings.safeParse({ users: [{ name: 'a', verifier }] }).success).toBe(false)
  })

  it('is what it was after it was quoted', () => {
    const plain = fc.string({ unit: 'grapheme' }).filter((text) => !/[\p{Cc}$]/u.test(text))
    fc.assert(
      fc.property(plain, (text) => {
        expect(nginxWords(`${quoted(text)} ${quoted(text)};`)).toEqual([[text, text]])
      }),
    )
  })

  it.each(['a\nb', '$uri', '\0'])('%j is not quoted at all', (text) => {
    expect(() => quoted(text)).toThrow()
  })
})
