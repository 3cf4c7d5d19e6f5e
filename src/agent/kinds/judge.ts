/** The questions that several provisioners ask before anything is touched. Each refuses with a `WcpError`. */
import { WcpError } from '../../contract/errors.ts'
import type { Fqdn, Id, PhpVersion } from '../../contract/values.ts'
import { ancestorsOf, canonicalDomain } from '../../lib/domain-name.ts'
import { trashDays } from '../../resources/trash-days.ts'
import type { Registry, SiteRecord, State, TenantRecord } from '../jobs/registry.ts'
import type { TenantIdentity } from '../os/tenant-identity.ts'
import { longestHostInSocket } from '../render/nginx.ts'
import type { World } from './provisioner.ts'

/** As a journaled target holds it. */
export type Tenant = {
  readonly id: Id
  readonly name: TenantIdentity['name']
  readonly uid: number
  readonly gid: number
}

export function identity({ id, name, uid }: TenantRecord): Tenant {
  return { id, name, uid, gid: uid }
}

/** The tenant, in one of the states that the job is for. */
export function tenantIn(registry: Registry, id: Id, states: readonly State[]): TenantRecord {
  const tenant = registry.tenant(id)
  if (tenant === undefined) throw new WcpError('not_found', `Cannot find tenant "${id}" on this machine`)
  if (states.includes(tenant.state)) return tenant
  throw new WcpError('conflict', `Cannot do this to tenant "${tenant.name}": it is ${words[tenant.state]}`)
}

/** The site, which must be this tenant's, in one of the states that the job is for. */
export function siteIn(registry: Registry, tenant: Id, id: Id, states: readonly State[]): SiteRecord {
  const site = registry.site(id)
  // somebody else's is told like one that does not exist
  if (site === undefined || site.tenant !== tenant) {
    throw new WcpError('not_found', `Cannot find domain "${id}" of tenant "${tenant}" on this machine`)
  }
  if (states.includes(site.state)) return site
  throw new WcpError('conflict', `Cannot do this to domain "${site.fqdn}": it is ${words[site.state]}`)
}

const words: Readonly<Record<State, string>> = {
  making: 'being made',
  active: 'active',
  suspended: 'suspended',
  trashed: 'deleted',
  purging: 'being purged',
  none: 'purged',
}

/** The panel counts from the wish to delete, which may have waited for root's word. */
const leastDays = trashDays - 1

/** What is in the trash can be brought back for its days, whatever the panel says (B12). */
export function mustHaveRested({ registry, machine }: World, id: Id, name: string): void {
  const at = registry.trashedAt(id)
  if (at === undefined || machine.now().getTime() - Date.parse(at) >= leastDays * 86_400_000) return
  throw new WcpError(
    'conflict',
    `Cannot purge "${name}": it was deleted at ${at}, and the trash keeps it ${trashDays} days`,
  )
}

export interface Claim {
  readonly tenant: Id
  readonly site: Id
  readonly names: readonly Fqdn[]
}

/** Every name is canonical, free or the site's own, and neither above nor below a name of another tenant (C23). */
export function mayClaim({ registry, machine }: World, { tenant, site, names }: Claim): void {
  if (new Set(names).size !== names.length) throw refusedName(names.join(', '), 'a name is there twice')
  for (const name of names) {
    const canonical = canonicalDomain(name)
    if ('problem' in canonical) throw refusedName(name, `it ${canonical.problem}`)
    if (canonical.name !== name) throw refusedName(name, 'it is not in its canonical form')
    const owner = registry.host(name)
    if (owner !== undefined && owner.site !== site) throw refusedName(name, 'another site has it')
    if (owner === undefined && machine.files.existsNow(machine.places.web.host(name))) {
      throw refusedName(name, 'its place in the routing table is taken by something unknown')
    }
    const related = ancestorsOf(name)
      .map((ancestor) => registry.host(ancestor))
      .find((other) => other !== undefined && other.tenant !== tenant)
    const foreign = related ?? registry.hostBelow(name, tenant)
    if (foreign !== undefined) throw refusedName(name, `another tenant has "${foreign.name}"`)
  }
}

function refusedName(name: string, why: string): WcpError {
  return new WcpError('conflict', `Cannot use the name "${name}": ${why}`)
}

/**
 * Installed. @returns the version as which the site's PHP stands apart; null where the tenant's own PHP is of that version or
 * has nobody else to serve; what runs the same version as before stays where it is
 */
export function mayUsePhp(
  world: World,
  { id: tenant, name }: Pick<Tenant, 'id' | 'name'>,
  site: { readonly id: Id; readonly php: PhpVersion | null; readonly names: readonly Fqdn[] },
  before?: Pick<SiteRecord, 'php' | 'apart'>,
): PhpVersion | null {
  const { php } = site
  if (php === null) return null
  const installed = world.phpVersions()
  if (!installed.includes(php)) {
    const there = installed.length === 0 ? 'none is' : `installed: ${installed.join(', ')}`
    throw new WcpError('conflict', `Cannot use PHP ${php}: it is not installed on this machine (${there})`)
  }
  const apart = before?.php === php ? before.apart : placeFor(world, tenant, site.id, php)
  const most = longestHostInSocket(world.machine.places)
  const long = apart === null ? undefined : site.names.find((host) => host.length > most)
  if (long === undefined) return apart
  throw new WcpError('conflict', `Cannot use PHP ${php} for "${long}": other sites of tenant "${name}" run another`, {
    help: `A name of more than ${most} characters has the PHP version of the tenant's other sites.`,
  })
}

function placeFor({ registry }: World, tenant: Id, site: Id, php: PhpVersion): PhpVersion | null {
  const others = registry.sitesOf(tenant).filter((one) => one.id !== site && isLiving(one) && one.php !== null)
  const own = others.find((one) => one.apart === null)?.php
  const isFree = own === undefined && !others.some((one) => one.apart === php)
  return own === php || isFree ? null : php
}

/** What is served, or will be. */
export function isLiving({ state }: SiteRecord): boolean {
  return state === 'making' || state === 'active' || state === 'suspended'
}

/** Nothing of somebody else's is at a place that is about to be made. */
export function mustBeFree({ machine }: World, paths: readonly string[]): void {
  const taken = paths.find((path) => machine.files.existsNow(path))
  if (taken !== undefined) throw new WcpError('conflict', `Cannot use "${taken}": something is there already`)
}
