/** Copies of the embedded store from before its schema changed: with one of them the version before can go on. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { sql } from 'kysely'
import { checkStore } from './check-store.ts'
import type { Db } from './database.ts'
import { migrate } from './migrate.ts'
import type { Migration } from './migrations/migration.ts'
import { openStore } from './open-store.ts'

/** As long as what was deleted can be restored. */
const keptMs = 30 * 24 * 60 * 60 * 1000

export interface KeptCopy {
  readonly file: string
  /** Number of the last migration that it has. */
  readonly schema: number
}

/**
 * `migrate`, with a copy of a SQLite file from before. Where there is no room for the copy it throws as SQLite does, and
 * nothing has changed. @param where as for `openStore`; of PostgreSQL its administrator keeps backups
 */
export async function migrateKeepingCopy(
  db: Db,
  where: string,
  now: string,
  migrations: readonly Migration[],
): Promise<string[]> {
  if (!isFile(where)) return migrate(db, now, { migrations })
  const applied = await migrate(db, now, { migrations, before: (schema) => keepCopy(db, where, schema) })
  for (const { file } of keptCopies(where)) if (Date.parse(now) - statSync(file).mtimeMs > keptMs) rmSync(file)
  return applied
}

/** Only a file has copies. */
export function isFile(where: string): boolean {
  return where.startsWith('/')
}

/** The newest schema first. @param store absolute path of a SQLite file */
export function keptCopies(store: string): readonly KeptCopy[] {
  const prefix = `${basename(store)}.schema-`
  return readdirSync(dirname(store))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => ({ file: join(dirname(store), name), schema: Number(name.slice(prefix.length)) }))
    .toSorted((one, other) => other.schema - one.schema)
}

/** Whole or not there; the copies before it go. */
async function keepCopy(db: Db, store: string, schema: number): Promise<void> {
  const file = `${store}.schema-${schema}`
  await putWhole(file, async (fresh) => {
    await sql`vacuum into ${fresh}`.execute(db)
    await demandWhole(fresh)
  })
  for (const other of keptCopies(store)) if (other.file !== file) rmSync(other.file)
}

/**
 * In place of a store that nobody has open. The store as it was gets another name first, so at every moment there is one
 * at `store`, and it can be asked for again. @returns the path of what was there
 */
export async function putBack(copy: KeptCopy, store: string, now: string): Promise<string> {
  if (existsSync(`${store}-wal`)) throw new Error(`"${store}" is open in another process`)
  await demandWhole(copy.file)
  const aside = `${store}.aside-${now.replaceAll(':', '')}`
  linkSync(store, aside)
  await putWhole(store, async (fresh) => copyFileSync(copy.file, fresh))
  return aside
}

async function putWhole(file: string, write: (fresh: string) => Promise<void>): Promise<void> {
  const fresh = `${file}.new`
  rmSync(fresh, { force: true })
  try {
    await write(fresh)
    sync(fresh)
    renameSync(fresh, file)
  } finally {
    rmSync(fresh, { force: true })
  }
  sync(dirname(file))
}

async function demandWhole(file: string): Promise<void> {
  const db = openStore(file)
  try {
    const [fault] = await checkStore(db)
    if (fault !== undefined) throw new Error(`the copy "${file}" is damaged: ${fault}`)
  } finally {
    await db.destroy()
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
