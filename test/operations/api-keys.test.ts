import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Answer, ask, type Browser } from './support/client.ts'
import { password, type TestPanel, testPanel, until } from './support/test-panel.ts'

let test: TestPanel
let admin: Browser
let made = 0

beforeAll(async () => {
  test = await testPanel()
  const make = async (path: string, body: unknown) =>
    expect((await test.root('POST', `/api/v1/${path}`, body)).status).toBeLessThan(300)
  await make('packages', { name: 'basic' })
  await make('tenants', { name: 'bakery' })
  await make('tenants', { name: 'butcher' })
  await make('users', { email: 'admin@example.com', password, role: 'system_admin' })
  await make('users', { email: 'baker@example.com', password, role: 'user', tenant: 'bakery' })
  await make('users', { email: 'butcher@example.com', password, role: 'user', tenant: 'butcher' })
  await until(async () => (await test.root('GET', '/api/v1/jobs?state=succeeded')).json().items?.length === 2)
})

afterAll(() => test.stop())

beforeEach(async () => {
  admin = await signedIn('admin@example.com')
})

async function signedIn(email: string): Promise<Browser> {
  const browser = test.browser()
  expect((await browser.signIn(email, password)).status).toBe(303)
  return browser
}

interface Key {
  readonly id: string
  readonly token: string
  readonly name: string
}

async function keyOf(email: string, scopes: readonly string[], more: object = {}): Promise<Key> {
  const name = `key${++made}`
  const browser = await signedIn(email)
  const answer = await browser.call('POST', `/api/v1/users/${email}/api-keys`, { name, scopes, ...more })
  expect(answer.text).toContain('wcp_')
  return { name, ...(answer.json() as { id: string; token: string }) }
}

function by(
  key: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const authorization = `Bearer ${key}`
  return ask(
    { port: test.panel.port },
    { method, path, headers: { authorization, ...headers }, ...(body !== undefined && { body }) },
  )
}

const refused = (answer: Answer) => answer.text.replace(/urn:wcp360:request:[\w-]+/, '')
const revoke = (id: string) => admin.call('DELETE', `/api/v1/api-keys/${id}`)

describe('an API key', () => {
  it('does what it names, without cookie and form token', async () => {
    const { token } = await keyOf('baker@example.com', ['domain.list', 'domain.create'])

    const created = await by(token, 'POST', '/api/v1/domains', { tenant: 'bakery', fqdn: 'by-key.example.com' })
    const listed = await by(token, 'GET', '/api/v1/domains')

    expect([created.status, listed.status]).toEqual([201, 200])
    expect(listed.json().items).toMatchObject([{ fqdn: 'by-key.example.com', status: 'unverified' }])
    expect(listed.headers['set-cookie']).toBeUndefined()
  })

  it('does nothing else that its owner may, and what it does not name is refused by name', async () => {
    const { token } = await keyOf('admin@example.com', ['domain.list'])

    const answer = await by(token, 'GET', '/api/v1/tenants')

    expect([answer.status, answer.json().code]).toEqual([403, 'forbidden'])
    expect(answer.text).toContain('tenant.list')
  })

  it('reaches what its owner reaches and no further', async () => {
    const { token } = await keyOf('butcher@example.com', ['tenant.get', 'tenant.list'])

    expect((await by(token, 'GET', '/api/v1/tenants/butcher')).status).toBe(200)
    expect((await by(token, 'GET', '/api/v1/tenants/bakery')).status).toBe(404)
    expect((await by(token, 'GET', '/api/v1/tenants')).text).not.toContain('bakery')
  })

  it('is shown once, and kept as a digest', async () => {
    const { id, token } = await keyOf('admin@example.com', ['domain.list'])

    const seen = [
      (await admin.call('GET', `/api/v1/api-keys/${id}`)).text,
      (await admin.call('GET', '/api/v1/api-keys')).text,
      (await test.root('GET', '/api/v1/audit?limit=200')).text,
      JSON.stringify(await test.panel.db.selectFrom('api_keys').selectAll().execute()),
      JSON.stringify(test.log),
    ]

    for (const text of seen) expect(text).not.toContain(token.slice(15))
    expect(seen[0]).toContain(token.slice(0, 14))
  })

  it('says in the audit trail by which key its owner did what', async () => {
    const { id, token } = await keyOf('baker@example.com', ['domain.list', 'domain.suspend'])

    await by(token, 'POST', '/api/v1/domains/nowhere.example.com/suspend')
    await by(token, 'GET', '/api/v1/tenants')

    const { items } = (await test.root('GET', '/api/v1/audit?actor=baker@example.com&limit=2')).json()
    expect(items).toMatchObject([
      { action: 'tenant.list', outcome: 'refused', metadata: { code: 'forbidden', key: id } },
      { action: 'domain.suspend', outcome: 'refused', metadata: { code: 'not_found', key: id } },
    ])
  })

  it('tells when it was last used, to the minute', async () => {
    const { id, token } = await keyOf('admin@example.com', ['domain.list'])
    expect((await admin.call('GET', `/api/v1/api-keys/${id}`)).json().lastUsedAt).toBeNull()

    await by(token, 'GET', '/api/v1/domains')

    const lastUsedAt = String((await admin.call('GET', `/api/v1/api-keys/${id}`)).json().lastUsedAt)
    expect(Date.now() - Date.parse(lastUsedAt)).toBeLessThan(60_000)
  })
})

