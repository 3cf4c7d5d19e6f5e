import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { securityHeaders } from '../../src/panel/http/headers.ts'
import { ask, askRaw, type Browser } from './support/client.ts'
import { password, type TestPanel, testPanel } from './support/test-panel.ts'

let test: TestPanel
let admin: Browser
let host: string

beforeAll(async () => {
  test = await testPanel({ config: 'base_url: https://panel.example.com:8360' })
  host = `127.0.0.1:${test.panel.port}`
  admin = await test.administrator('admin@example.com')
})

afterAll(() => test.stop())

const get = (path: string, headers: Record<string, string> = {}) => ask({ port: test.panel.port }, { path, headers })

describe('every answer', () => {
  it.each(['/', '/login', '/api/v1/tenants', '/nowhere', '/healthz', '/boom', '/%00', '/%zz'])(
    'carries the security headers: %s',
    async (path) => {
      const { headers } = await get(path)

      expect(headers).toMatchObject(securityHeaders)
      expect(headers['cache-control']).toBe('no-store')
      expect(headers.server).toBeUndefined()
      expect(headers['x-powered-by']).toBeUndefined()
    },
  )

  it('carries them also when it was no request', async () => {
    const answer = await askRaw(test.panel.port, 'HELLO\r\n\r\n')

    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    expect(answer).toContain("script-src 'none'")
    expect(answer).toContain('application/problem+json')
  })

  it('names the request in a header and in the problem', async () => {
    const answer = await get('/api/v1/nowhere')

    expect(answer.json().instance).toBe(`urn:wcp360:request:${answer.headers['x-request-id']}`)
  })

  it('tells nothing of an unexpected error, and logs it', async () => {
    const page = await get('/boom', { accept: 'text/html' })

    expect(page.status).toBe(500)
    expect(page.text).toBe('<h1>500 internal</h1>')
    expect(test.log).toContainEqual(expect.objectContaining({ level: 50, msg: 'a request failed', path: '/boom' }))
  })
})

