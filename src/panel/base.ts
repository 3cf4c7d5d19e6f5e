/** The base of nearly every part of the panel. */
import type { Logger } from 'pino'
import type { Stores } from '../resources/stores.ts'
import type { Db } from '../store/database.ts'
import type { PanelKeys } from './auth/keys.ts'
import type { PasswordHasher } from './auth/password.ts'
import type { LiveConfig } from './live-config.ts'

export interface Base {
  readonly db: Db
  /** The stores over the database or one open transaction of it, at this moment. */
  readonly storesOf: (on: Db) => Stores
  readonly keys: PanelKeys
  readonly hasher: PasswordHasher
  readonly config: LiveConfig
  readonly log: Logger
}
