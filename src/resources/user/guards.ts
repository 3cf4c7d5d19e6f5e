/** Which users somebody may see and change: those in reach who are not stronger, and never the last administrator. */
import type { ScopeKind } from '../../contract/operation.ts'
import type { Actor } from '../actor.ts'
import type { Context } from '../context.ts'
import { conflict } from '../refusals.ts'
import { demandHolding } from '../rights.ts'
import { scopeOf } from '../visibility.ts'
import type { User } from './schema.ts'

/** A customer sees himself only, a reseller also the users of his tenants. */
export function visibleUser(
  context: Pick<Context, 'actor' | 'users'>,
  ref: string,
  options?: { deleted?: boolean },
): Promise<User> {
  return context.users.get(ref, { ...options, scope: scopeOf(context.actor) })
}

export function isSelf(actor: Actor, user: User): boolean {
  return actor.kind === 'user' && actor.id === user.id
}

/** Whose roles a user can have: a person has one place. */
export function placeOf(user: Pick<User, 'tenantId' | 'resellerId'>): ScopeKind {
  if (user.tenantId !== null) return 'local'
  return user.resellerId === null ? 'global' : 'reseller'
}

/** Changing a person's password or status could lead to acting as them: they may have no permission that the caller lacks. */
export async function refuseStronger(
  context: Pick<Context, 'actor' | 'users'>,
  what: string,
  user: User,
): Promise<void> {
  if (!isSelf(context.actor, user)) demandHolding(context.actor, what, await context.users.permissions(user.id))
}

export async function refuseSelfAndLast(context: Context, what: string, user: User): Promise<void> {
  if (isSelf(context.actor, user)) conflict(what, 'that is you', 'Let another administrator do it.')
  await refuseLastAdmin(context, what, user)
}

export async function refuseLastAdmin({ users }: Context, what: string, user: User): Promise<void> {
  if (!user.roles.includes('system_admin') || user.status !== 'active') return
  if ((await users.countAdmins()) <= 1)
    conflict(what, 'it is the last administrator', 'Create another administrator first.')
}

/** A reseller consists of parts that belong together: the person, the limits and the packages. */
export function refuseReseller(what: string, user: User): void {
  if (user.resellerId !== null)
    conflict(what, 'it is a reseller', 'Use the same verb of "wcp reseller", which takes both together.')
}
