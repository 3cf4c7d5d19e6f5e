/** The only door to SQLite: the embedded addon, and no version with a known way to lose data. */
import Sqlite from 'better-sqlite3'
import { isPacked } from './assets.ts'
import { loadPackedAddon } from './native-addon.ts'

export type Database = Sqlite.Database

/** Before it, two connections that checkpoint and write at once can corrupt a WAL database ("WAL-reset bug", 3.7.0 to 3.51.2). */
const OLDEST_SAFE = '3.51.3'

let addon: unknown

/** Opens or creates a database, or one in memory from the bytes of a file; pragmas are the caller's business. Times in `options` are milliseconds. */
export function openDatabase(path: string | Buffer, options: Omit<Sqlite.Options, 'nativeBinding'> = {}): Database {
  const database = new Sqlite(path, { ...options, ...packedBinding() })
  const found = String(database.prepare('select sqlite_version()').pluck().get())
  if (isAtLeast(found, OLDEST_SAFE)) return database
  database.close()
  throw new Error(`Cannot open database "${path}": SQLite ${found} is older than ${OLDEST_SAFE}`)
}

/** Statements differ by their text alone, so there are some hundred; more would be a query made of values. */
const mostStatements = 500

/** Compiling takes as long as running: each text is compiled once. What is set on the statement, such as `pluck`, stays. */
export function statementsOf(database: Database): (text: string) => Sqlite.Statement {
  const known = new Map<string, Sqlite.Statement>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const made = database.prepare(text)
    if (known.size >= mostStatements) known.clear()
    known.set(text, made)
    return made
  }
}

/** Version 13 takes the loaded addon itself; its published types still know only a path. */
function packedBinding(): { nativeBinding?: string } {
  if (!isPacked()) return {}
  addon ??= loadPackedAddon('better_sqlite3')
  return { nativeBinding: addon as string }
}

/** Compares dotted numbers: `3.54.1` is at least `3.51.3`. */
export function isAtLeast(version: string, wanted: string): boolean {
  const found = version.split('.').map(Number)
  const needed = wanted.split('.').map(Number)
  const differs = needed.findIndex((part, place) => part !== found[place])
  return differs < 0 || (found[differs] ?? 0) > (needed[differs] ?? 0)
}