describe('what decides who may do what', () => {
  it.each([
    'api-key.create',
    'api-key.revoke',
    'api-key.restore',
    'user.update',
    'user.impersonate',
    'totp.create',
    'role.grant',
    'session.revoke',
  ])('is not for keys: %s', async (scope) => {
    const answer = await admin.call('POST', '/api/v1/users/admin@example.com/api-keys', {
      name: 'greedy',
      scopes: [scope],
    })

    expect([answer.status, answer.json().fields]).toEqual([
      422,
      [
        {
          field: 'scopes.0',
          problem: `"${scope}" is not for keys`,
          accepted: 'operations that change no account and no right',
        },
      ],
    ])
  })

  it('is refused to a key also when the store names it', async () => {
    const { id, token } = await keyOf('admin@example.com', ['domain.list'])
    const scopes = JSON.stringify(['api-key.create', 'user.update', 'user.impersonate', 'api-key.revoke'])
    await test.panel.db.updateTable('api_keys').set({ scopes }).where('id', '=', id).execute()
    const user = '/api/v1/users/admin@example.com'

    const answers = [
      await by(token, 'POST', `${user}/api-keys`, { name: 'child', scopes: ['domain.list'] }),
      await by(token, 'PATCH', user, { password: 'another long password' }),
      await by(token, 'POST', '/api/v1/users/baker@example.com/impersonate'),
      await by(token, 'DELETE', `/api/v1/api-keys/${id}`),
    ]

    for (const answer of answers)
      expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('with an API key')])
  })
})

describe('making a key', () => {
  const make = (browser: Browser, more: object) =>
    browser.call('POST', '/api/v1/users/baker@example.com/api-keys', {
      name: 'deploy',
      scopes: ['domain.list'],
      ...more,
    })

  it('needs a fresh proof', async () => {
    const baker = await signedIn('baker@example.com')
    await test.panel.db.updateTable('sessions').set({ confirmed_at: '2020-01-01T00:00:00.000Z' }).execute()

    const answer = await make(baker, {})

    expect([answer.status, answer.json().code]).toEqual([403, 'step_up_needed'])
  })

  it.each([
    [{ scopes: ['tenant.create'] }, 'scopes.0'],
    [{ scopes: ['nothing.there'] }, 'scopes.0'],
    [{ scopes: [] }, 'scopes'],
    [{ addresses: ['203.0.113.0/33'] }, 'addresses.0'],
    [{ addresses: ['example.com'] }, 'addresses.0'],
    [{ days: 0 }, 'days'],
    [{ days: 731 }, 'days'],
    [{ name: 'Deploy' }, 'name'],
  ])('refuses %j by the name of the field', async (more, field) => {
    const answer = await make(await signedIn('baker@example.com'), more)

    expect([answer.status, answer.json().fields?.map((one) => one.field)]).toEqual([422, [field]])
  })

  it('is for the owner of the account, and for root', async () => {
    expect((await make(admin, {})).status).toBe(403)
    expect((await make(await signedIn('butcher@example.com'), {})).status).toBe(404)

    const answer = await test.root('POST', '/api/v1/users/baker@example.com/api-keys', {
      name: 'by-root',
      scopes: ['domain.list'],
    })

    expect(answer.status).toBe(201)
    expect((await by(String(answer.json().token), 'GET', '/api/v1/domains')).status).toBe(200)
  })

  it('takes a name once for each owner', async () => {
    const baker = await signedIn('baker@example.com')
    expect((await make(baker, { name: 'twice' })).status).toBe(201)

    expect((await make(baker, { name: 'twice' })).status).toBe(409)
    expect(
      (await admin.call('POST', '/api/v1/users/admin@example.com/api-keys', { name: 'twice', scopes: ['domain.list'] }))
        .status,
    ).toBe(201)
  })

  it('ends at fifty keys of one owner', async () => {
    const butcher = await signedIn('butcher@example.com')
    const answers: Answer[] = []
    for (let number = 0; number <= 50; number++)
      answers.push(
        await butcher.call('POST', '/api/v1/users/butcher@example.com/api-keys', {
          name: `many${number}`,
          scopes: ['domain.list'],
        }),
      )

    expect(answers.at(-1)?.json().code).toBe('limit_reached')
    await test.panel.db.deleteFrom('api_keys').where('name', 'like', 'many%').execute()
  })
})

