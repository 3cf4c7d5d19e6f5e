/** The number of databases that a package allows. */
import { WcpError } from '../../contract/errors.ts'
import type { Context } from '../context.ts'
import type { Tenant } from '../tenant/schema.ts'
import { mostOfTenant } from './jobs.ts'

/** Counts inside the transaction, with the tenant held: of many requests at once exactly as many get through as fit. */
export async function refuseOverLimit(
  context: Context,
  what: string,
  tenant: Pick<Tenant, 'id' | 'name' | 'packageId'>,
): Promise<void> {
  await context.tenants.lock(tenant.id)
  const { maxDatabases, name } = await context.packages.get(tenant.packageId)
  const used = await context.databases.countOf(tenant.id)
  const most = Math.min(maxDatabases ?? mostOfTenant, mostOfTenant)
  if (used < most) return
  const has = `tenant "${tenant.name}" has ${used} ${used === 1 ? 'database' : 'databases'}`
  throw new WcpError('limit_reached', `Cannot ${what}: ${has}, and package "${name}" allows ${most}`, {
    details: { limit: most, used },
  })
}
