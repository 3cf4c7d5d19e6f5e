/** The needs of every store beside the database. */
import { type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely'
import { Id } from '../contract/values.ts'
import type { Db } from '../store/database.ts'

export interface StoreTools {
  /** The moment of the call, ISO 8601, UTC, milliseconds. */
  readonly now: string
  newId(): Id
}

/**
 * Gives a column its branded or narrowed type back. What is in the store passed its schema on the way in; it is not
 * parsed again, so that one damaged row cannot take a whole list from everybody. The root side does parse it again.
 */
export function stored<T extends string>(text: string): T {
  return text as T
}

export function storedOrNull<T extends string>(text: string | null): T | null {
  return text as T | null
}

export function isId(ref: string): ref is Id {
  return Id.safeParse(ref).success
}

/** A row of a tenant or a domain, for comparing it with the machine's inventory. */
export interface InventoryRow {
  readonly id: Id
  readonly name: string
  readonly status: string
}

/** In the order of their ids. @param rows of all of the kind @param after the last one of the page before */
export async function inventoryPage<D, T extends keyof D, R extends Record<keyof InventoryRow, string>>(
  rows: SelectQueryBuilder<D, T, R>,
  after: Id | null,
  limit: number,
): Promise<InventoryRow[]> {
  const id = sql.ref<string>('id')
  let query = rows.orderBy(id).limit(limit)
  if (after !== null) query = query.where(id, '>', after)
  return (await query.execute()).map((row) => ({ id: stored(row.id), name: row.name, status: row.status }))
}

/** How many rows a query finds, counted up to `most`: what it costs does not grow with the store. */
export async function countUpTo<D, T extends keyof D, R>(
  db: Db,
  query: SelectQueryBuilder<D, T, R>,
  most: number,
): Promise<number> {
  const { count } = await db
    .selectFrom(query.limit(most).as('found'))
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** For `like`: finds the text itself wherever it is, whatever it holds. Names are lower case. */
export function containing(text: string): string {
  return `%${text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`
}

/** Whether a column of names begins with the text, asked so that an index of the column finds it. */
export function beginsWith(column: string, text: string): RawBuilder<SqlBool> {
  const [first, last] = [text.toLowerCase(), `${text.toLowerCase()}\u{10ffff}`]
  return sql<SqlBool>`${sql.ref(column)} >= ${first} and ${sql.ref(column)} < ${last}`
}
