/** Users: the people who sign in. */
import { z } from 'zod'
import { Done } from '../answers.ts'
import { type Actor, type Context, defineOperation } from '../context.ts'
import { deletedInput, listInput, pageOf, searchInput } from '../listing.ts'
import { badInput, conflict, notFound, taken } from '../refusals.ts'
import { TenantRef } from '../tenant/schema.ts'
import { onlyTenant } from '../visibility.ts'
import { Password, refuseEmailAsPassword } from './password.ts'
import { Email, RoleName, User, UserRef, UserStatus } from './schema.ts'

const target = { user: UserRef }
const email = Email.describe('E-mail address, with which the user signs in')
const role = RoleName.describe('system_admin sees and does everything, user has one tenant')
const tenant = TenantRef.describe('Tenant of a user, by id or name')

export const list = defineOperation({
  name: 'user.list',
  summary: 'List users',
  effect: 'read',
  http: 'GET /users',
  positional: [],
  columns: ['email', 'role', 'tenantName', 'status'],
  input: z.strictObject({
    role: RoleName.optional().describe('Users with this role only'),
    tenant: TenantRef.optional().describe('Users of this tenant only'),
    status: UserStatus.optional().describe('Users in this status only'),
    ...searchInput,
    ...deletedInput,
    ...listInput,
  }),
  output: pageOf(User),
  async run({ users, tenants }, { tenant, ...query }) {
    return users.list({ ...query, tenantId: tenant === undefined ? undefined : (await tenants.get(tenant)).id })
  },
})

export const get = defineOperation({
  name: 'user.get',
  summary: 'Show a user',
  effect: 'read',
  http: 'GET /users/{user}',
  positional: ['user'],
  input: z.strictObject(target),
  output: User,
  async run(context, input) {
    const deleted = (await context.users.find(input.user)) === undefined
    return visibleUser(context, input.user, { deleted })
  },
})

export const create = defineOperation({
  name: 'user.create',
  summary: 'Create a user',
  effect: 'write',
  http: 'POST /users',
  positional: ['email'],
  secret: ['password'],
  input: z.strictObject({ email, password: Password, role, tenant: tenant.optional() }),
  output: Done,
  async run(context, input) {
    const what = `create user "${input.email}"`
    refuseEmailAsPassword(what, input.email, input.password)
    const tenantId = await tenantFor(context, what, input)
    await refuseTaken(context, what, input.email)
    const id = context.newId()
    const passwordHash = await context.hashPassword(input.password)
    await context.users.insert({ id, email: input.email, passwordHash, role: input.role, tenantId })
    return { id }
  },
})

export const update = defineOperation({
  name: 'user.update',
  summary: 'Change the e-mail address, the password or the role of a user',
  description:
    'A new password, role or tenant ends all sessions of the user. Customers change their own address and password only.',
  effect: 'write',
  http: 'PATCH /users/{user}',
  positional: ['user'],
  secret: ['password'],
  input: z.strictObject({
    ...target,
    email: email.optional(),
    password: Password.optional(),
    role: role.optional(),
    tenant: tenant.optional(),
  }),
  output: Done,
  async run(context, input) {
    const { users, actor } = context
    const user = await visibleUser(context, input.user)
    const { id } = user
    const what = `update user "${user.email}"`
    const movesRole = input.role !== undefined || input.tenant !== undefined
    if (movesRole && onlyTenant(actor) !== null)
      badInput(what, {
        field: input.role === undefined ? 'tenant' : 'role',
        problem: 'is not yours to change',
        accepted: 'nothing here',
      })
    if (input.password !== undefined) refuseEmailAsPassword(what, input.email ?? user.email, input.password)
    if (input.email !== undefined && input.email !== user.email) await refuseTaken(context, what, input.email)
    if (user.role === 'system_admin' && input.role === 'user') await refuseLastAdmin(context, what, user)

    if (input.email !== undefined) await users.update(id, { email: input.email })
    if (movesRole) {
      const wanted = {
        role: input.role ?? user.role,
        tenant: input.tenant ?? (input.role === undefined ? undefined : (user.tenantId ?? undefined)),
      }
      const tenantId = await tenantFor(
        context,
        what,
        wanted.role === 'user' ? wanted : { role: wanted.role, tenant: input.tenant },
      )
      await users.update(id, { role: wanted.role, tenantId })
    }
    if (input.password !== undefined) await users.setPasswordHash(id, await context.hashPassword(input.password))
    if (movesRole || input.password !== undefined) await users.endSessions(id)
    return { id }
  },
})

