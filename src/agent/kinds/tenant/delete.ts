/** To the trash, back from it, and out of it for good. */
import type { Fqdn, Id, TenantLimits } from '../../../contract/values.ts'
import { tenantDelete, tenantPurge, tenantRestore } from '../../../resources/tenant/jobs.ts'
import type { Registry, SiteRecord } from '../../jobs/registry.ts'
import type { Machine } from '../../os/machine.ts'
import { movedPath } from '../../steps/moved-path.ts'
import { purgedTree } from '../../steps/purged-tree.ts'
import { stoppedTenant } from '../../steps/stopped-tenant.ts'
import {
  closedDatabases,
  type Database,
  databasesOf,
  livingDatabasesOf,
  openDatabases,
  purgedDatabases,
} from '../database/facts.ts'
import {
  absentHost,
  absentSettings,
  hostFact,
  namesOf,
  phpOptionsFacts,
  routeFacts,
  type SiteIdentity,
  settingsFact,
} from '../domain/facts.ts'
import { identity, mayClaim, mustHaveRested, type Tenant, tenantIn } from '../judge.ts'
import { type Owned, ownedAbsence, ownedBy, ownedFacts } from '../owned.ts'
import { provision } from '../provisioner.ts'
import { absentAccount, accountFacts, closedTenant, liveTenant, tenantFacts } from './facts.ts'

/** null: there is no such tenant, or it is in the trash: its name and places may be somebody else's by now. */
type Deletion = {
  readonly tenant: Tenant
  readonly hosts: readonly Fqdn[]
  readonly sites: readonly Id[]
  readonly owned?: Owned
  /** They stay on their server, where nobody signs in to them. */
  readonly databases?: readonly Database[]
} | null

export const deleteTenant = provision(tenantDelete, {
  async target({ tenant: id }, { registry }): Promise<Deletion> {
    const state = registry.tenant(id)?.state ?? 'none'
    if (state === 'trashed' || state === 'none') return null
    const tenant = tenantIn(registry, id, ['active', 'suspended'])
    const sites = livingSites(registry, id)
    const hosts = sites.flatMap(namesOf)
    const owned = ownedBy(registry, id)
    const databases = livingDatabasesOf(registry, id)
    return { tenant: identity(tenant), hosts, sites: sites.map((site) => site.id), owned, databases }
  },
  steps(target, machine) {
    if (target === null) return []
    // a target that an older version journaled has none
    const { tenant, hosts, owned = {}, databases } = target
    const { customer, web } = trashOf(machine, tenant)
    return [
      closedTenant(machine, tenant),
      ...hosts.map((name) => absentHost(machine, name)),
      absentSettings(hosts),
      stoppedTenant(tenant.name),
      ...closedDatabases(databases),
      ...ownedAbsence(machine, tenant, owned),
      ...absentAccount(machine, tenant),
      movedPath({ ...web, ifMissing: 'nothing to move' }),
      movedPath({ ...customer, ifMissing: 'nothing to move' }),
    ]
  },
  settle(registry, target) {
    if (target === null) return
    registry.setTenantState(target.tenant.id, 'trashed')
    for (const site of target.sites) registry.releaseHosts(site)
  },
})

type LivingSite = SiteIdentity & { readonly isLive: boolean }
type Restoration = {
  readonly tenant: Tenant
  readonly limits: TenantLimits
  readonly sites: readonly LivingSite[]
  /** Deleting the tenant removed the web server's links and markers: they are made anew. */
  readonly isWebLost: boolean
  readonly wasDeleted: boolean
  /** It was closed when it was deleted. */
  readonly isSuspended: boolean
  readonly owned?: Owned
  readonly databases?: readonly Database[]
}

