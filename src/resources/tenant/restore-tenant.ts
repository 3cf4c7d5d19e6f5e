/** Brings a tenant back from the trash, with the domains that went there with it. */
import type { Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { claimNames } from '../domain/claim.ts'
import { taken } from '../refusals.ts'
import { tenantRestore } from './jobs.ts'
import type { Tenant } from './schema.ts'

/** Refuses when its name, or a name of its domains, has been taken meanwhile. */
export async function restoreTenant(context: Context, { id, name }: Tenant): Promise<{ id: Id; jobId: Id }> {
  const what = `restore tenant "${name}"`
  await context.tenants.lock(name)
  if (await context.tenants.find(name))
    taken(what, 'tenant', name, 'a tenant whose name nobody took meanwhile; delete the other one first')
  const domains = await context.domains.deletedWithTenant(id)
  await context.domains.lockNames(domains.flatMap(({ fqdn, aliases }) => [fqdn, ...aliases]))
  for (const { id: domainId, fqdn, aliases } of domains)
    await claimNames(context, what, { tenantId: id, domainId, fqdn, aliases })
  const jobId = await context.enqueue(tenantRestore, { tenant: id })
  await context.domains.reclaimNames(domains.map((domain) => domain.id))
  return { id, jobId }
}