export const suspend = defineOperation({
  name: 'user.suspend',
  summary: 'Suspend a user: signed out at once, and kept from signing in',
  effect: 'write',
  http: 'POST /users/{user}/suspend',
  positional: ['user'],
  input: z.strictObject(target),
  output: Done,
  async run(context, input) {
    const user = await visibleUser(context, input.user)
    const what = `suspend user "${user.email}"`
    if (user.status === 'suspended') conflict(what, 'it is suspended already', 'Unsuspend brings it back.')
    await refuseSelfAndLast(context, what, user)
    await context.users.setStatus(user.id, 'suspended')
    await context.users.endSessions(user.id)
    return { id: user.id }
  },
})

export const unsuspend = defineOperation({
  name: 'user.unsuspend',
  summary: 'Let a suspended user sign in again',
  effect: 'write',
  http: 'POST /users/{user}/unsuspend',
  positional: ['user'],
  input: z.strictObject(target),
  output: Done,
  async run(context, input) {
    const user = await visibleUser(context, input.user)
    if (user.status === 'active') conflict(`unsuspend user "${user.email}"`, 'it is active', 'There is nothing to do.')
    await context.users.setStatus(user.id, 'active')
    return { id: user.id }
  },
})

export const remove = defineOperation({
  name: 'user.delete',
  summary: 'Move a user to the trash',
  effect: 'write',
  http: 'DELETE /users/{user}',
  positional: ['user'],
  confirm: 'Move this user to the trash? It can be restored within 30 days.',
  input: z.strictObject(target),
  output: Done,
  async run(context, input) {
    const user = await visibleUser(context, input.user)
    await refuseSelfAndLast(context, `delete user "${user.email}"`, user)
    await context.users.setDeleted(user.id, context.now)
    await context.users.endSessions(user.id)
    return { id: user.id }
  },
})

export const restore = defineOperation({
  name: 'user.restore',
  summary: 'Bring a user back from the trash',
  effect: 'write',
  http: 'POST /users/{user}/restore',
  positional: ['user'],
  input: z.strictObject(target),
  output: Done,
  async run(context, input) {
    const user = await visibleUser(context, input.user, { deleted: true })
    await refuseTaken(context, `restore user "${user.email}"`, user.email)
    await context.users.setDeleted(user.id, null)
    return { id: user.id }
  },
})

/** A customer sees himself only. */
async function visibleUser(context: Context, ref: string, options?: { deleted?: boolean }): Promise<User> {
  const user = await context.users.get(ref, options)
  return onlyTenant(context.actor) === null || isSelf(context.actor, user) ? user : notFound('user', ref)
}

function isSelf(actor: Actor, user: User): boolean {
  return actor.kind === 'user' && actor.id === user.id
}

async function refuseTaken({ users }: Context, what: string, address: string): Promise<void> {
  await users.lock(address)
  if (await users.find(address)) taken(what, 'email', address, 'an address that no other user has')
}

async function refuseSelfAndLast(context: Context, what: string, user: User): Promise<void> {
  if (isSelf(context.actor, user)) conflict(what, 'that is you', 'Let another administrator do it.')
  await refuseLastAdmin(context, what, user)
}

async function refuseLastAdmin({ users }: Context, what: string, user: User): Promise<void> {
  if (user.role !== 'system_admin' || user.status !== 'active') return
  if ((await users.countAdmins()) <= 1)
    conflict(what, 'it is the last administrator', 'Create another administrator first.')
}

/** A user has one tenant, an administrator none. */
async function tenantFor({ tenants }: Context, what: string, input: { role: RoleName; tenant?: string | undefined }) {
  if (input.role === 'system_admin') {
    if (input.tenant === undefined) return null
    return badInput(what, { field: 'tenant', problem: 'is not for an administrator', accepted: 'nothing here' })
  }
  if (input.tenant === undefined)
    return badInput(what, { field: 'tenant', problem: 'is missing', accepted: 'the id or the name of a tenant' })
  const found = await tenants.find(input.tenant)
  if (found === undefined)
    return badInput(what, { field: 'tenant', problem: 'does not exist', accepted: 'the id or the name of a tenant' })
  return found.id
}
