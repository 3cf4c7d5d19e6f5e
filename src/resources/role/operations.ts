/** Roles: who may do what. Nobody gives away more than he has, and what changes holds from the next request on. */
import { z } from 'zod'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { deletedInput, listInput, pageOf, searchInput } from '../listing.ts'
import { badInput, conflict, taken } from '../refusals.ts'
import { demandHolding } from '../rights.ts'
import { placeOf, refuseLastAdmin, refuseStronger, visibleUser } from '../user/guards.ts'
import { type User, UserRef } from '../user/schema.ts'
import { scopeOf } from '../visibility.ts'
import { Permission, Role, RoleName, RoleRef, RoleScope } from './schema.ts'

const target = { role: RoleRef }
const assignment = { ...target, user: UserRef }
const permissions = z
  .array(Permission, { error: 'a list of operations such as domain.create' })
  .min(1, { error: 'at least one operation' })
  .max(200, { error: 'at most 200 operations' })
  .describe('Operations that it allows')

export const list = defineOperation({
  name: 'role.list',
  summary: 'List roles',
  effect: 'read',
  policy: { scopes: ['global', 'reseller'] },
  http: 'GET /roles',
  positional: [],
  columns: ['name', 'scope', 'isBuiltIn', 'users', 'permissions'],
  input: () => z.strictObject({ ...searchInput, ...deletedInput, ...listInput }),
  output: () => pageOf(Role),
  run: ({ roles, actor }, input) => roles.list({ ...input, scope: scopeOf(actor) }),
})

export const get = defineOperation({
  name: 'role.get',
  summary: 'Show a role',
  effect: 'read',
  policy: { scopes: ['global', 'reseller'] },
  http: 'GET /roles/{role}',
  positional: ['role'],
  input: () => z.strictObject(target),
  output: () => Role,
  async run({ roles, actor }, input) {
    const scope = scopeOf(actor)
    return (await roles.find(input.role, { scope })) ?? roles.get(input.role, { scope, deleted: true })
  },
})

export const create = defineOperation({
  name: 'role.create',
  summary: 'Create a role of permissions that you have yourself',
  description: 'The scope says how far it reaches, and so who can have it: staff, a reseller, or the user of a tenant.',
  effect: 'write',
  policy: { scopes: ['global'], isSensitive: true },
  stepUp: true,
  http: 'POST /roles',
  positional: ['name'],
  input: () => z.strictObject({ name: RoleName, scope: RoleScope, permissions }),
  output: () => Done,
  async run(context, { name, scope, permissions }) {
    const what = `create role "${name}"`
    demandFitting(context, what, scope, permissions)
    await refuseTaken(context, what, name)
    const id = context.newId()
    await context.roles.insert({ id, name, scope, permissions: [...new Set(permissions)] })
    return { id }
  },
})

export const update = defineOperation({
  name: 'role.update',
  summary: 'Change the name or the permissions of a role',
  description: 'Permissions that are given replace all that were there, for everybody who has the role, at once.',
  effect: 'write',
  policy: { scopes: ['global'], isSensitive: true },
  stepUp: true,
  http: 'PATCH /roles/{role}',
  positional: ['role'],
  input: () => z.strictObject({ ...target, name: RoleName.optional(), permissions: permissions.optional() }),
  output: () => Done,
  async run(context, { role: ref, name, permissions }) {
    const role = await own(context, ref, 'update')
    const what = `update role "${role.name}"`
    if (permissions !== undefined) demandFitting(context, what, role.scope, permissions)
    if (name !== undefined && name !== role.name) await refuseTaken(context, what, name)
    await context.roles.update(role.id, { name, permissions: permissions && [...new Set(permissions)] })
    return { id: role.id }
  },
})

export const remove = defineOperation({
  name: 'role.delete',
  summary: 'Move a role to the trash',
  description: 'Refused while a user has it.',
  effect: 'write',
  policy: { scopes: ['global'], isSensitive: true },
  stepUp: true,
  http: 'DELETE /roles/{role}',
  positional: ['role'],
  confirm: 'Move this role to the trash? It can be restored within 30 days.',
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const role = await own(context, input.role, 'delete')
    if (role.users > 0)
      conflict(
        `delete role "${role.name}"`,
        `${role.users === 1 ? '1 user has' : `${role.users} users have`} it`,
        'Revoke it first; "wcp user list --role" names them.',
      )
    await context.roles.setDeleted(role.id, context.now)
    return { id: role.id }
  },
})

