/** Whom somebody may act as: a reseller or a customer in reach, who signs in and has no permission that one lacks. */
import type { Id } from '../../contract/values.ts'
import type { Actor } from '../actor.ts'
import type { Context } from '../context.ts'
import { conflict } from '../refusals.ts'
import { holds } from '../rights.ts'
import { isSelf, placeOf, refuseStronger, visibleUser } from './guards.ts'
import type { User } from './schema.ts'

type Person = Extract<Actor, { kind: 'user' }>

/** Refuses everybody else in the words for this. */
export async function impersonable(context: Pick<Context, 'actor' | 'users'>, ref: string): Promise<User> {
  const user = await visibleUser(context, ref)
  const what = `act as user "${user.email}"`
  if (isSelf(context.actor, user)) conflict(what, 'that is you', 'There is nothing to do.')
  if (placeOf(user) === 'global') conflict(what, 'it is staff', 'Only resellers and customers can be acted as.')
  await refuseStronger(context, what, user)
  const known = await context.users.credentials(user.id)
  if (!known?.maySignIn) conflict(what, 'it cannot sign in', 'Look at the status of the user and of its tenant.')
  return user
}

/** Whether the one who began it may still go on: asked at each request of such a session. */
export async function mayGoOnAs(users: Context['users'], impersonator: Id, user: Id): Promise<Person | null> {
  const known = await users.credentials(impersonator)
  if (!known?.maySignIn) return null
  const { id, email } = known.user
  const actor: Person = { kind: 'user', id, email, permissions: known.permissions, scope: known.scope }
  if (!holds(actor, 'user.impersonate')) return null
  return impersonable({ actor, users }, user).then(
    () => actor,
    () => null,
  )
}
