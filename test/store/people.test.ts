import { describe, expect, it } from 'vitest'
import { knownNetworks } from '../../src/panel/auth/known-networks.ts'
import { operations } from '../../src/resources/index.ts'
import { everything } from '../../src/resources/scope.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { newId, type Panel, refusal } from './harness.ts'

const { user, tenant, package: packages, settings } = slices
const password = 'a quiet river at night'

const addAdmin = (panel: Panel, email = 'ann@example.org') =>
  panel.run(user.create, { email, password, role: 'system_admin' })

async function addCustomer(panel: Panel, name = 'acme', email = `owner@${name}.example`) {
  if ((await panel.run(packages.list, {})).items.length === 0) await panel.run(packages.create, { name: 'basic' })
  const { id: tenantId } = await panel.run(tenant.create, { name })
  await panel.work()
  const { id } = await panel.run(user.create, { email, password, role: 'user', tenant: name })
  const scope = { kind: 'local', tenant: tenantId, user: id } as const
  const actor = { kind: 'user', id, email, permissions: 'all', scope } as const
  return { id, tenantId, actor, email }
}

async function addSession(panel: Panel, userId: string) {
  const now = '2026-03-01T12:00:00.000Z'
  const common = { id: newId(), created_at: now, updated_at: now }
  const session = {
    token_hash: newId(),
    user_id: userId,
    kind: 'user',
    ip: '::1',
    user_agent: 'x',
    last_seen_at: now,
    expires_at: now,
    idle_until: now,
    confirmed_at: now,
    factor: 'none',
  }
  await panel.db
    .insertInto('sessions')
    .values({ ...common, ...session })
    .execute()
}

