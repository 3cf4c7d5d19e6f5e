/** The registry's answers to the rest of the root side: who answers for a host name, and how a tenant's PHP is started. */
import type { Fqdn, TenantName } from '../../contract/values.ts'
import { identity } from '../kinds/judge.ts'
import type { Machine } from '../os/machine.ts'
import type { FpmStart } from '../os/services.ts'
import type { HostLookup } from './engine-api.ts'
import type { Registry, SiteRecord } from './registry.ts'

export function lookupHost(registry: Registry, { places, files }: Machine, name: Fqdn): HostLookup {
  const host = registry.host(name)
  const site = host && registry.site(host.site)
  const tenant = site && registry.tenant(site.tenant)
  if (site === undefined || tenant === undefined) return { kind: 'unknown' }
  const { web } = places
  // the markers, not the registry: a suspension that has just begun counts
  const markers = [web.live(tenant.name), `${web.site(tenant.name, site.fqdn)}/live`]
  if (!markers.every((marker) => files.existsNow(marker))) return { kind: 'suspended' }
  if (site.php === null) return { kind: 'static' }
  const { name: tenantName, uid, gid } = identity(tenant)
  const which = { php: site.php, ...(site.apart !== null && { apart: site.apart }) }
  return { kind: 'php', start: { name: tenantName, uid, gid, ...which, limits: tenant.limits } }
}

export function fpmOf(registry: Registry, name: TenantName): FpmStart | undefined {
  const tenant = registry.tenantNamed(name)
  if (tenant === undefined) return undefined
  const php = registry.sitesOf(tenant.id).find(hasPhp)?.php
  if (php == null) return undefined
  const { uid, gid } = identity(tenant)
  return { name, uid, gid, php, limits: tenant.limits }
}

function hasPhp({ php, state }: SiteRecord): boolean {
  return php !== null && (state === 'active' || state === 'suspended')
}
