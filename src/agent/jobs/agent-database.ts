/**
 * The root side's own state in one file: registry (what exists), fences (what was accepted last), journal (what is being
 * done). One file, so that the end of a job and what it means for the registry are one transaction.
 */
import { basename, dirname } from 'node:path'
import { WcpError } from '../../contract/errors.ts'
import { type Database, openDatabase } from '../../program/native-sqlite.ts'
import { keepReserve } from '../../program/sqlite-reserve.ts'
import type { Machine } from '../os/machine.ts'
import { demandWhole, imageOf, migrateAgent, missingFrom, rehearse, schemaOf, unusable } from './migrate-agent.ts'
import { agentMigrations } from './migrations/index.ts'

/**
 * Opens the database, or makes it on a machine that never had one, and brings it to the schema of this version. Throws
 * when it is missing although it existed, is damaged, or was written by a newer version: then the agent may only look (B14).
 */
export async function openAgentDatabase(
  path: string,
  machine: Machine,
  migrations = agentMigrations,
): Promise<Database> {
  const { files, places } = machine
  const marker = `${path}.made`
  const isMade = files.existsNow(marker)
  const isThere = files.existsNow(path)
  if (!isThere) {
    if (isMade || files.existsNow(places.setupClosed) || (await hasCustomers(machine))) throw missing(path)
    await files.writeFile(path, '', rootOnly)
  }
  const database = open(path)
  try {
    const schema = schemaOf(database)
    // without the marker, an empty file is what a crash left while it was made
    if (isMade && schema === 0) throw unusable('it is empty')
    demandWhole(database)
    if (schema > 0 && missingFrom(database, migrations).length > 0)
      await prepareChange(database, path, machine, migrations)
    migrateAgent(database, migrations)
    if (!isMade) await files.writeFile(marker, '', rootOnly)
    keepReserve(database)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** A copy of the database from before its schema became `schema` + 1 or more; the newest is kept. */
export function copyOf(path: string, schema: number): string {
  return `${path}.schema-${schema}`
}

/** Tries the change on a copy and leaves a copy of before, for the way back to the version before. */
async function prepareChange(
  database: Database,
  path: string,
  { files }: Machine,
  migrations: typeof agentMigrations,
): Promise<void> {
  const image = imageOf(database)
  const copy = copyOf(path, schemaOf(database))
  rehearse(image, migrations)
  await files.writeFile(copy, image, rootOnly)
  for (const name of await files.list(dirname(path))) {
    const other = `${dirname(path)}/${name}`
    if (name.startsWith(`${basename(path)}.schema-`) && other !== copy) await files.remove(other)
  }
}

const rootOnly = { mode: 0o600, uid: 0, gid: 0 }

async function hasCustomers({ files, places }: Machine): Promise<boolean> {
  return (await files.list(places.customers.root)).some((name) => !name.startsWith('.'))
}

function missing(path: string): WcpError {
  return new WcpError('unavailable', `Cannot find the registry "${path}", which this machine had`, {
    help: 'Restore the file from a backup and start again; sites keep being served meanwhile.',
  })
}

function open(path: string): Database {
  const database = openDatabase(path, { timeout: 5000 })
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.pragma('foreign_keys = ON')
  return database
}
