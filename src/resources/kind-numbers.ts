/** The numbers of a kind for the overview, and its rows for comparing panel and machine. */
import type { Id } from '../contract/values.ts'
import type { Scope } from './scope.ts'
import type { InventoryRow } from './store-tools.ts'
import type { Stores } from './stores.ts'

export interface Countable {
  /** Living ones within the scope, up to `most`. */
  count(most: number, scope: Scope): Promise<number>
}

export interface Inventoried {
  /** By id, the trashed too. @param after id of the last one before them */
  inventory(after: Id | null, limit: number): Promise<InventoryRow[]>
}

export interface KindNumbers {
  readonly name: string
  /** Shown among the numbers of the overview. */
  counted?(stores: Stores): Countable
  /** Compared with what the machine has, which the root side lists under this word. */
  readonly inventory?: { readonly of: string; rows(stores: Stores): Inventoried }
}
