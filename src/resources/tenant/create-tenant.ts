/** Makes a tenant, and with a domain its first site. */
import { z } from 'zod'
import { type Id, TenantName } from '../../contract/values.ts'
import { DomainName } from '../../lib/domain-name.ts'
import type { Context } from '../context.ts'
import { addDomain } from '../domain/add-domain.ts'
import { PhpChoice } from '../domain/php-choice.ts'
import type { AcceptedOrAsked } from '../domain/schema.ts'
import { limitsOf } from '../package/limits.ts'
import { PackageRef } from '../package/schema.ts'
import { ResellerRef } from '../reseller/schema.ts'
import { UserRef } from '../user/schema.ts'
import { DisplayName, refuseTakenName } from './display-name.ts'
import { tenantCreate } from './jobs.ts'
import { chooseOwner, choosePackage, findFailed } from './new-tenant.ts'
import { isReservedName } from './reserved-names.ts'

export const owner = UserRef.describe('User who is responsible for it, by id or e-mail address')

export const NewTenant = z.strictObject({
  name: TenantName.refine((name) => !isReservedName(name), {
    error: 'a name that the system does not use itself',
  }).describe('Name of the tenant and of its Linux user'),
  displayName: DisplayName.optional(),
  package: PackageRef.optional(),
  owner: owner.optional(),
  reseller: ResellerRef.optional().describe('Reseller whose customer it is'),
  domain: DomainName.optional().describe('First domain, such as shop.example.com'),
  php: PhpChoice.optional().describe('PHP version of the first domain, or none'),
})

/** The tenant's row and job, and those of its first domain. */
export async function createTenant(
  context: Context,
  what: string,
  input: z.output<typeof NewTenant>,
  seller: Id | null,
): Promise<{ id: Id; jobId: Id; domain: z.output<typeof AcceptedOrAsked> | null }> {
  const { name } = input
  const chosen = await choosePackage(context, what, input.package, seller)
  const ownerId = input.owner === undefined ? null : await chooseOwner(context, what, input.owner)
  const failed = await findFailed(context, what, name, seller)
  const id = failed ?? context.newId()
  const { displayName = null } = input
  if (displayName !== null) await refuseTakenName(context, what, displayName, id)
  if (failed === undefined)
    await context.tenants.insert({ id, name, displayName, packageId: chosen.id, ownerId, resellerId: seller })
  else await context.tenants.updateFailed(id, { packageId: chosen.id, displayName, ownerId })
  const jobId = await context.enqueue(tenantCreate, { tenant: id, name, limits: limitsOf(chosen) })
  const first = { fqdn: input.domain, aliases: [], php: input.php }
  const domain =
    first.fqdn === undefined
      ? null
      : await addDomain(context, { id, name, packageId: chosen.id }, { ...first, fqdn: first.fqdn })
  return { id, jobId, domain }
}
