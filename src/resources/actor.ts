/** The caller of an operation, and their permissions. */
import type { Id } from '../contract/values.ts'
import type { Scope } from './scope.ts'

/** Operation names, or all of them. */
export type Permissions = 'all' | ReadonlySet<string>

/** The caller. `root` is the machine's root through the private socket. */
export type Actor =
  | { readonly kind: 'root' }
  | {
      readonly kind: 'user'
      readonly id: Id
      readonly email: string
      /** Operation names, or all of them. */
      readonly permissions: Permissions
      readonly scope: Scope
      /** The person who really acts, while acting as this user. */
      readonly impersonator?: { readonly id: Id; readonly email: string }
      /** The API key by which a program acts for this user, who has the permissions here that the key names. */
      readonly key?: { readonly id: Id; readonly name: string }
    }

/** How an actor is written down: who acts as another answers for it under his own name. */
export function nameOf(actor: Actor): string {
  return actor.kind === 'root' ? 'root' : (actor.impersonator ?? actor).email
}
