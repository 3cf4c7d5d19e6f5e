/** How a store reads one page of a list: its order, and the cursor between pages. */
import { type SelectQueryBuilder, type Simplify, type SqlBool, sql } from 'kysely'
import { z } from 'zod'
import { WcpError } from '../contract/errors.ts'
import { Id, Line } from '../contract/values.ts'
import { mostCounted } from '../lib/list-total.ts'
import type { Database } from '../store/database.ts'
import type { ListOrder, ListQuery, Page } from './listing.ts'

/**
 * One page of what the query finds, from where the cursor says on.
 * @param itemsOf what the rows of the page become, in their order
 */
export async function readPage<D, T extends keyof D & string, R extends Row<C>, C extends string, I>(
  query: SelectQueryBuilder<D, T, R>,
  { cursor, limit, total = false }: Pick<ListQuery, 'cursor' | 'limit' | 'total'>,
  order: Order<T, C>,
  itemsOf: (rows: Simplify<R>[]) => I[] | Promise<I[]>,
): Promise<Page<I>> {
  const { table, column, idOf, direction } = order
  const columns = [sql.ref(`${table}.${column}`), ...(idOf === null ? [] : [sql.ref(`${idOf}.id`)])]
  let page = query.limit(limit + 1)
  if (cursor !== undefined) {
    const last = decodeCursor(cursor, order).slice(0, columns.length)
    const isAfter = direction === 'asc' ? sql`>` : sql`<`
    page = page.where(sql<SqlBool>`(${sql.join(columns)}) ${isAfter} (${sql.join(last)})`)
  }
  for (const one of columns) page = page.orderBy(one, direction)
  // One row too many tells that there is a next page.
  const rows = await page.execute()
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const nextCursor = rows.length > limit && last !== undefined ? encodeCursor(direction, last[column], last.id) : null
  const isAll = cursor === undefined && rows.length <= limit
  const counted = total ? { total: isAll ? rows.length : await countOf(query) } : {}
  return { items: await itemsOf(shown), nextCursor, ...counted }
}

async function countOf<D, T extends keyof D & string, R>(query: SelectQueryBuilder<D, T, R>): Promise<number> {
  const one = sql<number>`1`.as('one')
  const found = await query
    .clearSelect()
    .select(one)
    .limit(mostCounted + 1)
    .execute()
  return found.length
}

type Row<C extends string> = Readonly<Record<C, string | number>> & { readonly id: string }

/**
 * The order of a list: a column, and the id of a row beside it where several may hold the same.
 * `T` are the tables that a query in this order has, `C` is the column.
 */
export interface Order<T extends string, C extends string> {
  readonly table: T
  readonly column: C
  /** The table whose id it is; null when no two rows hold the same in the column. */
  readonly idOf: T | null
  readonly direction: Direction
  /** The column's value, as a cursor carries it. */
  readonly value: z.ZodType<string | number>
}

type Column<T extends keyof Database> = keyof Database[T] & string

/** By a column of text. @param idOf the table whose row is listed, when it is another than that of the column */
export function alphabetical<T extends keyof Database, C extends Column<T>, I extends keyof Database = T>(
  table: T,
  column: C,
  idOf?: I,
): Order<T | I, C> {
  return { table, column, idOf: idOf ?? table, direction: 'asc', value: Line }
}

export function newestFirst<T extends keyof Database>(table: T): Order<T, 'created_at'> {
  return { table, column: 'created_at', idOf: table, direction: 'desc', value: z.iso.datetime() }
}

/** By name or age, either way: the index of a column is read from both ends. */
export function inOrder<T extends keyof Database, C extends Column<T>>(
  table: T,
  column: C,
  order: ListOrder = 'name',
): Order<T, C | 'created_at'> {
  if (order === 'newest' || order === 'oldest')
    return { ...newestFirst(table), direction: order === 'newest' ? 'desc' : 'asc' }
  return { ...alphabetical(table, column), direction: order === 'name' ? 'asc' : 'desc' }
}

/** For what is numbered as it comes. */
export function lastFirst<T extends 'jobs' | 'audit_logs'>(table: T): Order<T, 'sequence'> {
  return { table, column: 'sequence', idOf: null, direction: 'desc', value: z.int() }
}

type Direction = 'asc' | 'desc'

/** Where a page ended: the order, the value it is ordered by, and the id that makes it unique. */
export function encodeCursor(direction: Direction, value: string | number, id: string): string {
  return Buffer.from(JSON.stringify([direction, value, id])).toString('base64url')
}

/** @returns [order value, id]; refuses what `encodeCursor` did not make for such an order. */
function decodeCursor(
  cursor: string,
  { direction, value }: Pick<Order<never, never>, 'direction' | 'value'>,
): [string | number, Id] {
  try {
    const kept = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    const [, last, id] = z.tuple([z.literal(direction), value, Id]).parse(kept)
    return [last, id]
  } catch (cause) {
    throw new WcpError('bad_input', 'Cannot continue the list: the cursor is not one of this list', {
      cause,
      fields: [
        { field: 'cursor', problem: 'is not a cursor of this list', accepted: 'the nextCursor of the page before' },
      ],
    })
  }
}
