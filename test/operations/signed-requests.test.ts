/** Requests that are signed with a key instead of bringing it. */
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createServer } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { contentDigest, signatureBase } from '../../src/lib/http-signature.ts'
import { localCertificate } from '../support/local-certificate.ts'
import { type Answer, ask, askRaw } from './support/client.ts'
import { openShell, type Shell } from './support/shell.ts'
import { password, type TestPanel, testPanel, until } from './support/test-panel.ts'

const email = 'ann@example.com'
let test: TestPanel
let key: string
let nonces = 0

beforeAll(async () => {
  test = await testPanel()
  await test.root('POST', '/api/v1/packages', { name: 'basic' })
  await test.root('POST', '/api/v1/users', { email, password, role: 'system_admin' })
  key = await newKey('signer', { signed: true })
  // For its first seconds a panel cannot know what was let through before.
  await until(async () => (await send({})).status === 200)
})

afterAll(() => test.stop())

async function newKey(name: string, more: object): Promise<string> {
  const scopes = ['package.list', 'package.create']
  const answer = await test.root('POST', `/api/v1/users/${email}/api-keys`, { name, scopes, ...more })
  return String(answer.json().token)
}

interface Signing {
  readonly method?: string
  readonly path?: string
  readonly body?: string
  readonly secret?: string
  readonly created?: number
  readonly nonce?: string
  readonly components?: readonly string[]
  /** What is sent differs from what was signed. */
  readonly sent?: {
    readonly method?: string
    readonly path?: string
    readonly body?: string
    readonly headers?: Record<string, string>
  }
}

/** Signs and sends as a program would. */
function send(signing: Signing): Promise<Answer> {
  const { method = 'GET', path = '/api/v1/packages?limit=5', body, secret = key, sent = {} } = signing
  const { created = Math.floor(Date.now() / 1000), nonce = `n${++nonces}` } = signing
  const components = signing.components ?? [
    ...['@method', '@authority', '@path', '@query'],
    ...(body === undefined ? [] : ['content-digest']),
  ]
  const [target = '', query = ''] = path.split('?')
  const digest: Record<string, string> =
    body === undefined ? {} : { 'content-digest': contentDigest(Buffer.from(body)) }
  const values = new Map([
    ['@method', method],
    ['@authority', `127.0.0.1:${test.panel.port}`],
    ['@path', target],
    ['@query', `?${query}`],
    ...Object.entries(digest),
  ])
  const list = components.map((one) => `"${one}"`).join(' ')
  const parameters = `(${list});created=${created};nonce="${nonce}";keyid="${secret.slice(0, 14)}"`
  const signature = createHmac('sha256', secret)
    .update(signatureBase(components, values, parameters))
    .digest('base64')
  const headers = {
    ...digest,
    ...(body !== undefined && { 'content-type': 'application/json' }),
    'signature-input': `sig=${parameters}`,
    signature: `sig=:${signature}:`,
  }
  const content = sent.body ?? body
  return ask(
    { port: test.panel.port },
    {
      method: sent.method ?? method,
      path: sent.path ?? path,
      headers: { ...headers, ...sent.headers },
      ...(content !== undefined && { body: content }),
    },
  )
}

const statusOf = async (signing: Signing) => (await send(signing)).status
const body = (name: string) => JSON.stringify({ name })

