/** Gives a tenant another package, perhaps of another owner, and the machine its limits. */
import { WcpError } from '../../contract/errors.ts'
import type { Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { limitsOf } from '../package/limits.ts'
import { mayChange } from '../status-guard.ts'
import { tenantLimit } from './jobs.ts'
import { choosePackage } from './new-tenant.ts'
import type { Tenant } from './schema.ts'

/** @returns the job; null for a tenant that has the package, or could not be made yet and gets the limits when it is made */
export async function changePackage(
  context: Context,
  what: string,
  tenant: Tenant,
  { ref, seller }: { ref: string | undefined; seller: Id | null },
): Promise<Id | null> {
  const { id, name } = tenant
  const chosen = await choosePackage(context, what, ref, seller)
  await context.tenants.lock(id)
  const mustFit = (used: number, things: string, limit: number | null) => {
    if (limit === null || used <= limit) return
    const because = `it has ${used} ${things} and package "${chosen.name}" allows ${limit}`
    throw new WcpError('limit_reached', `Cannot ${what}: ${because}`, { details: { limit, used } })
  }
  mustFit(await context.tenants.countDomains(id), 'domains', chosen.maxDomains)
  mustFit(await context.databases.countOf(id), 'databases', chosen.maxDatabases)
  const wishes = { packageId: chosen.id, resellerId: seller }
  if (tenant.status === 'error') {
    await context.tenants.updateFailed(id, wishes)
    return null
  }
  if (chosen.id === tenant.packageId && seller === tenant.resellerId) return null
  await mayChange(context, { kind: 'tenant', row: tenant, name, verb: 'update' })
  return await context.enqueue(tenantLimit, { tenant: id, limits: limitsOf(chosen) }, async (row) => {
    await context.tenants.update(row, wishes)
    await context.tenants.limitsQueued(row)
  })
}
