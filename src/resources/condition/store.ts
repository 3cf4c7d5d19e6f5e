/** Conditions in the panel's database: one row for each thing, whatever becomes of it, and only so many of a source. */
import type { Selectable } from 'kysely'
import type { z } from 'zod'
import type { Db } from '../../store/database.ts'
import { storable } from '../../store/json.ts'
import type { Bit, CommonColumns } from '../../store/tables/common.ts'
import type { FoundCondition } from '../condition-source.ts'
import type { Page } from '../listing.ts'
import { newestFirst, readPage } from '../read-page.ts'
import { type StoreTools, stored } from '../store-tools.ts'
import type { Condition, ConditionState, Severity } from './schema.ts'

/** Rows of a condition. `created_at`: when it was raised last. */
export interface ConditionTable extends CommonColumns {
  source: string
  subject: string
  severity: string
  title: string
  detail: string | null
  page: string | null
  cleared_at: string | null
  is_raise_told: Bit
  is_clear_told: Bit
}

declare module '../../store/database.ts' {
  interface Database {
    conditions: ConditionTable
  }
}

declare module '../stores.ts' {
  interface Stores {
    readonly conditions: ConditionStore
  }
}

export interface ConditionQuery {
  readonly cursor?: string | undefined
  readonly limit: number
  readonly state?: z.output<typeof ConditionState> | undefined
  readonly severity?: z.output<typeof Severity> | undefined
  readonly source?: string | undefined
}

export interface News {
  readonly raised: readonly Condition[]
  readonly cleared: readonly Condition[]
}

export interface ConditionStore {
  list(query: ConditionQuery): Promise<Page<Condition>>
  /** Raises what was found, clears what was not. */
  reconcile(source: string, found: readonly FoundCondition[]): Promise<void>
  /** What nobody was told of yet, as long as it lasts: a moment's trouble is not worth a mail. */
  untold(raisedBefore: string, clearedBefore: string): Promise<News>
  told(news: News): Promise<void>
  /** @param most of them are kept, the newest */
  purgeClearedBefore(moment: string, most: number): Promise<void>
}

/** Of one source; the others are counted in one more. */
const mostOfSource = 200
const othersSubject = 'others'
const mostUntold = 2000

