/** Users: the people who sign in. */
import { z } from 'zod'
import type { Id } from '../../contract/values.ts'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import {
  type HeldThing,
  type HoldChange,
  suspend as hold,
  holdsShown,
  unsuspend as lift,
  refuseBelowHolds,
} from '../hold/hold.ts'
import { Held, holdRule, liftRule, suspendInput, unsuspendInput } from '../hold/schema.ts'
import { deletedInput, listInput, pageOf, searchInput, sortInput } from '../listing.ts'
import { badInput, conflict } from '../refusals.ts'
import { RoleRef } from '../role/schema.ts'
import { TenantRef } from '../tenant/schema.ts'
import { scopeOf, visibleTenant } from '../visibility.ts'
import { isSelf, refuseLastAdmin, refuseReseller, refuseSelfAndLast, refuseStronger, visibleUser } from './guards.ts'
import { impersonable } from './impersonation.ts'
import { Password, refuseEmailAsPassword } from './password.ts'
import { refuseTaken, roleToGive, tenantFor } from './place.ts'
import { Email, User, UserRef, UserStatus } from './schema.ts'
import { askToVerify } from './verify-address.ts'

const target = { user: UserRef }
const email = Email.describe('E-mail address, with which the user signs in')
const role = RoleRef.describe('First role: system_admin sees and does everything, user has one tenant')
const tenant = TenantRef.describe('Tenant of a user, by id or name')

export const list = defineOperation({
  name: 'user.list',
  summary: 'List users',
  effect: 'read',
  policy: { scopes: ['global', 'reseller'] },
  http: 'GET /users',
  positional: [],
  columns: ['email', 'roles', 'status', 'tenantName', 'tenantStatus'],
  input: () =>
    z.strictObject({
      role: RoleRef.optional().describe('Users with this role only'),
      tenant: TenantRef.optional().describe('Users of this tenant only'),
      status: UserStatus.optional().describe('Users in this status only; with a closed tenant its users are suspended'),
      ...searchInput,
      ...sortInput,
      ...deletedInput,
      ...listInput,
    }),
  output: () => pageOf(User),
  async run(context, { tenant, role, ...query }) {
    const scope = scopeOf(context.actor)
    const tenantId = tenant === undefined ? undefined : (await visibleTenant(context, tenant)).id
    const roleId = role === undefined ? undefined : (await context.roles.get(role, { scope })).id
    return context.users.list({ ...query, scope, tenantId, roleId })
  },
})

export const get = defineOperation({
  name: 'user.get',
  summary: 'Show a user',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /users/{user}',
  positional: ['user'],
  input: () => z.strictObject(target),
  output: () => User,
  async run(context, input) {
    const deleted = (await context.users.find(input.user, { scope: scopeOf(context.actor) })) === undefined
    const user = await visibleUser(context, input.user, { deleted })
    return { ...user, holds: await holdsShown(context, { kind: 'user', id: user.id }) }
  },
})

export const create = defineOperation({
  name: 'user.create',
  summary: 'Create a user',
  effect: 'write',
  policy: { scopes: ['global', 'reseller'], isSensitive: true },
  stepUp: true,
  http: 'POST /users',
  positional: ['email'],
  secret: ['password'],
  input: () => z.strictObject({ email, password: Password, role, tenant: tenant.optional() }),
  output: () => Done,
  async run(context, input) {
    const what = `create user "${input.email}"`
    refuseEmailAsPassword(what, input.email, input.password)
    const role = await roleToGive(context, what, input.role)
    const tenantId = await tenantFor(context, what, role, input.tenant)
    await refuseTaken(context, what, input.email)
    const id = context.newId()
    const passwordHash = await context.hashPassword(input.password)
    await context.users.insert({ id, email: input.email, passwordHash, role: role.name, tenantId })
    return { id }
  },
})

export const update = defineOperation({
  name: 'user.update',
  summary: 'Change the e-mail address, the password or the role of a user',
  description:
    'A new password, role or tenant ends all sessions of the user. Customers change their own address and password only. Your own address changes once a mail to the new one has been answered; the old one is told.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'], isSensitive: true },
  stepUp: true,
  http: 'PATCH /users/{user}',
  positional: ['user'],
  secret: ['password'],
  input: () =>
    z.strictObject({
      ...target,
      email: email.optional(),
      password: Password.optional(),
      role: role.optional().describe('Role instead of all that the user has'),
      tenant: tenant.optional(),
    }),
  output: () => Done,
  async run(context, input) {
    const { users } = context
    const user = await visibleUser(context, input.user)
    const { id } = user
    const what = `update user "${user.email}"`
    await refuseStronger(context, what, user)
    await refuseBelowHolds(context, what, held(user))
    const movesPlace = input.role !== undefined || input.tenant !== undefined
    const place = movesPlace ? await newPlace(context, what, user, input) : {}
    if (input.password !== undefined) refuseEmailAsPassword(what, input.email ?? user.email, input.password)
    if (input.email !== undefined && input.email !== user.email) await changeEmail(context, what, user, input.email)
    if (movesPlace) await users.update(id, place)
    if (input.password !== undefined) await users.setPasswordHash(id, await context.hashPassword(input.password))
    if (movesPlace || input.password !== undefined) await users.endSessions(id)
    return { id }
  },
})

