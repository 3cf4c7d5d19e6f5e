/** The root side's part of a certificate: nothing is served that does not match, and nothing is signed that it does not choose. */
import { createHash, createHmac, createPublicKey, verify, X509Certificate } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { newKey } from '../../src/agent/steps/private-key.ts'
import type { DriftReport } from '../../src/contract/wire.ts'
import { Authority } from '../support/authority.ts'
import { passTrashDays } from '../support/trash-days.ts'
import { Bench, newId, workersGid } from './bench.ts'
import { certificate, domain, leadUp, scenarios, siteKey, siteNames, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const authority = new Authority()
afterAll(() => authority.dispose())

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
  await leadUp(bench, 'certificate.update')
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const site = () => `${bench.root}/var/lib/wcp360-web/tenants/acme/sites/shop.example.com`
const served = () => readFileSync(`${site()}/tls/fullchain.pem`, 'utf8')
const about = { tenant, certificate }
const { chain: right } = scenarios['certificate.update'].payload as { chain: string }
const install = (chain: string) => bench.run('certificate.update', { ...about, chain })
const request = (names: readonly string[] = siteNames, key: string | undefined = siteKey) =>
  authority.request(names, key)
const blocks = (chain: string) => chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? []
const drift = async () =>
  ((await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport).flatMap(({ changes }) =>
    changes.map(({ step }) => step),
  )

it('serves a chain for its key by one link, in a directory that only root and the web server’s workers enter', async () => {
  expect(readlinkSync(`${site()}/tls`)).toMatch(/tls\/default$/)

  expect(await install(right)).toMatchObject({ failure: null })

  expect(readlinkSync(`${site()}/tls`)).toBe('own-tls')
  expect(served()).toBe(right)
  const mode = (path: string) => [statSync(path).mode & 0o777, statSync(path).gid]
  expect(mode(`${site()}/own-tls`)).toEqual([0o750, workersGid])
  expect(mode(`${site()}/own-tls/privkey.pem`)).toEqual([0o640, workersGid])
  expect(await drift()).toEqual([])
})

it('keeps its key over renewals', async () => {
  await install(right)
  const renewed = authority.issue({ csr: request() })

  expect(await install(renewed)).toMatchObject({ failure: null })

  expect(served()).toBe(renewed)
  expect(readFileSync(`${site()}/tls/privkey.pem`, 'utf8')).toBe(siteKey)
})

describe('refuses, and goes on serving what it served,', () => {
  const day = 86_400_000
  const others = new Authority()
  afterAll(() => others.dispose())
  const foreignKey = () => authority.issue({ csr: authority.request(siteNames) })

  it.each<[string, () => string, RegExp]>([
    ['a key that is not the one made here', foreignKey, /not for the key/],
    ['a chain in the wrong order', () => blocks(right).toReversed().join(''), /authority’s, not a server’s/],
    ['a chain without an issuer', () => blocks(right)[0] ?? '', /issuer is missing/],
    ['another authority’s issuer', () => `${blocks(right)[0]}${others.root}`, /did not issue/],
    ['names of others alone', () => authority.issue({ csr: request(['other.example.net']) }), /none of its names/],
    [
      'an end that has passed',
      () => authority.issue({ csr: request(), from: new Date(Date.now() - 9 * day), days: 8 }),
      /valid until/,
    ],
    [
      'a beginning to come',
      () => authority.issue({ csr: request(), from: new Date(Date.now() + day), days: 8 }),
      /not valid before/,
    ],
  ])('%s', async (_, chain, why) => {
    await install(right)

    expect((await install(chain())).failure?.message).toMatch(why)

    expect(served()).toBe(right)
    expect(await drift()).toEqual([])
  })

  it.each([
    ['words beside the certificates', `${right}# a word\n`],
    ['a key among them', `${right}${siteKey}`],
    ['no certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ['another way to write them', right.replaceAll('\n', '\r\n')],
    ['more than a chain', right.repeat(8)],
  ])('%s: the message itself is broken', async (_, chain) => {
    bench.engine.handle(bench.job('certificate.update', { ...about, chain }))

    expect(bench.messages.some((one) => one.t === 'accepted')).toBe(false)
  })

  it('somebody else’s certificate', async () => {
    const other = newId()
    await bench.run('tenant.create', { ...scenarios['tenant.create'].payload, tenant: other, name: 'other' })

    expect(await bench.run('certificate.update', { ...about, tenant: other, chain: right })).toMatchObject({
      failure: { code: 'not_found' },
    })
  })

  it('a second certificate of one site', async () => {
    const twice = { tenant, certificate: newId(), domain }

    expect(await bench.run('certificate.create', twice)).toMatchObject({ failure: { code: 'conflict' } })
  })
})

describe('sends visitors to HTTPS', () => {
  const [first = '', ...aliases] = siteNames
  const { php } = scenarios['domain.create'].payload as { php: string }
  const change = (wish: Record<string, unknown>) =>
    bench.run('domain.update', { tenant, domain, aliases, php, ...wish })
  const markers = () => {
    const own = `${site()}/own-tls`
    const sent = existsSync(`${own}/redirect`) ? readdirSync(`${own}/redirect`) : []
    return [...sent, ...readdirSync(own).filter((name) => name.startsWith('hsts-'))].sort()
  }

  it('under all names of the certificate, as soon as it is served and not before', async () => {
    expect(markers()).toEqual([])

    await install(right)

    expect(markers()).toEqual([...siteNames].sort())
    const { mode, gid } = statSync(`${site()}/own-tls/redirect`)
    expect([mode & 0o777, gid]).toEqual([0o750, workersGid])
  })

  it.each([
    ['optional', [], []],
    ['redirect', siteNames, []],
    ['hsts-day', siteNames, ['hsts-day']],
    ['hsts-year', siteNames, ['hsts-day', 'hsts-year']],
    ['hsts-subdomains', siteNames, ['hsts-day', 'hsts-subdomains', 'hsts-year']],
  ])('as the site wants it: %s, chosen before and after', async (https, sent, remembered) => {
    const wanted = [...sent, ...remembered].sort()
    await change({ https })
    expect(markers()).toEqual([])
    await install(right)
    expect(markers()).toEqual(wanted)

    await change({ https: 'hsts-subdomains' })
    expect(await change({ https })).toMatchObject({ failure: null })

    expect(markers()).toEqual(wanted)
    expect(await drift()).toEqual([])
  })

  it('never under a name that the certificate does not bear, nor under one that is no longer the site’s', async () => {
    await install(right)

    await change({ aliases: [...aliases.slice(1), 'later.example.net'] })

    expect(markers()).toEqual([first, ...aliases.slice(1)].sort())
    expect(await drift()).toEqual([])
    await install(authority.issue({ csr: request([...siteNames, 'later.example.net']) }))
    expect(markers()).toEqual([first, ...aliases.slice(1), 'later.example.net'].sort())
    await install(authority.issue({ csr: request([first]) }))
    expect(markers()).toEqual([first])
    expect(await drift()).toEqual([])
  })

  it('goes on as it was when the change fails', async () => {
    await change({ https: 'hsts-day' })
    await install(right)
    const before = markers()
    rmSync(`${site()}/own-tls/hsts-day`)
    mkdirSync(`${site()}/own-tls/hsts-day/in-the-way`, { recursive: true }) // looked at after the names

    expect((await change({ https: 'optional' })).failure).not.toBeNull()

    expect(markers()).toEqual(before)
  })

  it('leaves a site alone whose own certificate was lost', async () => {
    await install(right)
    rmSync(`${site()}/own-tls`, { recursive: true })

    expect(await change({ https: 'optional', aliases: [] })).toMatchObject({ failure: null })

    expect(existsSync(`${site()}/own-tls`)).toBe(false)
  })

  it('is seen as drift where a marker is missing', async () => {
    await install(right)
    rmSync(`${site()}/own-tls/redirect/${first}`)

    expect(await drift()).toEqual([expect.stringContaining(`redirect/${first}`)])
  })
})

describe('with its site', () => {
  beforeEach(() => install(right))

  it('it is kept in the trash, and comes back', async () => {
    await bench.run('domain.delete', { tenant, domain })
    expect(existsSync(site())).toBe(false)

    await bench.run('domain.restore', { tenant, domain })

    expect(served()).toBe(right)
    expect(await drift()).toEqual([])
  })

  it('it comes back with its tenant', async () => {
    await bench.run('tenant.delete', { tenant })
    await bench.run('tenant.restore', { tenant })

    expect(served()).toBe(right)
    expect(await drift()).toEqual([])
  })

  it('it is served while it is suspended', async () => {
    await bench.run('domain.suspend', { tenant, domain })

    expect(served()).toBe(right)
  })

  it('it is gone for good, and a new site of that name has none', async () => {
    await bench.run('domain.delete', { tenant, domain })
    passTrashDays(bench.places.agentDatabase)
    expect(await bench.run('domain.purge', { tenant, domain })).toMatchObject({ failure: null })

    expect(await bench.run('certificate.create', { tenant, certificate, domain })).toMatchObject({
      failure: { code: 'conflict' },
    })
    expect((await bench.ask({ t: 'csr', certificate })).failure?.code).toBe('not_found')
  })
})

describe('in a repair of its site', () => {
  const repair = () => bench.run('domain.repair', { tenant, domain })
  const own = (name: string) => `${site()}/own-tls/${name}`
  const manifestOf = (path: string) =>
    bench
      .manifest()
      .split('\n')
      .filter((line) => line.includes(path))

  it('is served again with the same key, in the way the site had chosen', async () => {
    await install(right)
    const before = manifestOf('own-tls')
    for (const path of [`${site()}/tls`, own('fullchain.pem'), own('redirect/shop.example.com')]) rmSync(path)
    symlinkSync('/etc', `${site()}/tls`)
    chmodSync(own('privkey.pem'), 0o644)

    expect(await repair()).toMatchObject({ failure: null })

    expect(served()).toBe(right)
    expect(manifestOf('own-tls')).toEqual(before)
    expect(await drift()).toEqual([])
  })

  it.each<[string, () => void, RegExp]>([
    [
      'is gone',
      () => rmSync(own('privkey.pem')),
      /^it is gone; no repair makes .*"wcp certificate create shop\.example\.com"/,
    ],
    [
      'is another',
      () => writeFileSync(own('privkey.pem'), newKey()),
      /another key; put the former key back; or .*renewal/,
    ],
    [
      'is no key',
      () => writeFileSync(own('privkey.pem'), 'x'),
      /in its place; take it away; .*"wcp certificate create/,
    ],
  ])(
    'whose key %s, no key is made, no certificate is taken away, and drift says what to do',
    async (_, lose, words) => {
      await install(right)
      lose()
      const before = manifestOf('tls')
      rmSync(`${site()}/docroot`)

      expect(await repair()).toMatchObject({ failure: null })

      expect(existsSync(`${site()}/docroot`)).toBe(true)
      expect(manifestOf('tls')).toEqual(before)
      const [told] = (await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport
      expect(told?.changes).toEqual([
        expect.objectContaining({
          step: expect.stringContaining('privkey.pem'),
          diff: expect.stringMatching(words),
        }),
      ])
    },
  )

  it('that the registry does not know any more, it stays', async () => {
    writeFileSync(own('fullchain.pem'), right)
    rmSync(`${site()}/tls`)
    symlinkSync('own-tls', `${site()}/tls`)

    expect(await repair()).toMatchObject({ failure: null })

    expect(served()).toBe(right)
  })

  it('of which nothing is left, the site goes without, and no key is made', async () => {
    await install(right)
    rmSync(`${site()}/own-tls`, { recursive: true })
    rmSync(`${site()}/tls`)

    expect(await repair()).toMatchObject({ failure: null })

    expect(readlinkSync(`${site()}/tls`)).toBe(bench.places.web.defaultTls)
    expect(existsSync(`${site()}/own-tls`)).toBe(false)
  })
})

it.each<[string, () => void, RegExp]>([
  ['another link', () => rmSync(`${site()}/tls`), /^link .*\/tls$/],
  ['another chain', () => writeFileSync(`${site()}/own-tls/fullchain.pem`, 'x'), /^file .*fullchain\.pem$/],
  ['a key for everybody', () => chmodSync(`${site()}/own-tls/privkey.pem`, 0o644), /^private key/],
])('is watched for drift: %s', async (_, change, step) => {
  await install(right)
  change()

  expect(await drift()).toEqual([expect.stringMatching(step)])
})

describe('what is signed for an authority', () => {
  const url = 'https://ca.example/order'
  const account = 'https://ca.example/account/1'
  const sign = async (payload: object, more: object = {}) =>
    bench.ask({ t: 'acme', request: { url, nonce: 'a-nonce', account, payload, ...more } })
  const decode = (text: string) => (text === '' ? '' : JSON.parse(Buffer.from(text, 'base64url').toString()))
  const parts = async (payload: object, more: object = {}) => {
    const { value } = await sign(payload, more)
    const jws = value as { protected: string; payload: string; signature: string }
    return { jws, header: decode(jws.protected), body: decode(jws.payload) }
  }

  it('is signed by one key, which no answer holds', async () => {
    const { jws, header } = await parts({ is: 'account', contact: null, binding: null }, { account: null })
    const key = createPublicKey({ key: header.jwk, format: 'jwk' })

    for (const { jws: one } of [{ jws }, await parts({ is: 'read' })])
      expect(
        verify(
          'sha256',
          Buffer.from(`${one.protected}.${one.payload}`),
          { key, dsaEncoding: 'ieee-p1363' },
          Buffer.from(one.signature, 'base64url'),
        ),
      ).toBe(true)
    expect(header).toEqual({
      alg: 'ES256',
      jwk: { kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String) },
      nonce: 'a-nonce',
      url,
    })
    expect(statSync(bench.places.acmeKey).mode & 0o777).toBe(0o600)
  })

  it('binds an account by the authority’s own key', async () => {
    const binding = { kid: 'kid-1', key: Buffer.from('secret').toString('base64url') }
    const { header, body } = await parts({ is: 'account', contact: 'ops@example.com', binding }, { account: null })
    const inner = body.externalAccountBinding

    expect(body).toMatchObject({ termsOfServiceAgreed: true, contact: ['mailto:ops@example.com'] })
    expect([decode(inner.protected), decode(inner.payload)]).toEqual([{ alg: 'HS256', kid: 'kid-1', url }, header.jwk])
    const mac = createHmac('sha256', 'secret').update(`${inner.protected}.${inner.payload}`).digest('base64url')
    expect(inner.signature).toBe(mac)
  })

  it('is for names of the site, and with the key that stays here', async () => {
    const [first] = siteNames
    const some = await parts({ is: 'order', certificate, names: [first], replaces: null })
    const order = await parts({ is: 'order', certificate, names: siteNames, replaces: 'a.b' })
    const { body } = await parts({ is: 'finalize', certificate, names: siteNames })
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(body.csr, 'base64url').toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
    const leaf = new X509Certificate(authority.issue({ csr: pem }))

    expect(some.body).toEqual({ identifiers: [{ type: 'dns', value: first }] })
    expect(order.body).toEqual({ identifiers: siteNames.map((value) => ({ type: 'dns', value })), replaces: 'a.b' })
    expect(leaf.subjectAltName).toBe(siteNames.map((name) => `DNS:${name}`).join(', '))
    expect(await install(authority.issue({ csr: pem }))).toMatchObject({ failure: null })
  })

  it.each(['order', 'finalize'])('is for no other name: %s', async (is) => {
    const more = is === 'order' ? { replaces: null } : {}
    const answer = await sign({ is, certificate, names: [...siteNames, 'other.example.net'], ...more })

    expect(answer.failure).toMatchObject({ code: 'conflict' })
    expect(answer.failure?.message).toContain('other.example.net is no name of')
  })

  it.each([
    ['revocation', { is: 'revoke', certificate }],
    ['for nothing', { is: 'order', certificate, names: [], replaces: null }],
    ['a request of the panel’s choice', { is: 'finalize', certificate, names: siteNames, csr: 'AAAA' }],
  ])('is not %s: such a message ends the connection', (_, payload) => {
    const request = { url, nonce: 'a-nonce', account, payload }

    expect(bench.engine.handle({ t: 'acme', ask: newId(), request })).toBe('close')
  })

  it('is nothing for a certificate that is not there, or that is no certificate', async () => {
    for (const one of [newId(), domain])
      expect((await sign({ is: 'finalize', certificate: one, names: siteNames })).failure?.code).toBe('not_found')
  })
})

describe('the proof of an authority', () => {
  const token = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA'
  const prove = (isThere: boolean, word = token) => bench.ask({ t: 'prove', token: word, isThere })
  const place = () => `${bench.places.web.challenges}/${token}`

  it('is there for everybody, bound to the account’s key, until it is withdrawn', async () => {
    expect((await prove(true)).failure).toBeNull()
    const { value } = await bench.ask({
      t: 'acme',
      request: {
        url: 'https://ca.example/',
        nonce: 'n',
        account: null,
        payload: { is: 'account', contact: null, binding: null },
      },
    })
    const { jwk } = JSON.parse(Buffer.from((value as { protected: string }).protected, 'base64url').toString())
    const canonical = JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y })
    const thumbprint = createHash('sha256').update(canonical).digest('base64url')

    expect(readFileSync(place(), 'utf8')).toBe(`${token}.${thumbprint}`)
    expect(statSync(place()).mode & 0o777).toBe(0o644)
    await prove(false)
    expect(existsSync(place())).toBe(false)
  })

  it('leaves nothing of an earlier start', async () => {
    await prove(true)
    await bench.engine.close()
    await bench.start()

    await prove(true, `${token}-2`)

    expect(readdirSync(bench.places.web.challenges)).toEqual([`${token}-2`])
  })

  it.each(['../../etc/passwd-of-somebody', 'a/b'.repeat(8), 'short', `${token}.`, ''])('is no path: %s', (word) => {
    expect(bench.engine.handle({ t: 'prove', ask: newId(), token: word, isThere: true })).toBe('close')
  })
})
