/** The few places where SQLite and PostgreSQL are asked differently. */
import { PostgresAdapter, sql } from 'kysely'
import type { Db } from './database.ts'
import { postgresWords, sqliteWords, type Words } from './migrations/migration.ts'

export function isPostgres(db: Db): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter
}

export function wordsOf(db: Db): Words {
  return isPostgres(db) ? postgresWords : sqliteWords
}

/**
 * Waits until no other transaction holds `key`, and holds it until this one ends. On SQLite every transaction that
 * writes has the whole store to itself from its begin.
 */
export async function storeLock(tx: Db, key: string): Promise<void> {
  if (isPostgres(tx)) await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 360))`.execute(tx)
}

/** Waits for who holds `key` by `storeLock`, and keeps such holders away until this transaction ends; not its likes. */
export async function storeLockShared(tx: Db, key: string): Promise<void> {
  if (isPostgres(tx)) await sql`select pg_advisory_xact_lock_shared(hashtextextended(${key}, 360))`.execute(tx)
}
