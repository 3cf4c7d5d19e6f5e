/** How many of something a package allows. */
import { WcpError } from '../../contract/errors.ts'
import type { Context } from '../context.ts'
import type { Tenant } from '../tenant/schema.ts'

export interface Counted {
  readonly limit: 'maxDomains' | 'maxDatabases'
  readonly one: string
  readonly many: string
  count(context: Context, tenant: Tenant['id']): Promise<number>
  /** Whatever a package says; none where it is left out. */
  readonly ceiling?: number
}

/** Counts inside the transaction, with the tenant held: of many requests at once exactly as many get through as fit. */
export async function refuseOverAllowance(
  context: Context,
  what: string,
  tenant: Pick<Tenant, 'id' | 'name' | 'packageId'>,
  { limit, one, many, count, ceiling = Number.POSITIVE_INFINITY }: Counted,
): Promise<void> {
  await context.tenants.lock(tenant.id)
  const { name, ...limits } = await context.packages.get(tenant.packageId)
  const used = await count(context, tenant.id)
  const most = Math.min(limits[limit] ?? ceiling, ceiling)
  if (used < most) return
  const has = `tenant "${tenant.name}" has ${used} ${used === 1 ? one : many}`
  throw new WcpError('limit_reached', `Cannot ${what}: ${has}, and package "${name}" allows ${most}`, {
    details: { limit: most, used },
  })
}
