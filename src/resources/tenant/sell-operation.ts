/** An account is sold in one step: the tenant, the person whose it is, and the first site. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Accepted } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { AcceptedOrAsked } from '../domain/schema.ts'
import { badInput, taken } from '../refusals.ts'
import { withinAllotment } from '../reseller/allotment.ts'
import { chooseSeller } from '../reseller/choose-seller.ts'
import { roleOf } from '../role/built-in-rights.ts'
import { invitation, noPassword } from '../user/invitation.ts'
import { Email } from '../user/schema.ts'
import { createTenant, NewTenant } from './create-tenant.ts'

export const sell = defineOperation({
  name: 'tenant.sell',
  summary: 'Create a tenant with its owner, who is invited, and its first site',
  description:
    'The owner gets a link by mail, valid for three days; where no mail server is configured it is answered, to be handed over. Without package the tenant gets the default package. Sending it again after a failure makes the same tenant anew.',
  effect: 'machine',
  policy: { scopes: ['global', 'reseller'], holders: ['reseller'] },
  stepUp: true,
  answersOnce: true,
  http: 'POST /tenants/sell',
  positional: ['name', 'email'],
  input: () =>
    z.strictObject({
      name: NewTenant.shape.name,
      email: Email.describe('E-mail address of the person whose it is'),
      package: NewTenant.shape.package,
      domain: NewTenant.shape.domain,
      php: NewTenant.shape.php,
      reseller: NewTenant.shape.reseller,
    }),
  output: () =>
    z.strictObject({
      ...Accepted.shape,
      domain: AcceptedOrAsked.nullable(),
      owner: Id,
      /** By which the owner chooses the password; null: it was mailed, or one has been chosen before. */
      link: z.string().nullable(),
    }),
  async run(context, { email, ...input }) {
    const what = `sell "${input.name}"`
    const seller = await chooseSeller(context, what, input.reseller)
    const made = await withinAllotment(context, what, seller, () => createTenant(context, what, input, seller))
    const { id: owner, isInvited } = await ownerOf(context, what, email, made.id)
    await context.tenants.setOwner(made.id, owner)
    return { ...made, owner, link: isInvited ? await invitation(context, owner, email) : null }
  },
})

/**
 * A new customer; the one of the time before, where the tenant is made anew after a failure. To sell is to give the role of
 * customers: in a tenant that is made just now, so that it reaches nothing that was there before, whoever sells.
 */
async function ownerOf(
  context: Context,
  what: string,
  email: Email,
  tenant: Id,
): Promise<{ id: Id; isInvited: boolean }> {
  await context.users.lock(email)
  const known = await context.users.credentials(email)
  if (known === undefined) {
    const id = context.newId()
    await context.users.insert({ id, email, passwordHash: noPassword, role: roleOf.customer, tenantId: tenant })
    return { id, isInvited: true }
  }
  const { id, tenantId, roles, status } = known.user
  if (tenantId !== tenant || roles.some((role) => role !== roleOf.customer))
    taken(what, 'email', email, 'an address that no other user has')
  if (status !== 'active')
    badInput(what, { field: 'email', problem: `is ${status}`, accepted: 'the address of somebody else' })
  return { id, isInvited: known.passwordHash === noPassword }
}
