/**
 * Room for SQLite that a full disk cannot take away: pages that are allocated and free, in the database and in its
 * write-ahead log. Later writes go there: the log begins anew in the same file, and new rows take free pages.
 */
import type { Database } from './native-sqlite.ts'

const bytes = 1_600 * 1024

/** Run in this order on a database in WAL mode, `fill` in one transaction; it may fail, on a disk that is full already. */
export const reserve = {
  /** Written back early enough that the log never needs more than the reserve. Pages are 4 KiB. */
  before: 'pragma wal_autocheckpoint = 200',
  fill: ['create table reserve (bytes blob)', `insert into reserve values (zeroblob(${bytes}))`, 'drop table reserve'],
  /** The reserved pages are in the database, and need not stay in memory. */
  after: ['pragma wal_checkpoint(passive)', 'pragma shrink_memory'],
} as const

/** @returns false when the disk is full now. */
export function keepReserve(database: Database): boolean {
  database.exec(reserve.before)
  try {
    database.transaction(() => database.exec(reserve.fill.join(';')))()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_FULL') return false
    throw error
  }
  for (const statement of reserve.after) database.exec(statement)
  return true
}