export const restore = defineOperation({
  name: 'role.restore',
  summary: 'Bring a role back from the trash',
  effect: 'write',
  policy: { scopes: ['global'], isSensitive: true },
  http: 'POST /roles/{role}/restore',
  positional: ['role'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const role = await context.roles.get(input.role, { deleted: true })
    demandHolding(context.actor, `restore role "${role.name}"`, new Set(role.permissions))
    await context.roles.setDeleted(role.id, null)
    return { id: role.id }
  },
})

export const grant = defineOperation({
  name: 'role.grant',
  summary: 'Give a user one more role',
  description: 'Ends all sessions of the user.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller'], isSensitive: true },
  stepUp: true,
  http: 'POST /roles/{role}/grant',
  positional: ['role', 'user'],
  input: () => z.strictObject(assignment),
  output: () => Done,
  async run(context, input) {
    const { role, user, what } = await both(context, 'grant', input)
    if (user.roles.includes(role.name)) conflict(what, 'the user has it', 'There is nothing to do.')
    if (placeOf(user) !== role.scope)
      badInput(what, {
        field: 'role',
        problem: `is of scope ${role.scope}`,
        accepted: `a role of scope ${placeOf(user)}`,
      })
    await context.roles.grant(role.id, user.id)
    await context.users.endSessions(user.id)
    return { id: role.id }
  },
})

export const revoke = defineOperation({
  name: 'role.revoke',
  summary: 'Take a role from a user',
  description: 'Ends all sessions of the user. Everybody keeps at least one role.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller'], isSensitive: true },
  stepUp: true,
  http: 'POST /roles/{role}/revoke',
  positional: ['role', 'user'],
  input: () => z.strictObject(assignment),
  output: () => Done,
  async run(context, input) {
    const { role, user, what } = await both(context, 'revoke', input)
    if (!user.roles.includes(role.name)) conflict(what, 'the user does not have it', 'There is nothing to do.')
    if (role.holdsAll) await refuseLastAdmin(context, what, user)
    if (user.roles.length === 1)
      conflict(what, 'it is the only one of the user', 'Grant another role first, or suspend the user.')
    await context.roles.revoke(role.id, user.id)
    await context.users.endSessions(user.id)
    return { id: role.id }
  },
})

/** Role and user of a grant, neither of them stronger than the actor. */
async function both(context: Context, verb: 'grant' | 'revoke', input: { role: string; user: string }) {
  const found = await visibleUser(context, input.user)
  await context.users.lock(found.id)
  const user: User = await visibleUser(context, found.id)
  const role = await context.roles.get(input.role, { scope: scopeOf(context.actor) })
  await context.roles.lock(role.id)
  const what = `${verb} role "${role.name}"`
  demandHolding(context.actor, what, role.holdsAll ? 'all' : new Set(role.permissions))
  await refuseStronger(context, what, user)
  return { role, user, what }
}

/** A role that people made. */
async function own(context: Context, ref: string, verb: string): Promise<Role> {
  const { id } = await context.roles.get(ref)
  await context.roles.lock(id)
  const role = await context.roles.get(id)
  if (role.isBuiltIn)
    conflict(`${verb} role "${role.name}"`, 'it comes with the product', 'Create a role of your own beside it.')
  demandHolding(context.actor, `${verb} role "${role.name}"`, new Set(role.permissions))
  return role
}

/** Each is an operation that a role of this scope may have, and one that the actor has. */
function demandFitting({ actor, policies }: Context, what: string, scope: Role['scope'], names: readonly string[]) {
  const wrong = names.flatMap((name, place) => {
    const policy = policies.get(name)
    const field = `permissions.${place}`
    if (policy === undefined) return [{ field, problem: `"${name}" is no operation`, accepted: 'names of operations' }]
    if (policy.scopes.includes(scope)) return []
    return [{ field, problem: `"${name}" is not for a role of scope ${scope}`, accepted: policy.scopes.join(', ') }]
  })
  if (wrong.length > 0) badInput(what, ...wrong)
  demandHolding(actor, what, new Set(names))
}

/** Also by a role in the trash, so that it can always come back. */
async function refuseTaken({ roles }: Context, what: string, name: string): Promise<void> {
  await roles.lock(name)
  if ((await roles.find(name)) ?? (await roles.find(name, { deleted: true })))
    taken(what, 'name', name, 'a name that no other role has, nor one in the trash')
}
