/** All rows of a SQLite store as they were, to be put back after each deed of a test. */
import { sql } from 'kysely'
import type { Db } from '../../../src/store/database.ts'

/** What changes by being looked at, by a refusal, or by the key of a command. */
const unimportant = ['audit_logs', 'audit_heads', 'sessions', 'kept_answers']
/** The panel notes the time by itself. */
const ownRow = { settings: sql`where key <> 'housekeeping.clock'` } as Readonly<Record<string, ReturnType<typeof sql>>>

export interface StoreImage {
  /** @returns the tables that were different, but for the audit trail and the sessions */
  restore(): Promise<string[]>
}

/**
 * Temporary triggers note which tables were written to, so that only these are compared and put back.
 * @param without columns in which a difference is none
 */
export async function storeImage(db: Db, without: readonly string[] = []): Promise<StoreImage> {
  const { rows: tables } = await sql<{ name: string }>`
    select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'`.execute(db)
  const columns = new Map<string, string[]>()
  if (without.length > 0)
    for (const { name, columns: all } of await db.introspection.getTables())
      columns.set(
        name,
        all.map((one) => one.name).filter((column) => !without.includes(column)),
      )
  await sql`pragma synchronous = off`.execute(db) // what is put back each time need not outlive a power cut
  await sql`create temporary table written (name text primary key)`.execute(db)
  for (const { name } of tables) {
    await sql`create temporary table ${sql.id(`image_${name}`)} as select * from main.${sql.id(name)}`.execute(db)
    for (const deed of ['insert', 'update', 'delete'])
      await sql`create temporary trigger ${sql.id(`${name}_${deed}`)} after ${sql.raw(deed)} on main.${sql.id(name)}
        begin insert or ignore into written values (${sql.lit(name)}); end`.execute(db)
  }

  const differs = async (name: string) => {
    const but = ownRow[name] ?? sql``
    const what = sql.join(columns.get(name)?.map((column) => sql.id(column)) ?? [sql`*`])
    const now = sql`select ${what} from main.${sql.id(name)} ${but}`
    const was = sql`select ${what} from ${sql.id(`image_${name}`)} ${but}`
    const { rows } = await sql`
      select 1 from (select * from (${now} except ${was}) union all select * from (${was} except ${now})) limit 1`.execute(
      db,
    )
    return rows.length > 0
  }

  return {
    async restore() {
      const { rows: written } = await sql<{ name: string }>`select name from written`.execute(db)
      if (written.length === 0) return []
      const changed: string[] = []
      await sql`pragma foreign_keys = off`.execute(db)
      for (const { name } of written) {
        if (!unimportant.includes(name) && (await differs(name))) changed.push(name)
        await sql`delete from main.${sql.id(name)}`.execute(db)
        await sql`insert into main.${sql.id(name)} select * from ${sql.id(`image_${name}`)}`.execute(db)
      }
      await sql`pragma foreign_keys = on`.execute(db)
      await sql`delete from written`.execute(db)
      return changed
    },
  }
}
