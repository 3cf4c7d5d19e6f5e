/** Who asks for an operation, and what he may do. */
import type { Id } from '../contract/values.ts'
import type { Scope } from './scope.ts'

/** Operation names, or all of them. */
export type Permissions = 'all' | ReadonlySet<string>

/** Who asks. `root` is the machine's root through the private socket. */
export type Actor =
  | { readonly kind: 'root' }
  | {
      readonly kind: 'user'
      readonly id: Id
      readonly email: string
      /** Operation names, or all of them. */
      readonly permissions: Permissions
      readonly scope: Scope
      /** Who really acts, while somebody acts as this user. */
      readonly impersonator?: { readonly id: Id; readonly email: string }
      /** The API key by which a program acts for this user, who has the permissions here that the key names. */
      readonly key?: { readonly id: Id; readonly name: string }
    }
