/** Brings the agent's database to the schema of this version, or refuses with one line. */
import { WcpError } from '../../contract/errors.ts'
import { type Database, openDatabase } from '../../program/native-sqlite.ts'
import { agentMigrations } from './migrations/index.ts'
import { type AgentMigration, checksumOf } from './migrations/migration.ts'

/** Applies missing migrations in one transaction: a crash in the middle leaves the schema as it was. */
export function migrateAgent(database: Database, migrations = agentMigrations): void {
  const due = missingFrom(database, migrations)
  if (due.length === 0) return
  database.transaction(() => {
    for (const migration of due) {
      database.exec(migration.sql)
      database.pragma(`user_version = ${migration.number}`)
    }
    // The first release had one migration and recorded none.
    for (const migration of migrations) record(database, migration)
  })()
}

/**
 * The same on a copy in memory, so that a migration that fails, or damages, is found before the database itself is touched.
 * @param image from `imageOf`
 */
export function rehearse(image: Buffer, migrations = agentMigrations): void {
  const copy = openDatabase(image)
  try {
    copy.pragma('foreign_keys = ON')
    migrateAgent(copy, migrations)
    demandWhole(copy)
  } catch (cause) {
    throw unusable(`its schema cannot be changed: ${cause instanceof Error ? cause.message : cause}`, cause)
  } finally {
    copy.close()
  }
}

/**
 * Every page as one file in rollback mode: the bytes 18 and 19 of the header name the journal mode, and a database in
 * memory cannot have a write-ahead log (sqlite.org/fileformat2.html, 1.3.3).
 */
export function imageOf(database: Database): Buffer {
  const image = database.serialize()
  image[18] = 1
  image[19] = 1
  return image
}

/** The last migration that was applied; 0 in an empty database. */
export function schemaOf(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }))
}

/** Throws when a newer version, or another text of a migration, made the schema. */
export function missingFrom(database: Database, migrations = agentMigrations): readonly AgentMigration[] {
  const found = schemaOf(database)
  const newest = migrations.at(-1)?.number ?? 0
  if (found > newest) {
    throw unusable(`its schema ${found} is newer than this version knows (${newest})`, undefined, newerHelp)
  }
  const foreign = migrations.find(
    (one) => one.number <= found && ![checksumOf(one), undefined].includes(recorded(database, one)),
  )
  if (foreign !== undefined) {
    throw unusable(`migration ${foreign.number} (${foreign.name}) was applied with another text`)
  }
  return migrations.filter(({ number }) => number > found)
}

export function demandWhole(database: Database): void {
  const said = database.pragma('quick_check(1)', { simple: true })
  if (said !== 'ok') throw unusable(`it is damaged: ${said}`)
  if (database.pragma('foreign_key_check', { simple: true }) !== undefined)
    throw unusable('it is damaged: rows refer to nothing')
}

export function unusable(why: string, cause?: unknown, help = backupHelp): WcpError {
  return new WcpError('unavailable', `Cannot use the registry: ${why}`, { help, cause })
}

const backupHelp = 'Restore the file from a backup and start again; sites keep being served meanwhile.'
const newerHelp =
  'Install that version again, or go back: "wcp emergency roll-back". Sites keep being served meanwhile.'

function record(database: Database, migration: AgentMigration): void {
  const query = 'insert into meta (key, value) values (?, ?) on conflict (key) do nothing'
  database.prepare(query).run(keyOf(migration), checksumOf(migration))
}

function recorded(database: Database, migration: AgentMigration): string | undefined {
  return database.prepare<[string], string>('select value from meta where key = ?').pluck().get(keyOf(migration))
}

function keyOf({ number }: AgentMigration): string {
  return `schema.${number}`
}
