/** Names and addresses in whatever way people write them, and changes that change nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RegisterPages } from '../../src/panel/http/types.ts'
import { registerPages } from '../../src/panel/pages/register-pages.ts'
import type { Browser } from './support/client.ts'
import { password, type TestPanel, testPanel, until } from './support/test-panel.ts'

const pages: RegisterPages = async (app, deps) => {
  app.get('/assets/token', { config: { access: 'public' } }, async (request, reply) =>
    deps.auth.formToken(request, reply),
  )
  return await registerPages(app, deps)
}

const site = 'xn--mnchen-3ya.example.com'
let test: TestPanel
let admin: Browser

beforeAll(async () => {
  test = await testPanel({ registerPages: pages })
  admin = await test.administrator('admin@example.com')
  await test.root('POST', '/api/v1/packages', { name: 'basic' })
  await test.root('POST', '/api/v1/tenants', { name: 'bakery' })
  await settled()
  await test.root('POST', '/api/v1/domains', {
    tenant: 'bakery',
    fqdn: 'MÜNCHEN.example.com',
    aliases: ['www.münchen.example.com'],
  })
  await settled()
})

afterAll(() => test.stop())

async function settled(): Promise<void> {
  await until(async () => {
    const { items = [] } = (await test.root('GET', '/api/v1/jobs')).json()
    return items.every(({ state }) => state === 'succeeded')
  })
}

const page = async (path: string) => (await admin.ask({ path, headers: { accept: 'text/html' } })).text
const shown = `\u2068münchen.example.com\u2069 (${site})`

describe('a domain with a name in Unicode', () => {
  it('is shown with both writings in the list, on its page and in the title', async () => {
    const own = await page(`/domains/${site}`)

    expect(await page('/domains')).toContain(shown)
    expect(/<title>([^<]*)/.exec(own)?.[1]).toContain(shown)
    expect(/<h1[^>]*>([\s\S]*?)<\/h1>/.exec(own)?.[1]).toContain(shown)
    expect(own).toContain(`\u2068www.münchen.example.com\u2069 (www.${site})`)
  })
})

describe('an e-mail address', () => {
  it('may have every domain that a site may have, in every writing', async () => {
    const make = (email: string) => test.root('POST', '/api/v1/users', { email, password, role: 'system_admin' })

    expect((await make('x@example.xn--p1ai')).status).toBe(201)
    expect((await make('X@EXAMPLE.рф')).status).toBe(409)
    expect((await test.browser().signIn('x@example.рф', password)).status).toBe(303)
  })

  it.each([
    'x@münchen',
    'x@xn--a.example',
    '.x@example.com',
    'x..y@example.com',
    'x@y@example.com',
    'x@1.2.3.4',
    'ü@example.com',
    `${'x'.repeat(65)}@example.com`,
  ])('cannot be %s', async (email) => {
    const { status } = await test.root('POST', '/api/v1/users', { email, password, role: 'system_admin' })

    expect(status).toBe(422)
  })
})

describe('a change that changes nothing', () => {
  it.each([
    ['domain', {}],
    ['domain', { aliases: ['WWW.münchen.example.com'] }],
    ['domain', { aliases: [`www.${site}`, `www.${site}`], php: '8.4' }],
    ['tenant', {}],
    ['tenant', { package: 'basic' }],
  ] as const)('of a %s has no job: %j', async (kind, change) => {
    const answer = await test.root('PATCH', `/api/v1/${kind}s/${kind === 'domain' ? site : 'bakery'}`, change)

    expect(answer.status).toBe(200)
    expect(answer.json().jobId).toBeNull()
  })

  it('has one as soon as something differs', async () => {
    const answer = await test.root('PATCH', `/api/v1/domains/${site}`, { aliases: [] })
    await settled()

    expect(answer.status).toBe(202)
  })
})

describe('the addresses of an API key', () => {
  const make = (name: string, addresses: readonly string[]) =>
    test.root('POST', '/api/v1/users/admin@example.com/api-keys', { name, scopes: ['tenant.list'], addresses })

  it('are kept in their one writing, each once', async () => {
    const made = await make('canonical', ['2001:DB8::/32', '2001:db8:0:0::/32', '::ffff:10.1.2.3', '10.1.2.3/32'])
    const key = await test.root('GET', `/api/v1/api-keys/${made.json().id}`)

    expect(key.json().addresses).toEqual(['2001:db8::/32', '10.1.2.3'])
  })

  it('are refused where they name an address and a range at once, with the range', async () => {
    const refused = await make('ambiguous', ['10.0.0.5/8'])

    expect(refused.status).toBe(422)
    expect(refused.json().fields).toMatchObject([
      { field: 'addresses.0', problem: expect.stringContaining('10.0.0.0/8') },
    ])
  })
})
