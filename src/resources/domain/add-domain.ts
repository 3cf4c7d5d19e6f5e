/** Makes a domain for a tenant: as `domain.create` does, and `tenant.create` for the first one. */
import type { z } from 'zod'
import type { Fqdn, Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { refuseOverAllowance } from '../package/allowance.ts'
import type { Tenant } from '../tenant/schema.ts'
import { isStaff } from '../visibility.ts'
import { claimNames } from './claim.ts'
import { domainsOfTenant } from './domains-of-tenant.ts'
import { domainCreate } from './jobs.ts'
import { choosePhp, type PhpChoice } from './php-choice.ts'
import { askProofs, recordsOf } from './proof.ts'
import type { AcceptedOrAsked } from './schema.ts'

export interface NewDomain {
  readonly fqdn: Fqdn
  readonly aliases: readonly Fqdn[]
  readonly php: PhpChoice | undefined
}

/** One that waits for a proof, or failed to be made, is made again: the same request can be sent until it works. */
export async function addDomain(
  context: Context,
  tenant: Pick<Tenant, 'id' | 'name' | 'packageId'>,
  { fqdn, aliases, php: choice }: NewDomain,
): Promise<z.output<typeof AcceptedOrAsked>> {
  const what = `create domain "${fqdn}"`
  const php = await choosePhp(context, what, choice)
  await context.tenants.lock(tenant.id)
  const known = await findUnmade(context, tenant.id, fqdn)
  const claim = {
    tenantId: tenant.id,
    names: [fqdn, ...aliases],
    byStaff: isStaff(context.actor),
    ...(known && { domainId: known }),
  }
  await claimNames(context, what, claim)
  if (known === undefined) await refuseOverAllowance(context, what, tenant, domainsOfTenant)
  const waiting = await askProofs(context, what, claim)
  const id = known ?? context.newId()
  await context.domains[known ? 'insertAgain' : 'insert']({ id, tenantId: tenant.id, fqdn, aliases, waiting, php })
  const held = aliases.filter((name) => !waiting.has(name))
  const jobId = waiting.has(fqdn)
    ? null
    : await context.enqueue(domainCreate, { tenant: tenant.id, domain: id, fqdn, aliases: held, php })
  return { id, jobId, records: await recordsOf(context, id) }
}

async function findUnmade({ domains, jobs }: Context, tenantId: Id, fqdn: Fqdn): Promise<Id | undefined> {
  const found = await domains.find(fqdn, { tenantId })
  if (found?.status === 'pending') await jobs.refuseBusy('domain', found.id)
  return found?.status === 'error' || found?.status === 'unverified' ? found.id : undefined
}
