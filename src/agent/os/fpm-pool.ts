/**
 * Which PHP-FPM master of a tenant: its own, or one apart for sites that run another version. A tenant whose sites all run
 * one version has the first alone, named as the tenant.
 */
import { PhpVersion, TenantName } from '../../contract/values.ts'

/** Part of names of sockets, units and records. A tenant's name has no dash. */
export type FpmPool = TenantName | `${string}-${PhpVersion}`

/** @param apart the version whose sites are served by a master of their own; undefined for the tenant's own */
export function poolOf(tenant: TenantName, apart?: PhpVersion): FpmPool {
  return apart === undefined ? tenant : `${tenant}-${apart}`
}

/** undefined for what no pool is called. */
export function parsePool(text: string): FpmPool | undefined {
  const [name, version, ...more] = text.split('-')
  const tenant = TenantName.safeParse(name)
  if (!tenant.success || more.length > 0) return undefined
  if (version === undefined) return tenant.data
  const apart = PhpVersion.safeParse(version)
  return apart.success ? poolOf(tenant.data, apart.data) : undefined
}

export function tenantOf(pool: FpmPool): TenantName {
  return TenantName.parse(pool.split('-')[0])
}

/** All that a tenant can have. */
export function poolsOf(tenant: TenantName): readonly FpmPool[] {
  return [poolOf(tenant), ...PhpVersion.options.map((version) => poolOf(tenant, version))]
}

/** What tells it from the tenant's own, in a name that bears no tenant: nothing, or a dash and the version. */
export function suffixOf(pool: FpmPool): string {
  return pool.slice(tenantOf(pool).length)
}