describe('the host of a request', () => {
  it.each(['panel.example.com:8360', 'panel.example.com', 'PANEL.EXAMPLE.COM', 'localhost:8360', '127.0.0.1'])(
    'may be %s',
    async (name) => {
      expect((await get('/healthz', { host: name })).status).toBe(200)
    },
  )

  it.each(['evil.example', 'panel.example.com.evil.example', 'panel.example.com@evil.example', '192.0.2.1', 'a b'])(
    'may not be %s',
    async (name) => {
      const answer = await get('/healthz', { host: name })

      expect(answer.status).toBe(421)
      expect(answer.text).not.toContain(name)
    },
  )

  it.each([
    ['no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['two hosts', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n', 400],
    [
      'an absolute target',
      'GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      400,
    ],
    ['a fragment', 'GET /healthz#?a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 400],
  ])('is refused when there is %s', async (_, bytes, status) => {
    expect(await askRaw(test.panel.port, bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })

  it('is never taken from a forwarding header', async () => {
    const headers = {
      'x-forwarded-host': 'panel.example.com',
      forwarded: 'host=panel.example.com',
      host: 'evil.example',
    }

    expect((await get('/healthz', headers)).status).toBe(421)
  })
})

describe('requests that want too much', () => {
  it.each([
    ['a header of 20 KiB', `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'both lengths',
      'POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a line break in a header', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\nb: c\x00\r\n\r\n', 400],
  ])('are refused: %s', async (_, bytes, status) => {
    expect(await askRaw(test.panel.port, bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })

  it('refuses a form above 64 KiB and a JSON body above 256 KiB', async () => {
    const form = await admin.form('/echo', { a: 'x'.repeat(66_000) })
    const json = await admin.call('POST', '/api/v1/packages', { name: 'x'.repeat(270_000) })

    expect([form.status, json.status]).toEqual([413, 413])
  })

  it('refuses a path parameter without end', async () => {
    expect((await admin.call('GET', `/api/v1/tenants/${'a'.repeat(300)}`)).status).toBe(404)
  })
})

describe('methods', () => {
  it('answers OPTIONS with what there is', async () => {
    const answer = await ask({ port: test.panel.port }, { method: 'OPTIONS', path: '/api/v1/tenants' })

    expect(answer.status).toBe(204)
    expect(answer.headers.allow).toBe('GET, HEAD, OPTIONS, POST')
  })

  it('answers HEAD like GET, without a body', async () => {
    const answer = await admin.ask({ method: 'HEAD', path: '/api/v1/tenants' })

    expect(answer.status).toBe(200)
    expect(answer.text).toBe('')
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
  })

  it.each(['PUT', 'DELETE', 'PATCH'])('answers %s with 405 where it means nothing', async (method) => {
    const answer = await ask({ port: test.panel.port }, { method, path: '/api/v1/tenants' })

    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET, HEAD, OPTIONS, POST')
    expect(answer.json().code).toBe('wrong_method')
  })

  it('does not let a field or header stand for a method', async () => {
    const tunnelled = await admin.ask({
      method: 'POST',
      path: '/api/v1/tenants/acme?_method=DELETE',
      headers: { 'x-http-method-override': 'DELETE' },
    })

    expect(tunnelled.status).toBe(405)
  })
})

describe('a form of another site', () => {
  const origin = () => `http://${host}`

  it.each([
    ['the browser says same-origin', () => ({ 'sec-fetch-site': 'same-origin' }), 200],
    ['an old browser names this origin', () => ({ origin: origin() }), 200],
    ['nothing is said', () => ({}), 403],
    ['the origin is null', () => ({ origin: 'null' }), 403],
    ['a sibling subdomain', () => ({ 'sec-fetch-site': 'same-site', origin: 'http://shop.example.com' }), 403],
    ['another port', () => ({ origin: 'http://127.0.0.1:1' }), 403],
    ['another site', () => ({ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }), 403],
    ['an address typed by hand', () => ({ 'sec-fetch-site': 'none' }), 403],
  ])('is told from our own: %s', async (_, headers, status) => {
    const body = new URLSearchParams({ _csrf: await admin.token(), a: '1' }).toString()

    const answer = await admin.ask({
      method: 'POST',
      path: '/echo',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers() },
    })

    expect(answer.status).toBe(status)
  })

  it('takes the token out before the page sees the form', async () => {
    expect((await admin.form('/echo', { a: '1' })).text).toBe('{"a":"1"}')
  })

  it.each(['', 'x', 'eA'])('is refused with the token %j', async (token) => {
    expect((await admin.form('/echo', { _csrf: token })).status).toBe(403)
  })

  it('is refused with the token of another visitor', async () => {
    const stranger = await test.browser().token()

    expect((await admin.form('/echo', { _csrf: stranger })).status).toBe(403)
  })

  it('cannot sign anybody in without the token of the login form', async () => {
    const body = new URLSearchParams({ email: 'admin@example.com', password }).toString()
    const visitor = test.browser()

    const answer = await visitor.ask({
      method: 'POST',
      path: '/login',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    })

    expect(answer.status).toBe(403)
    expect(visitor.cookie).toBeNull()
  })

  it('cannot sign anybody out', async () => {
    expect((await admin.form('/logout', {}, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await admin.ask({ path: '/' })).status).toBe(200)
  })

  it.each(['text/plain', 'multipart/form-data; boundary=x', 'application/json'])('is not read as %s', async (type) => {
    const answer = await admin.form('/echo', { a: '1' }, { 'content-type': type })

    expect(answer.status).toBeGreaterThanOrEqual(400)
  })

  it.each(['__proto__=1', 'constructor=1', 'a=1&prototype=2'])('may not hold %s', async (field) => {
    const body = `${new URLSearchParams({ _csrf: await admin.token() })}&${field}`
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }

    expect((await admin.ask({ method: 'POST', path: '/echo', body, headers })).status).toBe(400)
  })
})

describe('an address that is written another way', () => {
  it.each(['/%61pi/v1/tenants', '/api/v1/%74enants', '/%61%70%69/v1/tenants'])('means the same: %s', async (path) => {
    const foreign = { 'sec-fetch-site': 'cross-site' }

    expect((await admin.ask({ path })).headers['ratelimit-policy']).toContain('"reads"')
    expect((await admin.ask({ path, headers: foreign })).status).toBe(401)
    expect((await ask({ port: test.panel.port }, { path, headers: { accept: 'text/html' } })).status).toBe(401)
    expect((await ask({ port: test.panel.port }, { method: 'PUT', path })).status).toBe(405)
  })

  it('takes the token of a call where a call is, and that of a form where a form is', async () => {
    const headers = { 'x-csrf-token': await admin.token(), 'sec-fetch-site': 'same-origin' }

    const answer = await admin.ask({ method: 'POST', path: '/%61pi/v1/packages', headers, body: { name: 'encoded' } })

    expect(answer.status).toBe(201)
  })

  it('keeps the secret of a link out of the log', async () => {
    await admin.ask({ path: '/%6Cink/secret-of-a-link' })
    await admin.ask({ path: '/%6Cink/secret-of-a-link/and-more' })

    expect(JSON.stringify(test.log)).not.toContain('secret-of-a-link')
  })

  it('reads all behind the first question mark as one query', async () => {
    expect((await admin.ask({ path: '/api/v1/tenants?search=a?limit=1' })).status).toBe(200)
    expect((await admin.ask({ path: '/api/v1/tenants?limit=1?search=a' })).status).toBe(422)
  })
})

describe('the REST interface with a session cookie', () => {
  it('reads with the cookie alone, unless another site asks', async () => {
    expect((await admin.ask({ path: '/api/v1/tenants' })).status).toBe(200)
    expect((await admin.ask({ path: '/api/v1/tenants', headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(401)
    expect((await admin.ask({ path: '/api/v1/tenants', headers: { 'sec-fetch-site': 'same-site' } })).status).toBe(401)
  })

  it.each([
    ['neither', {}],
    ['the token alone', { token: true }],
    ['the origin alone', { 'sec-fetch-site': 'same-origin' }],
  ])('does not change anything with %s', async (_, { token, ...headers }: Record<string, unknown>) => {
    const own = token ? { 'x-csrf-token': await admin.token() } : {}

    const answer = await admin.ask({
      method: 'POST',
      path: '/api/v1/packages',
      body: { name: 'forged' },
      headers: { ...own, ...(headers as Record<string, string>) },
    })

    expect(answer.status).toBe(403)
    expect((await test.root('GET', '/api/v1/packages/forged')).status).toBe(404)
  })

  it('writes one audit entry for a forged change', async () => {
    await admin.ask({ method: 'DELETE', path: '/api/v1/packages/forged' })

    const { items } = (await test.root('GET', '/api/v1/audit?action=package.delete')).json()
    expect(items).toMatchObject([{ outcome: 'refused', actor: 'admin@example.com', metadata: { code: 'forbidden' } }])
  })

  it('changes with both', async () => {
    expect((await admin.call('POST', '/api/v1/packages', { name: 'genuine' })).status).toBe(201)
  })

  it('gives TCP and the private socket the same answer', async () => {
    for (const path of ['/api/v1/packages', '/api/v1/packages/genuine', '/api/v1/packages/none', '/api/v1/settings']) {
      const [tcp, local] = [await admin.call('GET', path), await test.root('GET', path)]
      const [one, other] = [tcp.json(), local.json()].map(({ instance: _, ...rest }) => rest)

      expect({ status: local.status, type: local.headers['content-type'], body: other }).toEqual({
        status: tcp.status,
        type: tcp.headers['content-type'],
        body: one,
      })
    }
  })
})

describe('the private socket', () => {
  it('serves no pages', async () => {
    expect((await test.root('GET', '/login')).status).toBe(404)
  })
})

describe('the address to go to after signing in', () => {
  it.each([
    ['/next', '/next'],
    ['/next?x=1', '/next?x=1'],
    ['/', '/'],
    ['/nowhere', '/'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example/', '/'],
    ['/sessions\r\nSet-Cookie: a=b', '/'],
    ['/api/v1/tenants', '/'],
    ['javascript:alert(1)', '/'],
  ])('%s leads to %s', async (asked, leads) => {
    expect((await get(`/next?to=${encodeURIComponent(asked)}`)).text).toBe(leads)
  })
})
