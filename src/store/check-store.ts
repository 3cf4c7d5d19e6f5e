/** Looks whether a store is whole. */
import { sql } from 'kysely'
import type { Db } from './database.ts'
import { isPostgres } from './dialect.ts'

/**
 * Run at start, before anything is written. SQLite: pages and indexes are sound and every foreign key leads somewhere;
 * `thorough` also compares each index with its table, which reads the whole file. PostgreSQL keeps that itself.
 * @returns what is wrong, one sentence each
 */
export async function checkStore(db: Db, thorough = false): Promise<string[]> {
  if (isPostgres(db)) {
    await sql`select 1`.execute(db)
    return []
  }
  const pages = await sql<
    Record<string, string>
  >`${sql.raw(thorough ? 'pragma integrity_check' : 'pragma quick_check')}`.execute(db)
  const links = await sql<{ table: string; parent: string }>`pragma foreign_key_check`.execute(db)
  return [
    ...pages.rows.flatMap((row) => Object.values(row)).filter((word) => word !== 'ok'),
    ...links.rows.map((row) => `a row of ${row.table} points at a missing row of ${row.parent}`),
  ]
}
