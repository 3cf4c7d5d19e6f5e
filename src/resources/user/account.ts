/** Whose account an operation that everyone may call is about: one's own, or that of others with the permission for it. */
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import type { Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { listInput } from '../listing.ts'
import { notFound } from '../refusals.ts'
import { holds } from '../rights.ts'
import { isSelf, refuseStronger, visibleUser } from './guards.ts'
import { type User, UserRef } from './schema.ts'

/** The common part of lists of things that each user owns. */
export const listByOwner = {
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  isForEveryone: true,
  positional: [],
  input: () => z.strictObject({ user: UserRef.optional(), ...listInput }),
} as const

/** Whose things such a list shows: of the user who is named, else of who asks; root sees those of everybody. */
export async function listedOwner(
  context: Context,
  operation: string,
  user: string | undefined,
): Promise<Id | undefined> {
  if (user !== undefined) return (await ownOrPermitted(context, operation, user)).id
  return context.actor.kind === 'user' ? context.actor.id : undefined
}

/** Without the permission others are not found. */
export async function ownOrPermitted(context: Context, operation: string, ref: string): Promise<User> {
  const user = await visibleUser(context, ref)
  return isSelf(context.actor, user) || holds(context.actor, operation) ? user : notFound('user', ref)
}

/** The same for what takes something from the account: nobody does that to who may do more. */
export async function ownOrWeaker(context: Context, operation: string, what: string, ref: string): Promise<User> {
  const user = await ownOrPermitted(context, operation, ref)
  await refuseStronger(context, what, user)
  return user
}

/** For what only its owner can do, because it shows a secret. */
export async function ownAccount(context: Context, what: string, ref: string): Promise<User> {
  const user = await visibleUser(context, ref)
  if (isSelf(context.actor, user)) return user
  throw new WcpError('forbidden', `Cannot ${what} for "${user.email}": only the owner of the account can`, {
    help: 'Sign in to the panel as this user.',
  })
}
