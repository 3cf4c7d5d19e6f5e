/** What is asked before anything is touched, each question at its edges. The panel may be in wrong hands here. */
import { describe, expect, it } from 'vitest'
import { type Fqdn, Id, type PhpVersion, TenantName } from '../../contract/values.ts'
import type { Registry, SiteRecord, State, TenantRecord } from '../jobs/registry.ts'
import { identity, mayClaim, mayUsePhp, mustBeFree, mustHaveRested, siteIn, tenantIn } from './judge.ts'
import type { World } from './provisioner.ts'

const ids = ['1', '2', '3', '4'].map((digit) => Id.parse(`${digit.repeat(8)}-0000-4000-8000-000000000000`))
const [acme, other, shop, blog] = ids as [Id, Id, Id, Id]
const states: readonly State[] = ['making', 'active', 'suspended', 'trashed', 'purging', 'none']
const php = (version: string) => version as PhpVersion

interface Known {
  readonly tenants?: readonly object[]
  readonly sites?: readonly object[]
  /** name → site and tenant */
  readonly hosts?: Readonly<Record<string, { readonly site: Id; readonly tenant: Id }>>
  readonly trashedAt?: string
  /** Paths at which something is. */
  readonly paths?: readonly string[]
  readonly php?: readonly string[]
  readonly now?: string
}

function world({ tenants = [], sites = [], hosts = {}, trashedAt, paths = [], php = [], now = '' }: Known): World {
  const all = (rows: readonly object[]) => rows as readonly { id: Id }[]
  const host = (name: string) => hosts[name] && { name, ...hosts[name] }
  const registry = {
    tenant: (id: Id) => all(tenants).find((one) => one.id === id) as TenantRecord | undefined,
    site: (id: Id) => all(sites).find((one) => one.id === id) as SiteRecord | undefined,
    sitesOf: (id: Id) => (sites as readonly SiteRecord[]).filter((one) => one.tenant === id),
    trashedAt: (id: Id) => (id === shop ? trashedAt : undefined),
    host,
    hostBelow: (name: string, tenant: Id) =>
      Object.keys(hosts)
        .map(host)
        .find((one) => one?.name.endsWith(`.${name}`) && one.tenant !== tenant),
  } as unknown as Registry
  const machine = {
    now: () => new Date(now),
    places: { web: { hosts: '/hosts', host: (name: string) => `/hosts/${name}` } },
    files: { existsNow: (path: string) => paths.includes(path) },
  }
  return { registry, machine, phpVersions: () => php } as unknown as World // all that is asked
}

const tenantOf = (state: State) => ({ id: acme, name: TenantName.parse('acme'), uid: 20_001, state })
const siteOf = (state: State, more: object = {}) => ({
  ...{ id: shop, tenant: acme, fqdn: 'shop.example.com', state, php: null, apart: null },
  ...more,
})

describe('a tenant and a site', () => {
  const said = ['being made', 'active', 'suspended', 'deleted', 'being purged', 'purged']

  it.each(states.map((state, place) => [state, said[place] ?? ''] as const))(
    'that is %s is told so: %s',
    (state, is) => {
      const { registry } = world({ tenants: [tenantOf(state)], sites: [siteOf(state)] })
      const others = states.filter((one) => one !== state)

      expect(tenantIn(registry, acme, [state])).toMatchObject({ id: acme, state })
      expect(siteIn(registry, acme, shop, [state])).toMatchObject({ id: shop, state })
      expect(() => tenantIn(registry, acme, others)).toThrow(`Cannot do this to tenant "acme": it is ${is}`)
      expect(() => siteIn(registry, acme, shop, others)).toThrow(
        `Cannot do this to domain "shop.example.com": it is ${is}`,
      )
    },
  )

  it('that are not there are not found, and those of somebody else alike', () => {
    const { registry } = world({ tenants: [tenantOf('active')], sites: [siteOf('active')] })
    const refused = (what: () => unknown) => {
      try {
        return what()
      } catch (error) {
        return error
      }
    }
    expect(refused(() => tenantIn(registry, other, states))).toMatchObject({ code: 'not_found' })
    for (const [tenant, site] of [
      [acme, blog],
      [other, shop],
    ] as const)
      expect(refused(() => siteIn(registry, tenant, site, states))).toMatchObject({
        code: 'not_found',
        message: `Cannot find domain "${site}" of tenant "${tenant}" on this machine`,
      })
  })

  it('work as a user whose group is the same number', () => {
    expect(identity(tenantOf('active') as unknown as TenantRecord)).toEqual({
      ...{ id: acme, name: 'acme', uid: 20_001, gid: 20_001 },
    })
  })
})

describe('the trash', () => {
  const trashedAt = '2026-03-01T12:00:00.000Z'
  const purge = (now: string, id = shop) => mustHaveRested(world({ trashedAt, now }), id, 'shop.example.com')

  it('keeps what is in it for its days, less the one that a wish may have waited', () => {
    expect(() => purge('2026-03-30T11:59:59.999Z')).toThrow(
      `Cannot purge "shop.example.com": it was deleted at ${trashedAt}, and the trash keeps it 30 days`,
    )
    expect(() => purge('2026-03-30T12:00:00.000Z')).not.toThrow()
  })

  it('holds nothing that was never put there', () => {
    expect(() => purge(trashedAt, blog)).not.toThrow()
  })
})

