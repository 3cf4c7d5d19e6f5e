import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { Id } from '../../contract/values.ts'
import { openDatabase } from '../../program/native-sqlite.ts'
import type { Machine } from '../os/machine.ts'
import { fpmOf, lookupHost } from './lookup.ts'
import { migrateAgent } from './migrate-agent.ts'
import { agentMigrations } from './migrations/index.ts'
import { Registry, type SiteRecord } from './registry.ts'

const limits = { cpuPct: null, memMb: 512, pids: null, ioMbps: null, diskMb: null }
const tenant = Id.parse(randomUUID())
const start = { name: 'acme', uid: 20_000, gid: 20_000, php: '8.4', limits }
const tenantMarker = '/live/acme'
const siteMarker = '/sites/acme/shop.example.com/live'

let registry: Registry
beforeEach(() => {
  const database = openDatabase(':memory:')
  migrateAgent(database, agentMigrations)
  registry = new Registry(database)
  registry.addTenant({ id: tenant, name: 'acme' as never, uid: 20_000, state: 'active', limits })
})

function addSite(given: Partial<SiteRecord> = {}): SiteRecord {
  const site = {
    id: Id.parse(randomUUID()),
    tenant,
    fqdn: 'shop.example.com' as never,
    aliases: [],
    php: null,
    apart: null,
  }
  const added = { ...site, state: 'active', https: 'redirect', settings: {}, ...given } as const
  registry.addSite(added)
  registry.claimHosts(added.id, [added.fqdn, ...added.aliases])
  return added
}

function lookedUp(name: string, markers: readonly string[] = [tenantMarker, siteMarker]) {
  const web = { live: (of: string) => `/live/${of}`, site: (of: string, fqdn: string) => `/sites/${of}/${fqdn}` }
  const files = { existsNow: (path: string) => markers.includes(path) }
  return lookupHost(registry, { places: { web }, files } as unknown as Machine, name as never)
}

describe('a host name', () => {
  it('is answered with how its PHP is started, by each name of the site', () => {
    addSite({ php: '8.4' as never, aliases: ['www.example.com' as never] })

    expect(lookedUp('shop.example.com')).toEqual({ kind: 'php', start })
    expect(lookedUp('www.example.com')).toEqual({ kind: 'php', start })
  })

  it('is unknown without a site, and static without PHP', () => {
    addSite()

    expect(lookedUp('other.example.com')).toEqual({ kind: 'unknown' })
    expect(lookedUp('shop.example.com')).toEqual({ kind: 'static' })
  })

  it.each([
    ['tenant', siteMarker],
    ['site', tenantMarker],
  ])('is suspended when the marker of the %s is gone, whatever the registry says', (_whose, left) => {
    addSite({ php: '8.4' as never })

    expect(lookedUp('shop.example.com', [left])).toEqual({ kind: 'suspended' })
  })
})

it('is a site whose PHP stands apart, where it does', () => {
  addSite({ php: '8.3' as never, apart: '8.3' as never })

  expect(lookedUp('shop.example.com')).toEqual({ kind: 'php', start: { ...start, php: '8.3', apart: '8.3' } })
})

describe('the PHP of a tenant', () => {
  const named = () => fpmOf(registry, 'acme' as never)

  it('is that of its first site with PHP that can be served', () => {
    addSite({ fqdn: 'a.example.com' as never })
    addSite({ php: '8.4' as never })

    expect(named()).toEqual(start)
    expect(fpmOf(registry, 'other' as never)).toBeUndefined()
  })

  it.each([
    ['active', true],
    ['suspended', true],
    ['making', false],
    ['trashed', false],
    ['purging', false],
  ] as const)('with a site that is %s: %s', (state, isStarted) => {
    addSite({ php: '8.4' as never, state })

    expect(named() !== undefined).toBe(isStarted)
  })

  it('is none while no site has PHP', () => {
    addSite()

    expect(named()).toBeUndefined()
  })
})