export const suspend = defineOperation({
  name: 'user.suspend',
  summary: 'Suspend a user: signed out at once, and kept from signing in',
  description: holdRule,
  effect: 'write',
  policy: { scopes: ['global', 'reseller'], isSensitive: true },
  http: 'POST /users/{user}/suspend',
  positional: ['user'],
  input: () => z.strictObject({ ...target, ...suspendInput }),
  output: () => Held,
  async run(context, { user: ref, ...why }) {
    const user = await visibleUser(context, ref)
    const what = `suspend user "${user.email}"`
    await refuseStronger(context, what, user)
    await refuseSelfAndLast(context, what, user)
    const close = async (change: HoldChange) => {
      await change()
      await context.users.setStatus(user.id, 'suspended')
      await context.users.endSessions(user.id)
      return null
    }
    const { holds } = await hold(context, held(user), why, close)
    return { id: user.id, holds }
  },
})

export const unsuspend = defineOperation({
  name: 'user.unsuspend',
  summary: 'Lift a hold on a user: with the last one the user may sign in again',
  description: liftRule,
  effect: 'write',
  policy: { scopes: ['global', 'reseller'], isSensitive: true },
  http: 'POST /users/{user}/unsuspend',
  positional: ['user'],
  input: () => z.strictObject({ ...target, ...unsuspendInput }),
  output: () => Held,
  async run(context, { user: ref, reason }) {
    const user = await visibleUser(context, ref)
    const what = `unsuspend user "${user.email}"`
    if (user.status === 'active') conflict(what, 'it is active', 'There is nothing to do.')
    await refuseStronger(context, what, user)
    const open = async (change: HoldChange) => {
      await change()
      await context.users.setStatus(user.id, 'active')
      return null
    }
    const { holds } = await lift(context, held(user), reason, open)
    return { id: user.id, holds }
  },
})

export const remove = defineOperation({
  name: 'user.delete',
  summary: 'Move a user to the trash',
  effect: 'write',
  policy: { scopes: ['global', 'reseller'], isSensitive: true },
  stepUp: true,
  http: 'DELETE /users/{user}',
  positional: ['user'],
  confirm: 'Move this user to the trash? It can be restored within 30 days.',
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const user = await visibleUser(context, input.user)
    const what = `delete user "${user.email}"`
    refuseReseller(what, user)
    await refuseStronger(context, what, user)
    await refuseBelowHolds(context, what, held(user))
    await refuseSelfAndLast(context, what, user)
    await context.users.setDeleted(user.id, context.now)
    await context.users.endSessions(user.id)
    return { id: user.id }
  },
})

export const restore = defineOperation({
  name: 'user.restore',
  summary: 'Bring a user back from the trash',
  effect: 'write',
  policy: { scopes: ['global', 'reseller'], isSensitive: true },
  http: 'POST /users/{user}/restore',
  positional: ['user'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const user = await visibleUser(context, input.user, { deleted: true })
    const what = `restore user "${user.email}"`
    refuseReseller(what, user)
    await refuseStronger(context, what, user)
    await refuseTaken(context, what, user.email)
    await context.users.setDeleted(user.id, null)
    return { id: user.id }
  },
})

export const impersonate = defineOperation({
  name: 'user.impersonate',
  summary: 'Act as a reseller or a customer, to see what that one sees',
  description:
    'From a browser only, whose session it changes. Each entry of the audit trail names who really acts. Passwords, roles and settings cannot be changed meanwhile.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller'], isSensitive: true },
  stepUp: true,
  http: 'POST /users/{user}/impersonate',
  positional: ['user'],
  confirm: 'Act as this person? It is recorded under your name, and ends by itself after 30 minutes.',
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const user = await impersonable(context, input.user)
    if (context.session === null)
      conflict(
        `act as user "${user.email}"`,
        'this call has no browser session',
        'Sign in to the panel and do it there.',
      )
    await context.session.actAs(user.id)
    return { id: user.id }
  },
})

function held({ id, email, status }: User): HeldThing {
  return { kind: 'user', id, name: email, tenantId: null, isClosed: status === 'suspended' }
}

/** A change of another's address is trusted; one's own has to be verified. */
async function changeEmail(context: Context, what: string, user: User, email: Email): Promise<void> {
  if (isSelf(context.actor, user)) return await askToVerify(context, what, user, email)
  await refuseTaken(context, what, email)
  await context.users.update(user.id, { email })
  if (context.canMail) await context.mails.queue('address-changed', user.email, null)
}

/** Another role, tenant or both; staff and resellers move users, customers do not move themselves. */
async function newPlace(
  context: Context,
  what: string,
  user: User,
  input: { role?: string | undefined; tenant?: string | undefined },
): Promise<{ role: string; tenantId: Id | null } | { tenantId: Id | null }> {
  if (scopeOf(context.actor).kind === 'local')
    badInput(what, {
      field: input.role === undefined ? 'tenant' : 'role',
      problem: 'is not yours to change',
      accepted: 'nothing here',
    })
  refuseReseller(what, user)
  if (user.tenantId !== null)
    await refuseBelowHolds(context, what, { kind: 'tenant', id: user.tenantId, effect: 'lock' })
  if (input.role === undefined) {
    if (user.tenantId === null)
      badInput(what, { field: 'tenant', problem: 'is not for this user', accepted: 'nothing here' })
    return { tenantId: (await visibleTenant(context, input.tenant ?? '')).id }
  }
  const role = await roleToGive(context, what, input.role)
  if (!role.holdsAll) await refuseLastAdmin(context, what, user)
  const kept = role.scope === 'local' ? (user.tenantId ?? undefined) : undefined
  return { role: role.name, tenantId: await tenantFor(context, what, role, input.tenant ?? kept) }
}
