/** Acting as another person: who may, what it leaves behind, and what it does not open. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Browser } from './support/client.ts'
import { password, until } from './support/test-panel.ts'
import { type World, world } from './support/world.ts'

let here: World

const asBrowser = async (email: string): Promise<Browser> => {
  const browser = here.test.browser()
  expect((await browser.signIn(email, password)).status).toBe(303)
  return browser
}
const actAs = (browser: Browser, user: string) => browser.call('POST', `/api/v1/users/${user}/impersonate`)
const whoAmI = async (browser: Browser) => (await browser.ask({ path: '/' })).text
const make = async (path: string, body: unknown) => {
  const answer = await here.test.root('POST', `/api/v1/${path}`, body)
  expect(answer.status).toBeLessThan(300)
  return String(answer.json().id)
}
const newest = async () => (await here.test.root('GET', '/api/v1/audit?limit=1')).json().items?.[0]

beforeEach(async () => {
  await here?.test.stop()
  here = await world()
})

afterAll(() => here.test.stop())

describe('acting as a customer', () => {
  it('changes the session, and the old cookie is worth nothing any more', async () => {
    const { admin } = here
    const before = admin.cookie
    const answer = await actAs(admin, 'baker@example.com')

    expect(answer.status).toBe(200)
    expect(answer.headers['set-cookie']?.[0]).toMatch(
      /^__Host-wcp=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
    )
    expect(admin.cookie).not.toBe(before)
    expect(await whoAmI(admin)).toBe('hello baker@example.com')
    expect((await admin.call('GET', '/api/v1/tenants')).json().items).toMatchObject([{ name: 'bakery' }])
    expect((await admin.call('GET', '/api/v1/settings')).status).toBe(403)
    const old = here.test.browser()
    old.cookie = before
    expect((await old.ask({ path: '/' })).status).toBe(303)
  })

  it('is recorded under both names', async () => {
    const { admin, ids } = here
    await actAs(admin, 'baker@example.com')
    const begun = await newest()
    const job = (await admin.call('POST', `/api/v1/domains/${ids.domain}/suspend`)).json().jobId
    const done = await newest()
    await admin.call('POST', `/api/v1/users/${ids.user}/impersonate`)
    const refused = await newest()

    expect(begun).toMatchObject({ action: 'user.impersonate', actor: 'admin@example.com', metadata: { id: ids.user } })
    for (const entry of [done, refused])
      expect(entry).toMatchObject({ actor: 'admin@example.com', metadata: { as: 'baker@example.com' } })
    expect(done).toMatchObject({ action: 'domain.suspend', actorId: begun?.actorId, tenantId: ids.tenant })
    expect((await here.test.root('GET', `/api/v1/jobs/${job}`)).json().actor).toBe('admin@example.com')
  })

  it('opens neither passwords nor roles nor settings nor sessions', async () => {
    const { admin, ids } = here
    await make('resellers', { email: 'big@example.com', password })
    await actAs(admin, 'big@example.com')
    const attempts = [
      admin.call('PATCH', '/api/v1/users/big@example.com', { password: 'another quiet river' }),
      admin.call('PATCH', '/api/v1/users/big@example.com', { email: 'mine@example.com' }),
      admin.call('POST', '/api/v1/users', { email: 'x@example.com', password, role: 'user', tenant: 'bakery' }),
      admin.call('POST', `/api/v1/users/${ids.user}/suspend`),
      admin.call('POST', '/api/v1/roles/user/grant', { user: 'big@example.com' }),
      admin.call('PATCH', '/api/v1/settings/jobs.keep_days', { value: 5 }),
      admin.call('POST', '/api/v1/users/baker@example.com/impersonate'),
      admin.call('DELETE', `/api/v1/sessions/${ids.user}`),
    ]

    for (const { status } of await Promise.all(attempts)) expect(status).toBe(403)
    expect((await here.test.browser().signIn('big@example.com', password)).status).toBe(303)
  })

  it('is confirmed by who really acts, and not by the password of the customer', async () => {
    const { admin } = here
    const customers = 'another quiet river at noon'
    const changed = await here.test.root('PATCH', '/api/v1/users/baker@example.com', { password: customers })
    expect(changed.status).toBe(200)
    await actAs(admin, 'baker@example.com')

    expect((await admin.form('/confirm', { password: customers })).status).toBe(401)
    expect((await admin.form('/confirm', { password })).status).toBe(200)
    expect(await newest()).toMatchObject({ action: 'auth.confirm', actor: 'admin@example.com' })
  })

  it('ends by its button, with a third cookie and a session no longer than the first', async () => {
    const { admin } = here
    const sessions = async () => here.test.panel.db.selectFrom('sessions').selectAll().orderBy('created_at').execute()
    const first = (await sessions()).findLast(({ user_id }) => user_id !== null)
    await actAs(admin, 'baker@example.com')
    const second = admin.cookie
    expect((await admin.form('/impersonation/end', {})).status).toBe(303)

    expect(await whoAmI(admin)).toBe('hello admin@example.com')
    expect(admin.cookie).not.toBe(second)
    const last = (await sessions()).findLast(({ deleted_at }) => deleted_at === null)
    expect(last?.impersonator_id).toBeNull()
    expect(Date.parse(last?.expires_at ?? '')).toBeLessThanOrEqual(Date.parse(first?.expires_at ?? '') + 1000)
    expect(await newest()).toMatchObject({
      action: 'auth.end_impersonation',
      actor: 'admin@example.com',
      metadata: { as: 'baker@example.com' },
    })
    expect((await admin.form('/impersonation/end', {})).status).toBe(409)
  })

  it('ends by itself after half an hour', async () => {
    const { admin } = here
    await actAs(admin, 'baker@example.com')
    const { db } = here.test.panel
    const row = await db
      .selectFrom('sessions')
      .selectAll()
      .where('impersonator_id', 'is not', null)
      .executeTakeFirstOrThrow()
    const minutes = (Date.parse(row.expires_at) - Date.parse(row.created_at)) / 60_000
    await db.updateTable('sessions').set({ expires_at: row.created_at }).where('id', '=', row.id).execute()

    expect(minutes).toBe(30)
    expect((await admin.ask({ path: '/' })).status).toBe(303)
  })

  it.each([
    ['the one who acts is suspended', () => here.test.root('POST', '/api/v1/users/helper@example.com/suspend')],
    ['the permission is gone', () => here.test.root('PATCH', '/api/v1/roles/helper', { permissions: ['tenant.list'] })],
    [
      'the other becomes stronger',
      async () => {
        await make('roles', { name: 'more', scope: 'local', permissions: ['job.cancel'] })
        await here.test.root('POST', '/api/v1/roles/more/grant', { user: 'baker@example.com' })
      },
    ],
    ['the other is suspended', () => here.test.root('POST', '/api/v1/users/baker@example.com/suspend')],
  ])('ends at once when %s', async (_, change) => {
    const rights = (await here.test.root('GET', '/api/v1/roles/user')).json().permissions as string[]
    await make('roles', { name: 'helper', scope: 'global', permissions: [...rights, 'user.impersonate'] })
    await make('users', { email: 'helper@example.com', password, role: 'helper' })
    const helper = await asBrowser('helper@example.com')
    expect((await actAs(helper, 'baker@example.com')).status).toBe(200)
    expect(await whoAmI(helper)).toBe('hello baker@example.com')

    await change()

    expect((await helper.ask({ path: '/' })).status).toBe(303)
  })

  it('does not show among the sessions of that person', async () => {
    await actAs(here.admin, 'baker@example.com')

    expect((await here.customer.call('GET', '/api/v1/sessions')).json().items).toHaveLength(1)
  })
})

describe('nobody acts as', () => {
  it('staff, oneself, somebody stronger or somebody who cannot sign in', async () => {
    const { admin } = here
    await make('users', { email: 'second@example.com', password, role: 'system_admin' })
    await make('roles', { name: 'weak', scope: 'global', permissions: ['user.impersonate', 'user.get'] })
    await make('users', { email: 'weak@example.com', password, role: 'weak' })
    await here.test.root('POST', '/api/v1/users/butcher@example.com/suspend')
    const weak = await asBrowser('weak@example.com')
    const before = admin.cookie

    const answers = [
      await actAs(admin, 'second@example.com'),
      await actAs(admin, 'admin@example.com'),
      await actAs(admin, 'butcher@example.com'),
      await actAs(admin, 'nobody@example.com'),
      await actAs(weak, 'baker@example.com'),
      await here.test.root('POST', '/api/v1/users/baker@example.com/impersonate'),
    ]

    expect(answers.map(({ status }) => status)).toEqual([409, 409, 409, 404, 403, 409])
    expect(answers.every(({ headers }) => headers['set-cookie'] === undefined)).toBe(true)
    expect(admin.cookie).toBe(before)
    expect(await whoAmI(admin)).toBe('hello admin@example.com')
  })

  it('the customers of another reseller', async () => {
    const mine = { email: 'mine@example.com', password }
    await make('resellers', mine)
    await make('packages', { name: 'basic', reseller: mine.email })
    await make('tenants', { name: 'minetenant', reseller: mine.email })
    await make('users', { email: 'ann@example.com', password, role: 'user', tenant: 'minetenant' })
    await until(async () => (await here.test.root('GET', '/api/v1/tenants/minetenant')).json().status === 'active')
    const seller = await asBrowser(mine.email)
    const [foreign, staff, nobody] = [
      await actAs(seller, here.ids.user),
      await actAs(seller, 'admin@example.com'),
      await actAs(seller, '00000000-0000-4000-8000-000000000000'),
    ]
    expect([foreign.status, staff.status, nobody.status]).toEqual([404, 404, 404])

    expect((await actAs(seller, 'ann@example.com')).status).toBe(200)
    expect(await whoAmI(seller)).toBe('hello ann@example.com')
  })
})
