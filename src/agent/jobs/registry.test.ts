/** What the registry keeps, finds and forgets, over a database as an agent has it. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Fqdn, Id, PhpVersion, TenantName } from '../../contract/values.ts'
import { type Database, openDatabase } from '../../program/native-sqlite.ts'
import { migrateAgent } from './migrate-agent.ts'
import { agentMigrations } from './migrations/index.ts'
import { Registry, type SiteRecord, type State, type TenantRecord } from './registry.ts'

const ids = ['1', '2', '3', '4', '5', '6'].map((digit) => Id.parse(`${digit.repeat(8)}-0000-4000-8000-000000000000`))
const [acme, other, shop, blog, thing, last] = ids as [Id, Id, Id, Id, Id, Id]
const limits = { cpuPct: null, memMb: 256, pids: null, ioMbps: null, diskMb: null }
const name = (text: string) => TenantName.parse(text)
const fqdn = (text: string) => Fqdn.parse(text)
const states: readonly State[] = ['making', 'active', 'suspended', 'trashed', 'purging', 'none']

let database: Database
let registry: Registry
beforeEach(() => {
  database = openDatabase(':memory:')
  migrateAgent(database, agentMigrations)
  registry = new Registry(database)
})

const tenant = (more: Partial<TenantRecord> = {}): TenantRecord => ({
  ...{ id: acme, name: name('acme'), uid: 20_005, state: 'active', limits },
  ...more,
})
const otherTenant = (more: Partial<TenantRecord> = {}) =>
  tenant({ id: other, name: name('other'), uid: 20_006, ...more })
const site = (more: Partial<SiteRecord> = {}): SiteRecord => ({
  ...{ id: shop, tenant: acme, fqdn: fqdn('shop.example.com'), aliases: [fqdn('www.example.com')] },
  ...{ php: null, apart: null, state: 'active', https: 'redirect', settings: {} },
  ...more,
})
const names = (found: readonly { readonly name: string }[]) => found.map((one) => one.name)

describe('tenants', () => {
  it.each(states)('that are %s are kept as they are, and found while they are there', (state) => {
    registry.addTenant(tenant({ state }))
    const found = state === 'none' ? [] : [tenant({ state })]

    expect(registry.tenant(acme)).toEqual(tenant({ state }))
    expect([registry.tenantNamed(name('acme'))]).toEqual(state === 'none' ? [undefined] : found)
    expect([registry.tenants(), registry.tenantsAfter('', 10)]).toEqual([found, found])
    expect([registry.tenant(other), registry.tenantNamed(name('other'))]).toEqual([undefined, undefined])
  })

  it('come in the order of their names, page by page', () => {
    const wanted = ['alpha', 'beta', 'gamma']
    for (const [place, text] of ['gamma', 'alpha', 'beta'].entries())
      registry.addTenant(tenant({ id: ids[place] ?? acme, name: name(text), uid: 20_000 + place }))

    expect(names(registry.tenants())).toEqual(wanted)
    expect(names(registry.tenantsAfter('', 2))).toEqual(['alpha', 'beta'])
    expect(names(registry.tenantsAfter(name('alpha'), 2))).toEqual(['beta', 'gamma'])
  })

  it('change in state and limits, one by one', () => {
    for (const one of [tenant(), otherTenant()]) registry.addTenant(one)
    registry.setTenantState(acme, 'suspended')
    registry.setLimits(acme, { ...limits, memMb: 512 })

    expect(registry.tenants()).toEqual([
      tenant({ state: 'suspended', limits: { ...limits, memMb: 512 } }),
      otherTenant(),
    ])
  })

  it('never give their uid away, whatever becomes of them', () => {
    expect(registry.nextUid()).toBe(20_000)
    registry.addTenant(tenant({ state: 'none' }))
    expect(registry.nextUid()).toBe(20_006)
    registry.addTenant(otherTenant({ state: 'making', uid: 20_006 }))
    expect(registry.nextUid()).toBe(20_007)
    registry.dropTenant(other)
    expect(registry.nextUid()).toBe(20_006)
  })

  it('are dropped only while they are being made', () => {
    for (const [place, state] of states.entries()) {
      const one = tenant({ id: ids[place] ?? acme, name: name(`tenant${place}`), uid: 20_000 + place, state })
      registry.addTenant(one)
      registry.dropTenant(one.id)
      expect(registry.tenant(one.id)?.state).toBe(state === 'making' ? undefined : state)
    }
  })

  it('that are planned are seen where they are foreseen, and nowhere else', () => {
    registry.addTenant(tenant())
    const ahead = registry.foreseeing([otherTenant()])

    expect([ahead.tenant(other), ahead.tenant(acme)]).toEqual([otherTenant(), tenant()])
    expect(registry.tenant(other)).toBeUndefined()
  })

  it('that may connect elsewhere than usual are told by uid', () => {
    registry.addTenant(tenant({ limits: { ...limits, egress: 'smtp' } }))
    registry.addTenant(otherTenant())
    registry.addTenant(
      tenant({ id: thing, name: name('gone'), uid: 20_009, state: 'none', limits: { ...limits, egress: 'smtp' } }),
    )
    expect(registry.egressPolicies()).toEqual([[20_005, 'smtp']])
  })
})

describe('sites', () => {
  beforeEach(() => {
    for (const one of [tenant(), otherTenant()]) registry.addTenant(one)
  })

  it.each(states)('that are %s are kept as they are, and are among those of their tenant', (state) => {
    const whole = site({ state, php: PhpVersion.parse('8.4') })
    registry.addSite(whole)
    registry.addSite(site({ id: blog, tenant: other, fqdn: fqdn('blog.example.com') }))

    expect([registry.site(shop), registry.site(last)]).toEqual([whole, undefined])
    expect(registry.sitesOf(acme)).toEqual(state === 'none' ? [] : [whole])
  })

  it('come in the order of their names', () => {
    registry.addSite(site({ fqdn: fqdn('z.example.com') }))
    registry.addSite(site({ id: blog, fqdn: fqdn('a.example.com') }))
    expect(registry.sitesOf(acme).map((one) => one.fqdn)).toEqual(['a.example.com', 'z.example.com'])
  })

  it('change what is given, and leave the rest', () => {
    registry.addSite(site())
    registry.addSite(site({ id: blog, fqdn: fqdn('blog.example.com') }))
    registry.setSite(shop, { aliases: [], php: PhpVersion.parse('8.4'), https: 'optional' })
    registry.setSiteState(shop, 'suspended')
    const changed = site({ aliases: [], php: PhpVersion.parse('8.4'), https: 'optional', state: 'suspended' })

    expect([registry.site(shop), registry.site(blog)]).toEqual([
      changed,
      site({ id: blog, fqdn: fqdn('blog.example.com') }),
    ])
    registry.setSite(shop, { aliases: changed.aliases, php: null })
    expect(registry.site(shop)).toEqual({ ...changed, php: null })
  })

  it('are dropped with their names while they are being made, and only then', () => {
    for (const [place, state] of states.entries()) {
      const one = site({ id: ids[place] ?? shop, fqdn: fqdn(`s${place}.example.com`), state })
      registry.addSite(one)
      registry.claimHosts(one.id, [one.fqdn])
      registry.dropSite(one.id)
      expect(registry.site(one.id)?.state).toBe(state === 'making' ? undefined : state)
      expect(registry.isHost(one.fqdn)).toBe(false)
    }
  })
})

describe('names', () => {
  const [own, theirs] = [fqdn('shop.example.com'), fqdn('blog.example.com')]
  beforeEach(() => {
    for (const one of [tenant(), otherTenant()]) registry.addTenant(one)
    registry.addSite(site())
    registry.addSite(site({ id: blog, tenant: other, fqdn: theirs }))
    registry.claimHosts(shop, [own, fqdn('www.example.com')])
    registry.claimHosts(blog, [theirs])
  })

  it('lead to their site and its tenant', () => {
    expect(registry.host(own)).toEqual({ name: own, site: shop, tenant: acme })
    expect(registry.host(theirs)).toEqual({ name: theirs, site: blog, tenant: other })
    expect(registry.host(fqdn('example.com'))).toBeUndefined()
    expect([own, 'example.com', '', "' or 1=1"].map((text) => registry.isHost(text))).toEqual([
      true,
      false,
      false,
      false,
    ])
  })

  it('are claimed once, again by their own site alone', () => {
    registry.claimHosts(shop, [own, fqdn('new.example.com')])
    expect(registry.isHost('new.example.com')).toBe(true)

    expect(() => registry.claimHosts(blog, [own])).toThrow(`Cannot use the name "${own}": another site has it`)
    expect(registry.host(own)?.site).toBe(shop)
  })

  it('are released but for those that are kept', () => {
    registry.releaseHosts(shop, [own])
    expect([own, 'www.example.com', theirs].map((text) => registry.isHost(text))).toEqual([true, false, true])
    registry.releaseHosts(shop)
    expect([own, theirs].map((text) => registry.isHost(text))).toEqual([false, true])
  })

  it.each([
    ['example.com', acme, theirs],
    ['example.com', other, own],
    ['blog.example.com', acme, undefined],
    ['log.example.com', acme, undefined],
    ['xample.com', acme, undefined],
    ['example.org', acme, undefined],
  ])('below %s, not of %s: %s', (above, notOf, expected) => {
    registry.releaseHosts(shop, [own])
    expect(registry.hostBelow(fqdn(above), notOf)?.name).toBe(expected)
  })
})

describe('things', () => {
  const record = (more: object = {}) => ({
    ...{ id: thing, kind: 'ssh-key', tenant: acme, name: 'laptop', record: { a: [1, null] } },
    ...more,
  })
  beforeEach(() => {
    for (const one of [tenant(), otherTenant()]) registry.addTenant(one)
  })

  it('are kept as they are put, last, and dropped', () => {
    registry.putThing(record())
    registry.putThing(record({ name: 'desk', record: { b: 1 } }))
    expect(registry.thing(thing)).toEqual(record({ name: 'desk', record: { b: 1 } }))

    registry.putThing(record({ id: last }))
    registry.dropThing(thing)
    expect([registry.thing(thing), registry.thing(last)]).toEqual([undefined, record({ id: last })])
  })

  it('are found by tenant and kind, or by kind and name', () => {
    const all = [
      record({ id: last, name: 'desk' }),
      record(),
      record({ id: shop, kind: 'cron' }),
      record({ id: blog, tenant: other }),
    ]
    for (const one of all) registry.putThing(one)

    expect(registry.thingsOf(acme, 'ssh-key').map(({ id }) => id)).toEqual([thing, last])
    expect(
      registry
        .thingsNamed('ssh-key', 'laptop')
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual([blog, thing])
    registry.dropThingsOf(acme)
    expect(all.map(({ id }) => registry.thing(id)?.id)).toEqual([undefined, undefined, undefined, blog])
  })

  it('that are databases say which servers are used', () => {
    const of = (id: Id, kind: string, engine: string) => registry.putThing(record({ id, kind, record: { engine } }))
    for (const [id, kind, engine] of [
      [shop, 'database', 'mariadb'],
      [blog, 'database', 'mariadb'],
      [thing, 'ssh-key', 'postgresql'],
    ] as const)
      of(id, kind, engine)
    expect(registry.databaseEngines()).toEqual(['mariadb'])
  })
})

describe('the inventory', () => {
  beforeEach(() => {
    registry.addTenant(tenant())
    registry.addTenant(otherTenant({ state: 'trashed' }))
    registry.addTenant(tenant({ id: last, name: name('gone'), uid: 20_007, state: 'none' }))
  })

  it('is told by pages in the order of ids', () => {
    expect(registry.inventory('tenants', null, 10)).toEqual([
      { id: acme, name: 'acme', state: 'active' },
      { id: other, name: 'other', state: 'trashed' },
    ])
    expect(registry.inventory('tenants', null, 1).map(({ id }) => id)).toEqual([acme])
    expect(registry.inventory('tenants', acme, 10).map(({ id }) => id)).toEqual([other])
  })

  it('tells of what belongs to a tenant in the trash that it is there, too', () => {
    registry.addSite(site({ state: 'suspended' }))
    registry.addSite(site({ id: blog, tenant: other, fqdn: fqdn('blog.example.com') }))
    registry.addSite(site({ id: thing, fqdn: fqdn('old.example.com'), state: 'none' }))
    const database = { kind: 'database', name: 'd', record: { engine: 'mariadb', state: 'suspended' } }
    registry.putThing({ ...database, id: shop, tenant: acme })
    registry.putThing({ ...database, id: blog, tenant: other })
    registry.putThing({ id: thing, kind: 'ssh-key', tenant: other, name: 'laptop', record: {} })

    expect(registry.inventory('domains', null, 10)).toEqual([
      { id: shop, name: 'shop.example.com', state: 'suspended' },
      { id: blog, name: 'blog.example.com', state: 'trashed' },
    ])
    expect(registry.inventory('database', null, 10).map(({ state }) => state)).toEqual(['suspended', 'trashed'])
    expect(registry.inventory('ssh-key', null, 10)).toEqual([{ id: thing, name: 'laptop', state: 'trashed' }])
    expect(registry.inventory('ssh-key', thing, 10)).toEqual([])
    expect(registry.inventory('toString', null, 10)).toEqual([])
  })
})

describe('the last deletion', () => {
  const add = (type: string, state: string, at: string, resource = shop) =>
    database
      .prepare(
        `insert into jobs (id, type, resource, tenant, token, hash, payload, destructive, accepted_at, state)
        values (?, ?, ?, ?, 1, '', '{}', 0, ?, ?)`,
      )
      .run(`${type} ${at}`, type, resource, acme, at, state)

  it('is the newest one that succeeded, of tenant, site or database', () => {
    expect(registry.trashedAt(shop)).toBeUndefined()
    add('domain.delete', 'succeeded', '2026-01-02')
    add('domain.delete', 'succeeded', '2026-01-01')
    add('domain.delete', 'failed', '2026-01-03')
    add('domain.suspend', 'succeeded', '2026-01-04')
    add('domain.delete', 'succeeded', '2026-01-05', blog)
    expect([registry.trashedAt(shop), registry.trashedAt(blog)]).toEqual(['2026-01-02', '2026-01-05'])
    add('tenant.delete', 'succeeded', '2026-01-06')
    expect(registry.trashedAt(shop)).toBe('2026-01-06')
    add('database.delete', 'succeeded', '2026-01-07')
    expect(registry.trashedAt(shop)).toBe('2026-01-07')
  })
})

it('setup is closed once, and stays so', () => {
  expect(registry.isSetupClosed).toBe(false)
  registry.closeSetup('2026-01-01')
  registry.closeSetup('2026-01-02')
  expect(registry.isSetupClosed).toBe(true)
  expect(database.prepare("select value from meta where key = 'setup_closed'").get()).toEqual({ value: '2026-01-01' })
})
