/**
 * A transaction that is rolled back, and the rows that it would have changed. What is watched is the statements themselves, so
 * nothing that writes has to say so; a statement that cannot be watched ends it.
 */
import {
  type ColumnNode,
  type CompiledQuery,
  createQueryId,
  type DatabaseConnection,
  type DeleteQueryNode,
  type InsertQueryNode,
  Kysely,
  type OperationNode,
  type QueryExecutor,
  type RootOperationNode,
  type UpdateQueryNode,
} from 'kysely'
import type { Database, Db } from './database.ts'

export type Row = Readonly<Record<string, unknown>>

export interface RowChange {
  readonly table: string
  readonly before: Row | null
  readonly after: Row | null
}

export interface Watched<T> {
  readonly value: T
  readonly changes: readonly RowChange[]
  /** As it would be. */
  rowOf(table: string, id: string): Promise<Row | undefined>
  /** Rows beyond those of `changes`, by table: a statement that changes thousands is not shown row by row. */
  readonly others: ReadonlyMap<string, number>
}

/** Of one statement so many rows are remembered. */
const mostRows = 1000

/** Whichever table a statement is about. */
type AnyTable = Record<string, Record<string, unknown>>

/** @param look reads what `work` would leave behind */
export async function watched<T, L>(
  db: Db,
  work: (tx: Db) => Promise<T>,
  look: (tx: Db, found: Watched<T>) => Promise<L>,
): Promise<L> {
  let result: { readonly value: L } | undefined
  try {
    await db.transaction().execute((tx) =>
      tx.getExecutor().provideConnection(async (connection) => {
        const executor = tx.getExecutor()
        const watch = new Watch(connection, executor)
        const value = await over<Database>(watch, executor).transaction().execute(work)
        const found = { value, changes: await watch.changes(), others: watch.others, rowOf: watch.rowOf }
        result = {
          value: await over<Database>(connection, executor)
            .transaction()
            .execute((same) => look(same, found)),
        }
        throw new RolledBack()
      }),
    )
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error
  }
  if (result === undefined) throw new Error('A watched transaction ended without a result')
  return result.value
}

class RolledBack extends Error {}

/** A store over one connection, in the transaction that is open on it: its own begin and end do nothing. */
function over<D>(connection: DatabaseConnection, executor: QueryExecutor): Kysely<D> {
  const nothing = async () => {}
  return new Kysely({
    dialect: {
      createAdapter: () => executor.adapter,
      createDriver: () => ({
        init: nothing,
        acquireConnection: async () => connection,
        releaseConnection: nothing,
        beginTransaction: nothing,
        commitTransaction: nothing,
        rollbackTransaction: nothing,
        destroy: nothing,
      }),
      createQueryCompiler: () => ({ compileQuery: (node, id) => executor.compileQuery(node, id) }),
      createIntrospector: () => {
        throw new Error('A plan asks for no schema')
      },
    },
  })
}

class Watch implements DatabaseConnection {
  readonly #inner: DatabaseConnection
  readonly #executor: QueryExecutor
  readonly #tables: Kysely<AnyTable>
  /** By table and id: the row as it was when it was first touched. */
  readonly #before = new Map<string, Map<string, Row | null>>()
  readonly others = new Map<string, number>()

  constructor(inner: DatabaseConnection, executor: QueryExecutor) {
    this.#inner = inner
    this.#executor = executor
    this.#tables = over(inner, executor)
  }

  async executeQuery<R>(compiled: CompiledQuery) {
    await this.#note(compiled.query)
    return await this.#inner.executeQuery<R>(compiled)
  }

  streamQuery<R>(compiled: CompiledQuery, size: number) {
    return this.#inner.streamQuery<R>(compiled, size)
  }

  async changes(): Promise<RowChange[]> {
    const all: RowChange[] = []
    for (const [table, rows] of this.#before) {
      const now = await this.#now(table, [...rows.keys()])
      for (const [id, before] of rows) {
        const after = now.get(id) ?? null
        if (before !== null || after !== null) all.push({ table, before, after })
      }
    }
    return all
  }