export function conditionStore(db: Db, { now, newId }: StoreTools): ConditionStore {
  async function raise(source: string, found: FoundCondition, known: Row | undefined): Promise<void> {
    const words = wordsOf(found)
    if (known === undefined) {
      const fresh = { id: newId(), created_at: now, updated_at: now, source, subject: found.subject, ...words }
      await db
        .insertInto('conditions')
        .values({ ...fresh, cleared_at: null, is_raise_told: 0, is_clear_told: 0 })
        .execute()
      return
    }
    // Back before anybody heard that it was over: it never was.
    const goesOn = known.cleared_at === null || (known.is_raise_told === 1 && known.is_clear_told === 0)
    const isWorse = known.severity === 'warning' && words.severity === 'critical'
    const isNews = found.tellsNewTitle === true && known.title !== words.title
    if (known.cleared_at === null && isSame(known, words)) return
    await db
      .updateTable('conditions')
      .set({
        ...words,
        updated_at: now,
        cleared_at: null,
        ...(!goesOn && { created_at: now }),
        ...((!goesOn || isWorse || isNews) && { is_raise_told: 0, is_clear_told: 0 }),
      })
      .where('id', '=', known.id)
      .execute()
  }

  async function clear(row: Row): Promise<void> {
    const isClearTold = row.is_raise_told === 1 ? 0 : 1 // nobody heard of it
    await db
      .updateTable('conditions')
      .set({ cleared_at: now, updated_at: now, is_raise_told: 1, is_clear_told: isClearTold })
      .where('id', '=', row.id)
      .execute()
  }

  async function mark(column: 'is_raise_told' | 'is_clear_told', all: readonly Condition[]): Promise<void> {
    if (all.length === 0) return
    const ids = all.map(({ id }) => id)
    await db
      .updateTable('conditions')
      .set({ [column]: 1 })
      .where('id', 'in', ids)
      .execute()
  }

  return {
    async list({ cursor, limit, state, severity, source }) {
      let query = db.selectFrom('conditions').selectAll()
      if (state !== undefined) query = query.where('cleared_at', state === 'standing' ? 'is' : 'is not', null)
      if (severity !== undefined) query = query.where('severity', '=', severity)
      if (source !== undefined) query = query.where('source', '=', source)
      return readPage(query, { cursor, limit }, newestFirst('conditions'), (rows) => rows.map(conditionOf))
    },

    async reconcile(source, found) {
      const wanted = withinBounds(found)
      const subjects = new Set(wanted.map(({ subject }) => subject))
      const rows = await db.selectFrom('conditions').selectAll().where('source', '=', source).execute()
      const known = new Map(rows.map((row) => [row.subject, row]))
      for (const row of rows) if (row.cleared_at === null && !subjects.has(row.subject)) await clear(row)
      for (const one of wanted) await raise(source, one, known.get(one.subject))
    },

    async untold(raisedBefore, clearedBefore) {
      const raised = await db
        .selectFrom('conditions')
        .selectAll()
        .where('cleared_at', 'is', null)
        .where('is_raise_told', '=', 0)
        .where('created_at', '<=', raisedBefore)
        .orderBy('severity')
        .orderBy('created_at')
        .limit(mostUntold)
        .execute()
      const cleared = await db
        .selectFrom('conditions')
        .selectAll()
        .where('cleared_at', '<=', clearedBefore)
        .where('is_raise_told', '=', 1)
        .where('is_clear_told', '=', 0)
        .orderBy('severity')
        .orderBy('cleared_at')
        .limit(mostUntold)
        .execute()
      return { raised: raised.map(conditionOf), cleared: cleared.map(conditionOf) }
    },

    async told({ raised, cleared }) {
      await mark('is_raise_told', raised)
      await mark('is_clear_told', cleared)
    },

    async purgeClearedBefore(moment, most) {
      await db.deleteFrom('conditions').where('cleared_at', '<', moment).execute()
      const oldest = await db
        .selectFrom('conditions')
        .select('cleared_at')
        .where('cleared_at', 'is not', null)
        .orderBy('cleared_at', 'desc')
        .offset(most)
        .limit(1)
        .executeTakeFirst()
      if (oldest?.cleared_at != null)
        await db.deleteFrom('conditions').where('cleared_at', '<=', oldest.cleared_at).execute()
    },
  }
}

type Row = Selectable<ConditionTable>

type Words = Pick<ConditionTable, 'severity' | 'title' | 'detail' | 'page'>

function wordsOf({ severity, title, detail, page }: FoundCondition): Words {
  return {
    severity,
    title: storable(title).slice(0, 300),
    detail: detail == null ? null : storable(detail).slice(0, 1000),
    page: page ?? null,
  }
}

function isSame(known: Words, now: Words): boolean {
  return (['severity', 'title', 'detail', 'page'] as const).every((key) => known[key] === now[key])
}

/** Each subject once; above the bound the rest becomes one. */
function withinBounds(found: readonly FoundCondition[]): FoundCondition[] {
  const once = [...new Map(found.map((one) => [storable(one.subject).slice(0, 300), one])).entries()]
  const each = once.slice(0, mostOfSource).map(([subject, one]) => ({ ...one, subject }))
  const rest = once.slice(mostOfSource)
  if (rest.length === 0) return each
  const severity = rest.some(([, one]) => one.severity === 'critical') ? 'critical' : 'warning'
  return [...each, { subject: othersSubject, severity, title: `${rest.length} more of the same kind` }]
}

function conditionOf(row: Row): Condition {
  return {
    id: stored(row.id),
    source: row.source,
    subject: row.subject,
    severity: stored(row.severity),
    title: row.title,
    detail: row.detail,
    page: row.page,
    raisedAt: row.created_at,
    clearedAt: row.cleared_at,
  }
}