describe('a key that is worth nothing', () => {
  it('gets one answer, whatever is wrong with it', async () => {
    const dead = await keyOf('admin@example.com', ['domain.list'])
    await revoke(dead.id)
    const expired = await keyOf('admin@example.com', ['domain.list'])
    await test.panel.db
      .updateTable('api_keys')
      .set({ expires_at: '2020-01-01T00:00:00.000Z' })
      .where('id', '=', expired.id)
      .execute()
    const elsewhere = await keyOf('admin@example.com', ['domain.list'], {
      addresses: ['203.0.113.0/24', '2001:db8::/32'],
    })
    const real = await keyOf('admin@example.com', ['domain.list'])
    const forged = real.token.slice(0, 20) + (real.token[20] === 'a' ? 'b' : 'a') + real.token.slice(21)

    const answers: Answer[] = []
    for (const token of [dead.token, expired.token, elsewhere.token, forged, 'wcp_x', 'x', `wcp_${'0'.repeat(57)}`])
      answers.push(await by(token, 'GET', '/api/v1/domains'))

    expect(new Set(answers.map(refused)).size).toBe(1)
    expect(answers[0]?.status).toBe(401)
    expect(answers[0]?.headers['www-authenticate']).toContain('Bearer')
    expect((await by(real.token, 'GET', '/api/v1/domains')).status).toBe(200)
  })

  it('is refused also for what needs no permission, and beside a good cookie', async () => {
    const answers = [
      await by('wcp_x', 'GET', '/api/v1/openapi.json'),
      await by('wcp_x', 'GET', '/api/v1/nowhere'),
      await admin.ask({ path: '/api/v1/domains', headers: { authorization: 'Bearer wcp_x' } }),
      await admin.ask({ path: '/api/v1/domains', headers: { authorization: 'Basic YTpi' } }),
    ]

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401])
  })

  it('is one from another address than it is for', async () => {
    const { token } = await keyOf('admin@example.com', ['domain.list'], { addresses: ['127.0.0.0/8'] })

    expect((await by(token, 'GET', '/api/v1/domains')).status).toBe(200)
  })

  it('opens no page', async () => {
    const { token } = await keyOf('admin@example.com', ['domain.list'])

    const answer = await by(token, 'GET', '/', undefined, { accept: 'text/html' })

    expect([answer.status, answer.headers.location]).toEqual([303, '/login'])
  })
})