onBothStores('users', (bench) => {
  const users = (panel: Panel) => panel.stores(panel.db).users
  const sessions = (panel: Panel) => panel.db.selectFrom('sessions').select('id').execute()

  it('sign in by their address in any writing, with a hash that nobody is shown', async () => {
    const panel = await bench.panel()
    const { id } = await addAdmin(panel, 'Ann@Example.org ')

    const found = await users(panel).credentials('ann@example.org')

    expect(found).toMatchObject({ maySignIn: true, user: { id, email: 'ann@example.org', roles: ['system_admin'] } })
    expect(found?.passwordHash).toContain(Buffer.from(password).toString('hex'))
    expect(JSON.stringify(await panel.run(user.get, { user: id }))).not.toContain('$test$')
    expect(await users(panel).permissions(id)).toBe('all')
  })

  it('have permissions that all name an operation', async () => {
    const panel = await bench.panel()
    const customer = await addCustomer(panel)

    const permissions = await users(panel).permissions(customer.id)

    const names: readonly string[] = operations.map((one) => one.name)
    expect([...permissions].filter((one) => !names.includes(one))).toEqual([])
    expect(permissions).toContain('domain.create')
    expect(permissions).not.toContain('tenant.create')
  })

  it('keep their address to themselves until they are deleted for good', async () => {
    const panel = await bench.panel()
    await addAdmin(panel)
    const { id } = await addAdmin(panel, 'bob@example.org')
    const twice = await refusal(addAdmin(panel, 'BOB@example.org'))
    await panel.run(user.remove, { user: id })
    await addAdmin(panel, 'bob@example.org')
    const back = await refusal(panel.run(user.restore, { user: id }))

    for (const error of [twice, back]) expect(error).toMatchObject({ code: 'conflict', fields: [{ field: 'email' }] })
  })

  it('never leave the panel without an administrator', async () => {
    const panel = await bench.panel()
    const { id } = await addAdmin(panel)
    const { tenantId } = await addCustomer(panel)
    const attempts = [
      panel.run(user.remove, { user: id }),
      panel.run(user.suspend, { user: id }),
      panel.run(user.update, { user: id, role: 'user', tenant: tenantId }),
    ]
    for (const error of await Promise.all(attempts.map(refusal)))
      expect(error.message).toMatch(/it is the last administrator$/)

    const second = await addAdmin(panel, 'bob@example.org')
    const both = await Promise.allSettled([id, second.id].map((one) => panel.run(user.remove, { user: one })))
    expect(both.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
  })

  it('cannot remove or suspend themselves', async () => {
    const panel = await bench.panel()
    const { id } = await addAdmin(panel)
    await addAdmin(panel, 'bob@example.org')
    const ann = { kind: 'user', id, email: 'ann@example.org', permissions: 'all', scope: everything } as const

    expect((await refusal(panel.run(user.remove, { user: id }, ann))).message).toMatch(/that is you$/)
    expect((await refusal(panel.run(user.suspend, { user: id }, ann))).message).toMatch(/that is you$/)
  })

  it.each(['password', 'role', 'suspend', 'delete'] as const)('are signed out by a new %s', async (what) => {
    const panel = await bench.panel()
    await addAdmin(panel)
    const { id } = await addAdmin(panel, 'bob@example.org')
    const { tenantId } = await addCustomer(panel)
    await addSession(panel, id)
    const deeds = {
      password: () => panel.run(user.update, { user: id, password: 'another quiet river' }),
      role: () => panel.run(user.update, { user: id, role: 'user', tenant: tenantId }),
      suspend: () => panel.run(user.suspend, { user: id }),
      delete: () => panel.run(user.remove, { user: id }),
    }

    await deeds[what]()

    expect(await sessions(panel)).toEqual([])
  })

  it('stay signed in when only their address changes', async () => {
    const panel = await bench.panel()
    const { id } = await addAdmin(panel)
    await addSession(panel, id)

    await panel.run(user.update, { user: id, email: 'new@example.org' })

    expect(await sessions(panel)).toHaveLength(1)
  })

  it('of a suspended tenant cannot sign in', async () => {
    const panel = await bench.panel()
    const { email } = await addCustomer(panel)
    const may = async () => (await users(panel).credentials(email))?.maySignIn
    const before = await may()
    await panel.run(tenant.suspend, { tenant: 'acme' })
    await panel.work()
    const suspended = await may()
    await panel.run(tenant.unsuspend, { tenant: 'acme' })
    await panel.work()

    expect([before, suspended, await may()]).toEqual([true, false, true])
  })

  it('who are customers change themselves, and neither others nor their role', async () => {
    const panel = await bench.panel()
    await addAdmin(panel)
    const mine = await addCustomer(panel, 'acme')
    const theirs = await addCustomer(panel, 'other')
    await panel.run(user.update, { user: mine.id, password: 'another quiet river' }, mine.actor)

    const stranger = await refusal(
      panel.run(user.update, { user: theirs.id, password: 'another quiet river' }, mine.actor),
    )
    const climber = await refusal(panel.run(user.update, { user: mine.id, role: 'system_admin' }, mine.actor))
    const mover = await refusal(panel.run(user.update, { user: mine.id, tenant: 'other' }, mine.actor))

    expect(stranger.code).toBe('not_found')
    expect([climber, mover]).toMatchObject([
      { code: 'bad_input', fields: [{ field: 'role' }] },
      { code: 'bad_input', fields: [{ field: 'tenant' }] },
    ])
  })

  it('have one tenant, or none as administrators', async () => {
    const panel = await bench.panel()
    const { tenantId } = await addCustomer(panel)
    const common = { email: 'x@example.org', password }

    const none = await refusal(panel.run(user.create, { ...common, role: 'user' }))
    const both = await refusal(panel.run(user.create, { ...common, role: 'system_admin', tenant: tenantId }))
    const gone = await refusal(panel.run(user.create, { ...common, role: 'user', tenant: 'nobodys' }))

    for (const error of [none, both, gone])
      expect(error).toMatchObject({ code: 'bad_input', fields: [{ field: 'tenant' }] })
  })

  it('become administrators without their tenant', async () => {
    const panel = await bench.panel()
    const { id } = await addCustomer(panel)

    await panel.run(user.update, { user: id, role: 'system_admin' })

    expect(await panel.run(user.get, { user: id })).toMatchObject({ roles: ['system_admin'], tenantId: null })
  })

  it('do not take their address for a password', async () => {
    const panel = await bench.panel()

    const error = await refusal(
      panel.run(user.create, { email: 'somebody@example.org', password: 'Somebody@Example.org', role: 'system_admin' }),
    )

    expect(error).toMatchObject({ code: 'bad_input', fields: [{ field: 'password' }] })
  })
})

onBothStores('settings', (bench) => {
  it('have their defaults until they are changed, once or more', async () => {
    const panel = await bench.panel()
    const before = await panel.run(settings.get, { key: 'sites.default_php' })
    await panel.run(settings.update, { key: 'sites.default_php', value: '8.2' })
    await panel.run(settings.update, { key: 'sites.default_php', value: '8.4' })

    expect(before).toMatchObject({ value: null, isDefault: true })
    expect(await panel.run(settings.get, { key: 'sites.default_php' })).toMatchObject({
      value: '8.4',
      isDefault: false,
    })
    expect((await panel.run(settings.list, {})).items.map((one) => one.key)).toContain('jobs.keep_days')
  })

  describe('take', () => {
    it.each([
      ['jobs.keep_days', '30', 30],
      ['jobs.keep_days', 30, 30],
      ['sites.default_php', 'null', null],
      ['sites.default_php', null, null],
      ['domains.cooling_off_days', '0', 0],
    ] as const)('%s = %j', async (key, value, stored) => {
      const panel = await bench.panel()

      expect(await panel.run(settings.update, { key, value })).toMatchObject({ value: stored })
    })
  })

  describe('refuse', () => {
    it.each([
      ['jobs.keep_days', '0'],
      ['jobs.keep_days', '1e3'],
      ['jobs.keep_days', ''],
      ['jobs.keep_days', true],
      ['jobs.keep_days', 1.5],
      ['sites.default_php', '8.9'],
      ['sites.default_php', 'false'],
      ['domains.cooling_off_days', 31],
    ] as const)('%s = %j', async (key, value) => {
      const panel = await bench.panel()

      const error = await refusal(panel.run(settings.update, { key, value }))

      expect(error).toMatchObject({ code: 'bad_input', fields: [{ field: 'value', accepted: expect.any(String) }] })
    })
  })
})

onBothStores('known networks', (bench) => {
  const day = 86_400_000

  it('are those of a person, the last twenty, for half a year, and known at the door after the next start', async () => {
    const panel = await bench.panel()
    const { id: ann } = await addAdmin(panel)
    const { id: bob } = await addAdmin(panel, 'bob@example.org')
    let moment = Date.parse('2026-03-01T12:00:00Z')
    const networks = knownNetworks(() => moment)
    for (let one = 0; one < 22; one++, moment += 1000) await networks.add(panel.db, ann, `192.0.${one}.7`)
    await networks.add(panel.db, ann, '2001:db8:1:2::3')
    await networks.add(panel.db, ann, '2001:db8:1:9::9')
    await networks.add(panel.db, bob, '192.0.5.1')

    const knows = (of: typeof networks, ...addresses: string[]) =>
      Promise.all(addresses.map((address) => of.knows(panel.db, ann, address)))
    expect(await knows(networks, '192.0.2.7', '192.0.3.200', '2001:db8:1:5::1', '192.0.99.1')).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect(await panel.db.selectFrom('known_networks').select('id').execute()).toHaveLength(21)
    const next = knownNetworks(() => moment)
    expect(next.isKnown('192.0.5.77')).toBe(false)
    await next.load(panel.db)
    expect(['192.0.5.77', '2001:db8:1:7::', '192.0.99.1'].map(next.isKnown)).toEqual([true, true, false])

    moment += 200 * day
    expect(await knows(networks, '192.0.3.200')).toEqual([false])
    await networks.purge(panel.db)
    expect(await panel.db.selectFrom('known_networks').select('id').execute()).toEqual([])
  })

  it('stay known while they are used', async () => {
    const panel = await bench.panel()
    const { id } = await addAdmin(panel)
    let moment = Date.parse('2026-03-01T12:00:00Z')
    const networks = knownNetworks(() => moment)
    for (let month = 0; month < 12; month++, moment += 30 * day) await networks.add(panel.db, id, '192.0.2.7')
    await networks.purge(panel.db)

    expect(await networks.knows(panel.db, id, '192.0.2.99')).toBe(true)
  })
})
