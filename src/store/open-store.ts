/** Opens the panel's store: the embedded SQLite by path, PostgreSQL by URL. */
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Database, Db } from './database.ts'
import { PreparingClient } from './preparing-client.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

/**
 * @param where absolute path of a SQLite file, `:memory:`, or `postgres://…`
 * The panel is the only writer of a SQLite file. Closed by `destroy()`.
 */
export function openStore(where: string): Db {
  return /^postgres(ql)?:/.test(where) ? openPostgres(where) : new Kysely<Database>({ dialect: sqliteDialect(where) })
}

function openPostgres(url: string): Db {
  const pool = new pg.Pool({
    Client: PreparingClient,
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 10_000,
    // A statement that waits longer for a lock than this is refused rather than piling up behind it.
    options: '-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s -c TimeZone=UTC',
    types: { getTypeParser: typeParser },
  })
  // An idle connection that breaks is replaced by the pool; without a listener its error would end the process.
  pool.on('error', () => {})
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
}

const oids = { int8: 20, float8: 701, numeric: 1700, timestamptz: 1184, jsonb: 3802, json: 114 } as const

/** Rows look as they do from SQLite: moments as ISO 8601 text, JSON as text, counts as numbers. */
function typeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (oid === oids.int8 || oid === oids.numeric) return Number
  if (oid === oids.timestamptz) return (text) => new Date(text).toISOString()
  if (oid === oids.jsonb || oid === oids.json) return (text) => text
  return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text')
}