describe('a signed request', () => {
  it('does what its key is for, and nothing else', async () => {
    const created = await send({ method: 'POST', path: '/api/v1/packages', body: body('signed') })

    expect([created.status, await statusOf({})]).toEqual([201, 200])
    expect(await statusOf({ path: '/api/v1/users' })).toBe(403)
    expect(created.headers['set-cookie']).toBeUndefined()
  })

  it('comes from an address that its key is for', async () => {
    const here = await newKey('here', { signed: true, addresses: ['127.0.0.0/8'] })
    const elsewhere = await newKey('elsewhere', { signed: true, addresses: ['203.0.113.0/24', '2001:db8::/32'] })

    expect([await statusOf({ secret: here }), await statusOf({ secret: elsewhere })]).toEqual([200, 401])
  })

  it('counts once', async () => {
    const nonce = 'the same again'
    const post = { method: 'POST', path: '/api/v1/packages', body: body('once'), nonce }
    expect(await statusOf(post)).toBe(201)

    expect(await statusOf(post)).toBe(401)
    expect(await statusOf({ nonce })).toBe(401)
    const answers = await Promise.all(Array.from({ length: 20 }, () => statusOf({ nonce: 'twenty at once' })))
    expect(answers.filter((status) => status === 200)).toHaveLength(1)
  })

  it('counts for five minutes', async () => {
    const now = Math.floor(Date.now() / 1000)

    expect([await statusOf({ created: now - 301 }), await statusOf({ created: now + 60 })]).toEqual([401, 401])
  })

  it.each<[string, Signing]>([
    ['another method', { sent: { method: 'DELETE' } }],
    ['another path', { sent: { path: '/api/v1/packages/basic?limit=5' } }],
    ['another query', { sent: { path: '/api/v1/packages?limit=6' } }],
    ['no query', { sent: { path: '/api/v1/packages' } }],
    ['another host', { sent: { headers: { host: 'localhost' } } }],
    ['another secret', { secret: `${'wcp_0000000000'}${'0'.repeat(47)}` }],
    ['another signature', { sent: { headers: { signature: `sig=:${'A'.repeat(43)}=:` } } }],
    ['no signature', { sent: { headers: { signature: '' } } }],
    ['no moment and nonce', { sent: { headers: { 'signature-input': 'sig=("@method");keyid="k"' } } }],
    ['without the method', { components: ['@authority', '@path', '@query'] }],
    ['without the path', { components: ['@method', '@authority', '@query'] }],
    ['without the query', { components: ['@method', '@authority', '@path'] }],
    ['without the host', { components: ['@method', '@path', '@query'] }],
    ['with what is no part of a request', { components: ['@method', '@authority', '@path', '@query', '@status'] }],
  ])('is refused: %s', async (_, signing) => {
    expect(await statusOf(signing)).toBe(401)
  })

  it('brings the body that was signed', async () => {
    const post = { method: 'POST', path: '/api/v1/packages', body: body('as-signed') }
    const parts = ['@method', '@authority', '@path', '@query']

    expect(await statusOf({ ...post, sent: { body: body('exchanged') } })).toBe(400)
    expect(await statusOf({ ...post, components: parts })).toBe(401)
    const digest = contentDigest(Buffer.from(body('exchanged')))
    expect(await statusOf({ ...post, sent: { body: body('exchanged'), headers: { 'content-digest': digest } } })).toBe(
      401,
    )
    const { text } = await test.root('GET', '/api/v1/packages?limit=200')
    expect(text).not.toMatch(/as-signed|exchanged/)
  })
})

describe('a key that signs', () => {
  it('is never taken as a bearer token, and a bearer token does not sign', async () => {
    const bearer = await newKey('bearer', {})
    const by = (token: string) =>
      ask({ port: test.panel.port }, { path: '/api/v1/packages', headers: { authorization: `Bearer ${token}` } })

    expect([(await by(key)).status, (await by(bearer)).status]).toEqual([401, 200])
    expect(await statusOf({ secret: bearer })).toBe(401)
  })

  it('is kept sealed', async () => {
    const rows = JSON.stringify(await test.panel.db.selectFrom('api_keys').selectAll().execute())

    expect(rows).not.toContain(key.slice(14))
    expect(rows).toContain('v1.')
  })

  it('ends when it is revoked', async () => {
    const secret = await newKey('short', { signed: true })
    expect(await statusOf({ secret })).toBe(200)
    const { items } = (await test.root('GET', `/api/v1/api-keys?user=${email}`)).json()
    const id = items?.find(({ name }) => name === 'short')?.id

    await test.root('DELETE', `/api/v1/api-keys/${id}`)

    expect(await statusOf({ secret })).toBe(401)
  })
})

