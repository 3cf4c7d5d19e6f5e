/** Brings a store to the schema of this version, or refuses. */
import { sql } from 'kysely'
import type { Db } from './database.ts'
import { storeLock, wordsOf } from './dialect.ts'
import { checksumOf, type Migration } from './migrations/migration.ts'
import { storeTrouble } from './store-trouble.ts'
import { StoreUnusable } from './store-unusable.ts'

interface How {
  /** All of this version, in order. */
  readonly migrations: readonly Migration[]
  /** Called with the number of the last migration before a store that has one is changed; what it throws ends it there. */
  before?(schema: number): Promise<void>
}

/**
 * Applies what is missing, each migration in one transaction. Throws when the store was written by a newer version, or
 * by another text of a migration than this one's, and when a migration fails: the store is then as the one before it left it.
 * @returns names of the migrations that were applied now
 */
export async function migrate(db: Db, now: string, { migrations, before }: How): Promise<string[]> {
  await sql`create table if not exists schema_migrations (
    number integer not null primary key, name text not null, checksum text not null, applied_at text not null)`.execute(
    db,
  )
  const applied: string[] = []
  const due = await missing(db, migrations)
  const schema = due.length > 0 ? await schemaOf(db) : 0
  if (schema > 0) await before?.(schema)
  for (const migration of due) if (await applyOnce(db, migration, now, migrations)) applied.push(migration.name)
  return applied
}

/** The number of the last migration that was applied; 0 where there is none. */
export async function schemaOf(db: Db): Promise<number> {
  const { last } = await db
    .selectFrom('schema_migrations')
    .select((of) => of.fn.max('number').as('last'))
    .executeTakeFirstOrThrow()
  return last ?? 0
}

async function missing(db: Db, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  const words = wordsOf(db)
  const past = await db.selectFrom('schema_migrations').selectAll().orderBy('number').execute()
  refuseForeign(past, migrations, (one) => checksumOf(one, words))
  return migrations.filter(({ number }) => !past.some((row) => row.number === number))
}

async function applyOnce(db: Db, migration: Migration, now: string, all: readonly Migration[]): Promise<boolean> {
  const words = wordsOf(db)
  return db.transaction().execute(async (tx) => {
    await storeLock(tx, 'schema')
    // Another panel of the same PostgreSQL may have applied it meanwhile.
    if (!(await missing(tx, all)).includes(migration)) return false
    for (const statement of migration.statements(words))
      await sql
        .raw(statement)
        .execute(tx)
        .catch((error) => refuseFailed(migration, error))
    await tx
      .insertInto('schema_migrations')
      .values({
        number: migration.number,
        name: migration.name,
        checksum: checksumOf(migration, words),
        applied_at: now,
      })
      .execute()
    return true
  })
}

/** Faults of the store itself, such as a full disk, are reported as such. */
function refuseFailed({ number, name }: Migration, cause: unknown): never {
  if (storeTrouble(cause) !== undefined) throw cause
  const why = cause instanceof Error ? cause.message : cause
  throw new StoreUnusable(
    `Cannot use the store: migration ${number} (${name}) failed: ${why}; the store is as it was, start the version before this one`,
    { cause },
  )
}

function refuseForeign(
  past: readonly { number: number; name: string; checksum: string }[],
  all: readonly Migration[],
  checksum: (migration: Migration) => string,
): void {
  for (const row of past) {
    const ours = all.find((migration) => migration.number === row.number)
    if (ours === undefined)
      throw new StoreUnusable(
        `Cannot use the store: its schema ${row.number} (${row.name}) is newer than this version knows (${all.at(-1)?.number ?? 0}); install that version again, or go back: "wcp emergency roll-back"`,
      )
    if (checksum(ours) !== row.checksum)
      throw new StoreUnusable(
        `Cannot use the store: migration ${row.number} (${row.name}) was applied with another text`,
      )
  }
}
