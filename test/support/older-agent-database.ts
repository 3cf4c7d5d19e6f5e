/** The agent's database as an older version would have it: the same rows in the schema that it knew. */
import { renameSync, rmSync } from 'node:fs'
import { migrateAgent } from '../../src/agent/jobs/migrate-agent.ts'
import { agentMigrations } from '../../src/agent/jobs/migrations/index.ts'
import { type Database, openDatabase } from '../../src/program/native-sqlite.ts'

/** Nobody else has the database open. @param schema number of the last migration that the older version knew */
export function toOlderSchema(path: string, schema: number): void {
  const from = openDatabase(path)
  const fresh = `${path}.older`
  rmSync(fresh, { force: true })
  const to = openDatabase(fresh)
  migrateAgent(to, agentMigrations.slice(0, schema))
  to.pragma('foreign_keys = OFF')
  to.exec('delete from meta')
  for (const table of tablesOf(to)) copyRows(from, to, table)
  to.prepare("delete from meta where key like 'schema.%' and substr(key, 8) > ?").run(String(schema))
  if (schema === 1) to.exec("delete from meta where key = 'schema.1'") // the first release recorded no checksum
  from.close()
  to.close()
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
  renameSync(fresh, path)
}

/** The schema and every row, for comparing. */
export function contentOf(path: string): unknown {
  const database = openDatabase(path, { readonly: true })
  const found = ['sqlite_schema', ...tablesOf(database)].map((table) =>
    database.prepare(`select * from ${table}`).all(),
  )
  database.close()
  return found
}

function tablesOf(database: Database): readonly string[] {
  return database.prepare<[], string>("select name from sqlite_schema where type = 'table'").pluck().all()
}

function copyRows(from: Database, to: Database, table: string): void {
  const names = to.pragma(`table_info(${table})`) as { name: string }[]
  const columns = names.map(({ name }) => name).join(', ')
  const insert = to.prepare(`insert into ${table} (${columns}) values (${names.map(() => '?').join(', ')})`)
  for (const row of from.prepare<[], unknown[]>(`select ${columns} from ${table}`).raw().all()) insert.run(...row)
}
