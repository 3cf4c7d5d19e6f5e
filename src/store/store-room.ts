/** Room that is kept for signing in, reading and the audit trail when the disk of the store fills up. */
import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { sql } from 'kysely'
import { reserve } from '../program/sqlite-reserve.ts'
import type { Db } from './database.ts'
import { isPostgres } from './dialect.ts'
import { storeTrouble } from './store-trouble.ts'

const leastBytes = 8 * 1024 * 1024

/** As SQLite would say it, while there is still room for a sign-in and its entry in the trail. */
class AlmostFull extends Error {
  readonly code = 'SQLITE_FULL'
}

/** @returns a check that throws when changes must not be taken any more; nothing is checked of a store elsewhere. */
export function roomCheck(db: Db, statePath: string): () => void {
  if (isPostgres(db)) return () => {}
  const directory = dirname(statePath)
  return () => {
    const { bsize, bavail } = statfsSync(directory)
    if (bsize * bavail < leastBytes) throw new AlmostFull(`only ${bsize * bavail} bytes are left`)
  }
}

/** @returns false when the disk is full, or the store read-only, at this moment. */
export async function keepReserve(db: Db): Promise<boolean> {
  if (isPostgres(db)) return true
  try {
    await sql.raw(reserve.before).execute(db)
    await db.transaction().execute(async (tx) => {
      for (const statement of reserve.fill) await sql.raw(statement).execute(tx)
    })
    for (const statement of reserve.after) await sql.raw(statement).execute(db)
    return true
  } catch (error) {
    if (storeTrouble(error)) return false
    throw error
  }
}
