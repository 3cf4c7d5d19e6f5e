/** Opens the store as the panel does at its start: whole, and at the schema of this version, or not at all. */
import { existsSync } from 'node:fs'
import { WcpError } from '../../contract/errors.ts'
import { migrations, storesFor } from '../../resources/index.ts'
import type { Stores } from '../../resources/stores.ts'
import { checkStore } from '../../store/check-store.ts'
import type { Db } from '../../store/database.ts'
import { isFile, migrateKeepingCopy } from '../../store/kept-copy.ts'
import { newId } from '../../store/new-id.ts'
import { openStore } from '../../store/open-store.ts'
import { deriveKeys } from '../auth/keys.ts'

export interface OpenStore {
  /** One transaction at one moment. */
  change<T>(work: (stores: Stores, tx: Db) => Promise<T>): Promise<T>
  /** ISO 8601. */
  readonly now: string
}

interface Opening {
  readonly where: string
  readonly panelKey: string
  /** A store that is missing is made. */
  readonly mayCreate?: boolean
}

export async function withStore<T>(opening: Opening, work: (store: OpenStore) => Promise<T>): Promise<T> {
  const keys = deriveKeys(opening.panelKey)
  const now = new Date().toISOString()
  const db = await open(opening, now)
  try {
    return await work({
      now,
      change: (one) => db.transaction().execute((tx) => one(storesFor(tx, { now, newId, keys }), tx)),
    })
  } finally {
    await db.destroy()
  }
}

async function open({ where, mayCreate = false }: Opening, now: string): Promise<Db> {
  if (!mayCreate) demandFile(where)
  let db: Db | undefined
  try {
    db = openStore(where)
    const [fault] = await checkStore(db)
    if (fault !== undefined) throw unusable(`Cannot use the panel's store: it is damaged: ${fault}`)
    await migrateKeepingCopy(db, where, now, migrations)
    return db
  } catch (cause) {
    await db?.destroy()
    if (cause instanceof WcpError) throw cause
    throw unusable(`Cannot use the panel's store${isFile(where) ? ` "${where}"` : ''}`, cause)
  }
}

/** To open a SQLite file that is missing would make it. */
export function demandFile(where: string): void {
  if (isFile(where) && !existsSync(where)) throw unusable(`Cannot find the panel's store "${where}"`)
}

function unusable(message: string, cause?: unknown): WcpError {
  return new WcpError('unavailable', message, {
    cause,
    help: 'Put the store back from a backup, or move it away and make a new administrator with "wcp emergency create-admin".',
  })
}
