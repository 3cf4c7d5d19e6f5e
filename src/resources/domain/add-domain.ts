/** Makes a domain for a tenant: as `domain.create` does, and `tenant.create` for the first one. */
import type { Fqdn, Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import type { Tenant } from '../tenant/schema.ts'
import { claimNames } from './claim.ts'
import { refuseOverLimit } from './domain-limit.ts'
import { domainCreate } from './jobs.ts'
import { choosePhp, type PhpChoice } from './php-choice.ts'

export interface NewDomain {
  readonly fqdn: Fqdn
  readonly aliases: readonly Fqdn[]
  readonly php: PhpChoice | undefined
}

/** One that failed to be made before is made again: the same request can be sent until it works. */
export async function addDomain(
  context: Context,
  tenant: Pick<Tenant, 'id' | 'name' | 'packageId'>,
  { fqdn, aliases, php: choice }: NewDomain,
): Promise<{ id: Id; jobId: Id }> {
  const what = `create domain "${fqdn}"`
  const php = await choosePhp(context, what, choice)
  await context.tenants.lock(tenant.id)
  const failed = await findFailed(context, tenant.id, fqdn)
  await claimNames(context, what, { tenantId: tenant.id, fqdn, aliases, ...(failed && { domainId: failed }) })
  if (failed === undefined) await refuseOverLimit(context, what, tenant)
  const id = failed ?? context.newId()
  if (failed === undefined) await context.domains.insert({ id, tenantId: tenant.id, fqdn, aliases, php })
  const jobId = await context.enqueue(domainCreate, { tenant: tenant.id, domain: id, fqdn, aliases: [...aliases], php })
  if (failed !== undefined) await context.domains.update(id, { aliases, php })
  return { id, jobId }
}

async function findFailed({ domains, jobs }: Context, tenantId: Id, fqdn: Fqdn): Promise<Id | undefined> {
  const found = await domains.find(fqdn, { tenantId })
  if (found?.status === 'pending') await jobs.refuseBusy('domain', found.id)
  return found?.status === 'error' ? found.id : undefined
}