describe('a name', () => {
  const claim = (names: readonly string[], known: Known = {}) =>
    mayClaim(world(known), { tenant: acme, site: shop, names: names as readonly Fqdn[] })
  const name = 'shop.example.com'
  const mine = { site: shop, tenant: acme }
  const myOther = { site: blog, tenant: acme }
  const theirs = { site: blog, tenant: other }

  it.each<[string, readonly string[], Known]>([
    ['is free', [name], {}],
    ['is the own already, with its place', [name], { hosts: { [name]: mine }, paths: [`/hosts/${name}`] }],
    ['is above and below others of the tenant', [name], { hosts: { 'example.com': myOther, [`a.${name}`]: myOther } }],
    ['is beside one of another tenant', [name], { hosts: { 'blog.example.com': theirs } }],
    ['is one of several', [name, `www.${name}`], { hosts: { [name]: mine } }],
  ])('is claimed that %s', (_, names, known) => {
    expect(() => claim(names, known)).not.toThrow()
  })

  it.each<[string, readonly string[], Known, string]>([
    ['there twice', [name, name], {}, `Cannot use the name "${name}, ${name}": a name is there twice`],
    ['no name', ['-.example.com'], {}, 'Cannot use the name "-.example.com": it '],
    [
      'in capitals',
      ['Shop.example.com'],
      {},
      'Cannot use the name "Shop.example.com": it is not in its canonical form',
    ],
    ['of another site', [name], { hosts: { [name]: myOther } }, `"${name}": another site has it`],
    ['of another tenant', [name], { hosts: { [name]: theirs } }, `"${name}": another site has it`],
    [
      'taken by something unknown',
      [name],
      { paths: [`/hosts/${name}`] },
      `"${name}": its place in the routing table is taken by something unknown`,
    ],
    [
      'below another tenant',
      [name],
      { hosts: { 'example.com': theirs } },
      `"${name}": another tenant has "example.com"`,
    ],
    [
      'below another tenant, and one of the own',
      [`a.${name}`],
      { hosts: { [name]: mine, 'example.com': theirs } },
      `"a.${name}": another tenant has "example.com"`,
    ],
    ['above another tenant', [name], { hosts: { [`a.${name}`]: theirs } }, `"${name}": another tenant has "a.${name}"`],
    ['the second of two', ['www.example.com', name], { hosts: { [name]: theirs } }, `"${name}": another site has it`],
  ])('is refused that is %s', (_, names, known, message) => {
    expect(() => claim(names, known)).toThrow(message)
  })
})

describe('a version of PHP', () => {
  const tenant = { id: acme, name: TenantName.parse('acme') }
  type Before = Pick<SiteRecord, 'php' | 'apart'>
  const use = (
    version: string | null,
    sites: readonly object[],
    {
      installed = ['8.2', '8.4'],
      name = 'shop.example.com',
      before,
    }: { installed?: readonly string[]; name?: string; before?: Before } = {},
  ) => {
    const site = { id: shop, php: version === null ? null : php(version), names: [name as Fqdn] }
    return mayUsePhp(world({ sites, php: installed }), tenant, site, before)
  }
  const beside = (state: State, version: string | null, more: object = {}) =>
    siteOf(state, { id: blog, fqdn: 'blog.example.com', php: version, ...more })

  it('is one that is installed', () => {
    expect(() => use('8.2', [])).not.toThrow()
    expect(() => use(null, [], { installed: [] })).not.toThrow()
    expect(() => use('8.3', [])).toThrow(
      'Cannot use PHP 8.3: it is not installed on this machine (installed: 8.2, 8.4)',
    )
    expect(() => use('8.3', [], { installed: [] })).toThrow(
      'Cannot use PHP 8.3: it is not installed on this machine (none is)',
    )
  })

  it.each<[State, boolean]>(states.map((state) => [state, ['making', 'active', 'suspended'].includes(state)]))(
    'stands apart from that of the other sites of the tenant: one that is %s counts: %s',
    (state, counts) => {
      expect(use('8.2', [siteOf('active', { php: '8.4' }), beside(state, '8.4')])).toBe(counts ? '8.2' : null)
    },
  )

  it('is the own one where the others have the same, none, or another tenant', () => {
    for (const site of [beside('active', '8.2'), beside('active', null), beside('active', '8.4', { tenant: other })])
      expect(use('8.2', [site])).toBeNull()
  })

  it('joins those that stand apart with it, and does not move for nothing', () => {
    const apart = beside('active', '8.2', { apart: '8.2' })
    expect(use('8.2', [apart])).toBe('8.2')
    expect(use('8.4', [apart])).toBeNull()
    expect(use('8.2', [], { before: { php: php('8.2'), apart: php('8.2') } })).toBe('8.2')
    expect(use('8.2', [], { before: { php: php('8.4'), apart: php('8.4') } })).toBeNull()
  })

  it('does not stand apart for a name that leads to the own one alone', () => {
    const name = `${'a'.repeat(60)}.${'b'.repeat(60)}.com`
    expect(() => use('8.2', [beside('active', '8.4')], { name })).toThrow(`Cannot use PHP 8.2 for "${name}"`)
    expect(use('8.4', [beside('active', '8.4')], { name })).toBeNull()
  })
})

it('a place is free, or the first that is not is told', () => {
  const here = world({ paths: ['/b', '/c'] })
  expect(() => mustBeFree(here, ['/a'])).not.toThrow()
  expect(() => mustBeFree(here, ['/a', '/c', '/b'])).toThrow('Cannot use "/c": something is there already')
})
