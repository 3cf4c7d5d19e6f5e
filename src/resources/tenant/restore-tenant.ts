/** Brings a tenant back from the trash, with the domains that went there with it. */
import type { Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { claimAgain } from '../domain/claim.ts'
import { closedIfHeld } from '../hold/hold.ts'
import { taken } from '../refusals.ts'
import { isStaff } from '../visibility.ts'
import { refuseTakenName } from './display-name.ts'
import { tenantRestore } from './jobs.ts'
import type { Tenant } from './schema.ts'

/** Refuses when its name, or a name of its domains, has been taken meanwhile. */
export async function restoreTenant(
  context: Context,
  { id, name, displayName }: Tenant,
): Promise<{ id: Id; jobId: Id }> {
  const what = `restore tenant "${name}"`
  await context.tenants.lock(name)
  if (await context.tenants.find(name))
    taken(what, 'tenant', name, 'a tenant whose name nobody took meanwhile; delete the other one first')
  if (displayName !== null) await refuseTakenName(context, what, displayName, id)
  const domains = await context.domains.deletedWithTenant(id)
  await context.domains.lockNames(domains.flatMap(({ fqdn, aliases }) => [fqdn, ...aliases]))
  for (const { id: domainId, fqdn, aliases, unproven } of domains) {
    const names = [fqdn, ...aliases].filter((name) => !unproven.includes(name))
    await claimAgain(context, what, { tenantId: id, domainId, names, byStaff: isStaff(context.actor) })
  }
  const jobId = await context.enqueue(tenantRestore, {
    tenant: id,
    ...(await closedIfHeld(context, { kind: 'tenant', id })),
  })
  const ids = domains.map((domain) => domain.id)
  await context.domains.reclaimNames(ids)
  await context.proofs.lookSoon(ids)
  return { id, jobId }
}