describe('wcp with a key that signs', () => {
  /** Between `wcp` and the panel: reads along what comes, and may bend it. */
  const wire = { sent: '', bend: (request: string) => request }
  const { cert, key: tlsKey } = localCertificate()
  const proxy = createServer({ cert, key: tlsKey }, (client) => {
    const panel = connect(test.panel.port, '127.0.0.1')
    client.on('data', (chunk) => {
      const request = wire.bend(chunk.toString())
      wire.sent += request
      panel.write(request)
    })
    panel.pipe(client)
    for (const socket of [client, panel]) socket.on('error', () => {})
    client.on('close', () => panel.destroy())
  })
  let port: number
  let file: string
  const shells: Shell[] = []
  const shell = async (more: { key?: string; signingKey?: string } = {}) => {
    const opened = await openShell({ port, certificate: cert, ...more })
    shells.push(opened)
    return opened
  }

  beforeAll(async () => {
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    port = (proxy.address() as AddressInfo).port
    file = join(await mkdtemp(join(tmpdir(), 'wcp-key-')), 'key')
  })
  beforeEach(() => Object.assign(wire, { sent: '', bend: (request: string) => request }))
  afterAll(() => {
    for (const opened of shells) opened.remove()
    rmSync(dirname(file), { recursive: true })
    proxy.close()
  })

  it('does what the key is for, and the key never crosses the wire', async () => {
    const { wcp } = await shell({ signingKey: key })

    const listed = await wcp(['package', 'list', '--limit', '5', '--json'])
    const made = await wcp(['package', 'create', 'by-wcp'])
    const refused = await wcp(['tenant', 'list'])

    expect(JSON.parse(listed.out).items[0]).toMatchObject({ name: expect.any(String) })
    expect([listed.exit, made.exit, refused.exit]).toEqual([0, 0, 4])
    expect(wire.sent).toContain(`keyid="${key.slice(0, 14)}"`)
    expect(wire.sent).not.toContain(key.slice(14))
    expect(wire.sent.toLowerCase()).not.toContain('authorization:')
  })

  it('cannot be repeated by who reads along', async () => {
    const { wcp } = await shell({ signingKey: key })
    expect((await wcp(['package', 'create', 'once-only'])).exit).toBe(0)

    const again = await askRaw(test.panel.port, wire.sent)

    expect(again).toMatch(/^HTTP\/1\.1 401 /)
    expect((await test.root('GET', '/api/v1/packages?search=once-only')).json().items).toHaveLength(1)
  })

  it.each<[string, number, (request: string) => string]>([
    ['another body', 2, (request) => request.replace('"name":"as-signed"', '"name":"exchanged"')],
    [
      'another body with its digest',
      3,
      (request) =>
        request
          .replace('"name":"as-signed"', '"name":"exchanged"')
          .replace(/content-digest: .*/, `content-digest: ${contentDigest(Buffer.from('{"name":"exchanged"}'))}`),
    ],
    ['another path', 3, (request) => request.replace('/packages', '/package%73')],
  ])('is refused with %s', async (_, exit, bend) => {
    const { wcp } = await shell({ signingKey: key })
    wire.bend = bend

    const ended = await wcp(['package', 'create', 'as-signed'])

    expect([ended.exit, ended.err]).toEqual([exit, expect.stringContaining('Cannot')])
    expect((await test.root('GET', '/api/v1/packages?limit=200')).text).not.toMatch(/as-signed|exchanged/)
  })

  it('keeps the key of a login for its owner alone, until the logout', async () => {
    const me = await shell()
    const { wcp } = me
    await writeFile(file, `${key}\n`)

    const login = await wcp(['login', '--key-file', file, '--sign'])
    const listed = await wcp(['package', 'list'])
    const out = await wcp(['logout'])
    const after = await wcp(['package', 'list'])

    expect(login).toMatchObject({ exit: 0, out: expect.stringContaining('by an API key that signs') })
    expect([listed.exit, out.exit, after.exit]).toEqual([0, 0, 3])
    expect(wire.sent).not.toContain(key.slice(14))
    expect(me.kept).toMatchObject({ session: null, key: null })
  })

  it('says what is wrong with a key, and keeps none that is not taken', async () => {
    const me = await shell()
    const { wcp } = me
    const logIn = async (text: string, ...words: string[]) => {
      await writeFile(file, text)
      return await wcp(['login', '--key-file', file, ...words])
    }

    const unsigned = await logIn(await newKey('sent', {}), '--sign')
    const sent = await logIn(key)
    const broken = await logIn(`${key}x`, '--sign')
    const named = await wcp(['login', email, '--key-file', file])
    const missing = await wcp(['login', '--key-file', `${file}.nothing`])
    const keyless = await wcp(['login', '--sign'])
    const both = await (await shell({ key, signingKey: key })).wcp(['package', 'list'])

    expect([unsigned, sent].map(({ exit }) => exit)).toEqual([3, 3])
    expect([broken, named, missing, keyless, both].map(({ exit }) => exit)).toEqual(Array(5).fill(2))
    expect(me.kept.key).toBeNull()
  })
})
