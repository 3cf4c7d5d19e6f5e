/** The store as the panel starts with it: whole, and at the schema of this version, or refused in one line. */
import type { Logger } from 'pino'
import type { Config } from '../lib/config.ts'
import { migrations } from '../resources/index.ts'
import { checkStore } from '../store/check-store.ts'
import type { Db } from '../store/database.ts'
import { migrateKeepingCopy } from '../store/kept-copy.ts'
import { openStore } from '../store/open-store.ts'
import { isBusyStore, storeTrouble } from '../store/store-trouble.ts'
import { StoreUnusable } from '../store/store-unusable.ts'

export interface StorePlace {
  readonly config: Pick<Config, 'store'>
  /** Absolute path of the SQLite file; not used when the configuration names PostgreSQL. */
  readonly statePath: string
  readonly log: Logger
}

export async function openPanelStore({ config, statePath, log }: StorePlace): Promise<Db> {
  const where = config.store.kind === 'postgres' ? config.store.url : statePath
  const db = openOrRefuse(where)
  try {
    const faults = await checkStore(db)
    if (faults.length > 0) throw damaged(where, faults.slice(0, 3).join('; '))
    const applied = await migrateKeepingCopy(db, where, new Date().toISOString(), migrations)
    if (applied.length > 0) log.info({ applied }, 'the store has a new schema')
    return db
  } catch (error) {
    await db.destroy()
    throw inOneLine(where, error)
  }
}

function openOrRefuse(where: string): Db {
  try {
    return openStore(where)
  } catch (error) {
    throw inOneLine(where, error)
  }
}

/** A file that is damaged, read-only, or no database: said in one line. Anything else keeps its own words. */
function inOneLine(where: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error
  if (['SQLITE_CORRUPT', 'SQLITE_NOTADB'].includes(String(error.code))) return damaged(where, error.message)
  if (isBusyStore(error)) return error
  const trouble = storeTrouble(error)
  return trouble ? new StoreUnusable(`${trouble.message} ("${where}")`) : error
}

function damaged(where: string, why: string): StoreUnusable {
  return new StoreUnusable(`Cannot use the store: it is damaged (${why}); bring back a backup of "${where}"`)
}
