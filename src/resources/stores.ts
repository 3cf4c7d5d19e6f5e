/** The stores of all kinds. Each store opens `Stores` by its own name; a kind says how its stores are made. */
import type { Db } from '../store/database.ts'
import type { JobRow } from './job-row.ts'
import type { StoreTools } from './store-tools.ts'

// biome-ignore lint/suspicious/noEmptyInterface: every store adds itself, next to its own code
export interface Stores {}

/** The panel's secrets, the same for the life of the installation. Whoever needs one opens this by its name. */
export interface StoreKeys {
  /** Chains the audit entries. */
  readonly audit: Uint8Array
}

export interface StoreMaterial extends StoreTools {
  readonly keys: StoreKeys
  /** Called after an audit entry was appended, before the transaction ends. */
  readonly appended?: () => void
  /** Rows that jobs are about, by kind. */
  readonly rows: ReadonlyMap<string, JobRow>
  /** The same stores over a transaction of the database. */
  over(tx: Db): Stores
}

export type StoreFactories = { readonly [K in keyof Stores]?: (db: Db, material: StoreMaterial) => Stores[K] }

/**
 * One way to make the stores over a database or one open transaction of it, at one moment. Each is made when it is first
 * asked for: what a call costs does not grow with the kinds there are.
 */
export function storesMaker(factories: StoreFactories): (db: Db, material: StoreMaterial) => Stores {
  class Made {
    readonly over: Db
    readonly material: StoreMaterial
    constructor(db: Db, material: StoreMaterial) {
      this.over = db
      this.material = material
    }
  }
  for (const [name, make] of Object.entries<(db: Db, material: StoreMaterial) => unknown>(factories))
    Object.defineProperty(Made.prototype, name, {
      get(this: Made) {
        const value = make(this.over, this.material)
        Object.defineProperty(this, name, { value })
        return value
      },
    })
  // the loop above gives every name its getter
  return (db, material) => new Made(db, material) as unknown as Stores
}

/** The stores with more beside them; a copy would make every one of them. */
export function withStores<T extends object>(stores: Stores, more: T): Stores & T {
  return Object.assign(Object.create(stores), more)
}