  async #now(table: string, ids: readonly string[]): Promise<Map<string, Row>> {
    const found: Row[] = []
    for (let at = 0; at < ids.length; at += 200)
      found.push(
        ...(await this.#all(table)
          .where('id', 'in', ids.slice(at, at + 200))
          .execute()),
      )
    return new Map(found.map((row) => [String(row.id), row]))
  }

  readonly rowOf = async (table: string, id: string): Promise<Row | undefined> =>
    await this.#all(table).where('id', '=', id).executeTakeFirst()

  #all(table: string) {
    return this.#tables.selectFrom(table).selectAll()
  }

  async #note(query: RootOperationNode): Promise<void> {
    switch (query.kind) {
      case 'SelectQueryNode':
        return
      case 'InsertQueryNode':
        return await this.#noteInsert(query)
      case 'UpdateQueryNode':
        return await this.#noteRows(query, query.table)
      case 'DeleteQueryNode':
        return await this.#noteRows(query, query.from.froms[0])
      case 'RawNode':
        if (/^\s*select\b/i.test(query.sqlFragments[0] ?? '')) return
    }
    throw new Error(`Cannot plan a statement of the kind ${query.kind}`)
  }

  /** The rows that the statement is about, as they are before it. */
  async #noteRows(query: UpdateQueryNode | DeleteQueryNode, target: OperationNode | undefined): Promise<void> {
    const table = tableOf(target)
    if (('from' in query && query.kind === 'UpdateQueryNode' && query.from) || query.joins || query.limit)
      throw new Error(`Cannot plan a change of "${table}" by rows of other tables`)
    const { where, with: ctes } = query
    const narrow = (node: RootOperationNode) => ({ ...node, ...(where && { where }), ...(ctes && { with: ctes }) })
    const rows = await this.#read(
      narrow(
        this.#all(table)
          .limit(mostRows + 1)
          .toOperationNode(),
      ),
    )
    for (const row of rows.slice(0, mostRows)) this.#first(table, String(row.id), row)
    if (rows.length <= mostRows) return
    const count = this.#tables.selectFrom(table).select(({ fn }) => fn.countAll().as('count'))
    const [all] = await this.#read(narrow(count.toOperationNode()))
    this.others.set(table, (this.others.get(table) ?? 0) + Number(all?.count) - mostRows)
  }

  /** Rows that the statement would meet, where it says what then happens, and the ids that it brings. */
  async #noteInsert({ into, columns = [], values, onConflict }: InsertQueryNode): Promise<void> {
    const table = tableOf(into)
    const given = valuesOf(columns, values)
    const keys = onConflict?.columns?.map(nameOf) ?? []
    for (const row of onConflict?.updates ? given : []) {
      let query = this.#all(table)
      for (const key of keys) query = query.where(key, '=', row[key])
      for (const met of await query.execute()) this.#first(table, String(met.id), met)
    }
    for (const { id } of given) {
      if (typeof id !== 'string') throw new Error(`Cannot plan a row of "${table}" without an id of its own`)
      this.#first(table, id, null)
    }
  }

  #first(table: string, id: string, row: Row | null): void {
    const rows = this.#before.get(table) ?? new Map<string, Row | null>()
    this.#before.set(table, rows)
    if (!rows.has(id)) rows.set(id, row)
  }

  async #read(query: RootOperationNode): Promise<Row[]> {
    return (await this.#inner.executeQuery<Row>(this.#executor.compileQuery(query, createQueryId()))).rows
  }
}

function tableOf(node: OperationNode | undefined): string {
  const name =
    node?.kind === 'TableNode' && 'table' in node ? asRecord(asRecord(node.table).identifier).name : undefined
  if (typeof name === 'string') return name
  throw new Error('Cannot plan a statement about something else than a table')
}

function nameOf({ column }: ColumnNode): string {
  return column.name
}

function valuesOf(columns: readonly ColumnNode[], node: OperationNode | undefined): Record<string, unknown>[] {
  const rows = node?.kind === 'ValuesNode' && 'values' in node ? node.values : undefined
  if (!Array.isArray(rows)) throw new Error('Cannot plan rows that come out of a query')
  return rows.map((row) => {
    const values: unknown[] = Array.isArray(asRecord(row).values) ? [...asRecord(row).values] : []
    return Object.fromEntries(columns.map((column, at) => [nameOf(column), plain(values[at])]))
  })
}

/** A value among expressions is wrapped. */
function plain(value: unknown): unknown {
  const { kind, value: inner } = asRecord(value)
  return kind === 'ValueNode' ? inner : value
}

// biome-ignore lint/suspicious/noExplicitAny: nodes of statements are read by name; each use checks what it finds
function asRecord(value: unknown): Record<string, any> {
  return typeof value === 'object' && value !== null ? value : {}
}
