/** Nobody gives away, or takes into his hands, a permission that he does not hold. */

import { WcpError } from '../contract/errors.ts'
import type { Actor, Permissions } from './actor.ts'

export function permissionsOf(actor: Actor): Permissions {
  return actor.kind === 'root' ? 'all' : actor.permissions
}

export function holds(actor: Actor, permission: string): boolean {
  const own = permissionsOf(actor)
  return own === 'all' || own.has(permission)
}

/** The permissions that remain where something is limited to these. */
export function narrowed(own: Permissions, to: readonly string[]): ReadonlySet<string> {
  return new Set(own === 'all' ? to : to.filter((one) => own.has(one)))
}

/** Throws `forbidden`, naming one, when some of these permissions are not the actor's own. */
export function demandHolding(actor: Actor, what: string, permissions: Permissions): void {
  const own = permissionsOf(actor)
  if (own === 'all') return
  const lacking = permissions === 'all' ? 'everything' : [...permissions].find((one) => !own.has(one))
  if (lacking === undefined) return
  throw new WcpError('forbidden', `Cannot ${what}: it goes with the permission "${lacking}", which you do not have`, {
    help: 'Ask somebody who has this permission.',
  })
}
