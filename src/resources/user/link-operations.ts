/** People without a password yet, or without one any more: invited by mail, or by a link that an administrator hands over. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Done } from '../answers.ts'
import { defineOperation } from '../context.ts'
import { RoleRef } from '../role/schema.ts'
import { TenantRef } from '../tenant/schema.ts'
import { ownAccount } from './account.ts'
import { refuseStronger, visibleUser } from './guards.ts'
import { invitation, noPassword } from './invitation.ts'
import { refuseTaken, roleToGive, tenantFor } from './place.ts'
import { Email, UserRef } from './schema.ts'
import { askToVerify } from './verify-address.ts'

/** null: it was mailed. */
const HandedOver = z.strictObject({ id: Id, link: z.string().nullable() })

export const invite = defineOperation({
  name: 'user.invite',
  summary: 'Create a user who chooses the password by a link that is mailed to them',
  description:
    'The link is valid for three days. Where no mail server is configured it is answered, to be handed over.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller'], isSensitive: true },
  stepUp: true,
  answersOnce: true,
  http: 'POST /users/invite',
  positional: ['email'],
  input: () =>
    z.strictObject({
      email: Email.describe('E-mail address, with which the user signs in'),
      role: RoleRef.describe('First role of the user'),
      tenant: TenantRef.optional().describe('Tenant of a user whose role reaches one tenant, by id or name'),
    }),
  output: () => HandedOver,
  async run(context, input) {
    const what = `invite "${input.email}"`
    const role = await roleToGive(context, what, input.role)
    const tenantId = await tenantFor(context, what, role, input.tenant)
    await refuseTaken(context, what, input.email)
    const id = context.newId()
    await context.users.insert({ id, email: input.email, passwordHash: noPassword, role: role.name, tenantId })
    return { id, link: await invitation(context, id, input.email) }
  },
})

export const resetLink = defineOperation({
  name: 'user.reset-link',
  summary: 'Make a link by which a user sets a new password, to be handed over',
  description: 'Valid for one hour, single use. Setting the password ends all sessions of the user.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller'], isSensitive: true },
  stepUp: true,
  answersOnce: true,
  http: 'POST /users/{user}/reset-link',
  positional: ['user'],
  input: () => z.strictObject({ user: UserRef }),
  output: () => z.strictObject({ id: Id, link: z.string() }),
  async run(context, input) {
    const user = await visibleUser(context, input.user)
    await refuseStronger(context, `make a link for "${user.email}"`, user)
    const token = await context.links.create({ user: user.id, purpose: 'password-reset', email: null })
    return { id: user.id, link: context.linkUrl(token) }
  },
})

export const changeEmail = defineOperation({
  name: 'user.change-email',
  summary: 'Change the address of your own account, once a mail to the new one has been answered',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'], isSensitive: true },
  isForEveryone: true,
  stepUp: true,
  http: 'POST /users/{user}/email',
  positional: ['user', 'email'],
  input: () => z.strictObject({ user: UserRef, email: Email.describe('The new address') }),
  output: () => Done,
  async run(context, input) {
    const what = 'change the address of the account'
    const user = await ownAccount(context, what, input.user)
    await askToVerify(context, what, user, input.email)
    return { id: user.id }
  },
})