describe('the end of a key', () => {
  const works = async ({ token }: Key) => (await by(token, 'GET', '/api/v1/domains')).status

  it('comes at once when it is revoked', async () => {
    const key = await keyOf('baker@example.com', ['domain.list'])
    expect(await works(key)).toBe(200)

    expect((await revoke(key.name)).status).toBe(404)
    expect((await revoke(key.id)).status).toBe(200)

    expect(await works(key)).toBe(401)
  })

  it('is undone by its owner alone, with a fresh proof, as long as the name is free', async () => {
    const key = await keyOf('baker@example.com', ['domain.list'])
    const baker = await signedIn('baker@example.com')
    const restore = async (browser: Browser) =>
      (await browser.call('POST', `/api/v1/api-keys/${key.id}/restore`)).status
    const living = await restore(baker)
    await revoke(key.id)
    const dead = await works(key)
    const trash = (await baker.call('GET', '/api/v1/api-keys?deleted=true')).json().items
    const shown = (await baker.call('GET', `/api/v1/api-keys/${key.id}`)).json()
    const others = [await restore(admin), await restore(await signedIn('butcher@example.com'))]
    const again = { name: key.name, scopes: ['domain.list'] }
    const second = (await baker.call('POST', '/api/v1/users/baker@example.com/api-keys', again)).json()
    const taken = await restore(baker)
    await revoke(String(second.id))
    const aged = '2020-01-01T00:00:00.000Z'
    await test.panel.db.updateTable('sessions').set({ confirmed_at: aged }).execute()
    const unproven = await restore(baker)
    const restored = await restore(await signedIn('baker@example.com'))

    expect([living, dead, ...others, taken, unproven, restored]).toEqual([404, 401, 403, 404, 409, 403, 200])
    expect(trash?.map(({ id, status }) => ({ id, status }))).toContainEqual({ id: key.id, status: 'deleted' })
    expect(shown).toMatchObject({ status: 'deleted', deletedAt: expect.any(String) })
    expect(await works(key)).toBe(200)
  })

  it('comes at once when its owner loses the permission', async () => {
    await test.root('POST', '/api/v1/roles', {
      name: 'reader',
      scope: 'local',
      permissions: ['domain.list', 'domain.get'],
    })
    await test.root('POST', '/api/v1/users', {
      email: 'reader@example.com',
      password,
      role: 'reader',
      tenant: 'bakery',
    })
    const key = await keyOf('reader@example.com', ['domain.list'])
    expect(await works(key)).toBe(200)

    await test.root('PATCH', '/api/v1/roles/reader', { permissions: ['domain.get'] })

    expect(await works(key)).toBe(403)
  })

  it('comes at once with the suspension or the deletion of its owner', async () => {
    await test.root('POST', '/api/v1/users', { email: 'short@example.com', password, role: 'user', tenant: 'bakery' })
    const key = await keyOf('short@example.com', ['domain.list'])
    expect(await works(key)).toBe(200)

    await test.root('POST', '/api/v1/users/short@example.com/suspend')
    expect(await works(key)).toBe(401)
    await test.root('POST', '/api/v1/users/short@example.com/unsuspend')
    expect(await works(key)).toBe(200)
    await test.root('DELETE', '/api/v1/users/short@example.com')
    expect(await works(key)).toBe(401)
  })

  it('comes when its owner must set up a second factor and has none', async () => {
    const key = await keyOf('baker@example.com', ['domain.list'])
    await test.root('PATCH', '/api/v1/policies/user', { secondFactor: 'required' })

    const answer = await by(key.token, 'GET', '/api/v1/domains')
    await test.root('PATCH', '/api/v1/policies/user', { secondFactor: 'optional' })

    expect([answer.status, answer.json().code]).toEqual([403, 'second_factor_needed'])
    expect(await works(key)).toBe(200)
  })

  it('is its expiry; thirty days later it is forgotten', async () => {
    const key = await keyOf('baker@example.com', ['domain.list'], { days: 1 })
    const { id } = key
    const month = new Date(Date.now() - 31 * 86_400_000).toISOString()
    await test.panel.db
      .updateTable('api_keys')
      .set({ expires_at: new Date(Date.now() - 1000).toISOString() })
      .where('id', '=', id)
      .execute()
    expect(await works(key)).toBe(401)
    expect((await admin.call('GET', `/api/v1/api-keys/${id}`)).json().status).toBe('expired')
    await test.panel.db.updateTable('api_keys').set({ expires_at: month }).where('id', '=', id).execute()

    const steady = JSON.stringify({ since: Date.now() - 86_400_000, last: Date.now() })
    await test.panel.housekeeping.purge()
    await test.panel.db.updateTable('settings').set({ value: steady }).where('key', '=', 'housekeeping.clock').execute()
    await test.panel.housekeeping.purge()

    expect(await test.panel.db.selectFrom('api_keys').select('id').where('id', '=', id).execute()).toEqual([])
  })
})