/** Sites that were deleted before the tenant stay in the trash; the others come back as they were. */
export const restoreTenant = provision(tenantRestore, {
  async target({ tenant: id, isSuspended = false }, world): Promise<Restoration> {
    const found = tenantIn(world.registry, id, ['trashed', isSuspended ? 'suspended' : 'active'])
    const sites = livingSites(world.registry, id)
    for (const site of sites) mayClaim(world, { tenant: id, site: site.id, names: namesOf(site) })
    return {
      tenant: identity(found),
      limits: found.limits,
      sites: sites.map(({ id, fqdn, aliases, php, apart, settings, state }) => ({
        ...{ id, fqdn, aliases, php, apart, settings },
        isLive: state === 'active',
      })),
      isWebLost: isLost(world.machine, trashOf(world.machine, identity(found)).web),
      wasDeleted: found.state === 'trashed',
      isSuspended,
      owned: ownedBy(world.registry, id),
      databases: livingDatabasesOf(world.registry, id),
    }
  },
  reserve(registry, { sites }) {
    for (const site of sites) registry.claimHosts(site.id, namesOf(site))
  },
  steps({ tenant, limits, sites, isWebLost, isSuspended, owned = {}, databases }, machine) {
    const { customer, web } = trashOf(machine, tenant)
    return [
      movedPath({ from: customer.to, to: customer.from, ifMissing: 'fail' }),
      ...(isWebLost
        ? [...tenantFacts(machine, tenant, limits), ...sites.flatMap((s) => routeFacts(machine, tenant, s, s.isLive))]
        : [movedPath({ from: web.to, to: web.from, ifMissing: 'fail' }), ...accountFacts(machine, tenant, limits)]),
      ...ownedFacts(machine, tenant, owned),
      ...sites.flatMap((site) => phpOptionsFacts(machine, tenant, site)),
      settingsFact(machine, tenant, sites),
      ...sites.flatMap((site) => namesOf(site).map((name) => hostFact(machine, tenant, site, name))),
      ...(isSuspended ? closedDatabases(databases) : openDatabases(databases)),
      isSuspended ? closedTenant(machine, tenant) : liveTenant(machine, tenant),
    ]
  },
  settle: (registry, { tenant, isSuspended }) =>
    registry.setTenantState(tenant.id, isSuspended ? 'suspended' : 'active'),
  release(registry, { sites, wasDeleted }) {
    if (wasDeleted) for (const site of sites) registry.releaseHosts(site.id)
  },
})

type Purge = {
  readonly tenant: Tenant
  readonly sites: readonly Id[]
  readonly databases?: readonly Database[]
} | null

export const purgeTenant = provision(tenantPurge, {
  async target({ tenant: id }, world): Promise<Purge> {
    const { registry } = world
    if ((registry.tenant(id)?.state ?? 'none') === 'none') return null
    const tenant = tenantIn(registry, id, ['trashed', 'purging'])
    if (tenant.state === 'trashed') mustHaveRested(world, id, tenant.name)
    const databases = databasesOf(registry, id)
    return { tenant: identity(tenant), sites: registry.sitesOf(id).map((site) => site.id), databases }
  },
  // what is half removed can no longer be restored
  reserve(registry, target) {
    if (target !== null) registry.setTenantState(target.tenant.id, 'purging')
  },
  steps(target, machine) {
    if (target === null) return []
    const { places } = machine
    const trashed = [target.tenant.id, ...target.sites]
    return [
      ...purgedDatabases(machine, target.tenant, target.databases),
      ...trashed.map((id) => purgedTree(`${places.customers.trash}/${id}`)),
      ...trashed.map((id) => purgedTree(`${places.web.trash}/${id}`)),
      purgedTree(places.tenantLogs(target.tenant.name)),
      purgedTree(places.tenantRuns(target.tenant.name)),
    ]
  },
  settle(registry, target) {
    if (target === null) return
    for (const site of target.sites) registry.setSiteState(site, 'none')
    registry.dropThingsOf(target.tenant.id)
    registry.setTenantState(target.tenant.id, 'none')
  },
})

/** Not those that were deleted on their own. */
function livingSites(registry: Registry, tenant: Id): readonly SiteRecord[] {
  return registry.sitesOf(tenant).filter(({ state }) => state === 'active' || state === 'suspended')
}

function isLost({ files }: Machine, { from, to }: { from: string; to: string }): boolean {
  return !files.existsNow(from) && !files.existsNow(to)
}

function trashOf({ places: { customers, web } }: Machine, { id, name }: Tenant) {
  return {
    customer: { from: customers.tenant(name), to: `${customers.trash}/${id}` },
    web: { from: web.tenant(name), to: `${web.trash}/${id}` },
  }
}
