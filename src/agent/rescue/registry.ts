/** The agent's database as it was before a newer version changed its schema. */
import { dirname } from 'node:path'
import { WcpError } from '../../contract/errors.ts'
import { type Database, openDatabase } from '../../program/native-sqlite.ts'
import { copyOf } from '../jobs/agent-database.ts'
import { imageOf, schemaOf } from '../jobs/migrate-agent.ts'
import { agentMigrations } from '../jobs/migrations/index.ts'
import type { Machine } from '../os/machine.ts'

const newest = agentMigrations.length

/**
 * Puts the copy back that this version can use, when nothing was asked of the agent since it was made: registry and fences
 * must never go back behind what is on the machine. @returns what was done; nothing where this version knows the schema
 */
export async function rollBackRegistry(path: string, { files, now }: Machine): Promise<readonly string[]> {
  if (!files.existsNow(path)) return []
  const newer = openDatabase(path)
  try {
    const schema = schemaOf(newer)
    if (schema <= newest) return []
    const copy = await copyFor(path, files)
    const older = openDatabase(copy, { readonly: true })
    try {
      if (jobsOf(older) !== jobsOf(newer)) throw wasUsed()
      const aside = `${path}.aside-${now().toISOString().replaceAll(':', '')}`
      await files.writeFile(aside, imageOf(newer), rootOnly)
      newer.close() // its write-ahead log is in the file then, and gone
      if (files.existsNow(`${path}-wal`)) throw new Error(`"${path}" is open in another process`)
      await files.writeFile(path, imageOf(older), rootOnly)
      return [
        `The registry is as it was before schema ${schemaOf(older)} became ${schema}; the newer one is kept as "${aside}".`,
      ]
    } finally {
      older.close()
    }
  } finally {
    newer.close()
  }
}

const rootOnly = { mode: 0o600, uid: 0, gid: 0 }

async function copyFor(path: string, files: Machine['files']): Promise<string> {
  const names = await files.list(dirname(path))
  const known = agentMigrations.toReversed().map(({ number }) => copyOf(path, number))
  const copy = known.find((file) => names.includes(file.slice(dirname(path).length + 1)))
  if (copy !== undefined) return copy
  throw new WcpError('not_found', `Cannot roll back: there is no copy of "${path}" that this version can use`, {
    help: 'Put a backup back from before the upgrade, or install the newer version again.',
  })
}

/** Every job with its state: the same text means that nothing was accepted, ended or forgotten in between. */
function jobsOf(database: Database): string {
  return JSON.stringify(database.prepare('select id, token, state from jobs order by seq').all())
}

function wasUsed(): WcpError {
  return new WcpError('conflict', 'Cannot roll back: the machine was changed since the newer version was started', {
    help: 'Install the newer version again. To go back all the same, put back a backup of the whole machine.',
  })
}
