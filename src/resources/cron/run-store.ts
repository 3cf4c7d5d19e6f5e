/** The runs of cron jobs: each is written down before its job is sent, and its end is copied from that job. */
import { type Selectable, sql } from 'kysely'
import type { Id } from '../../contract/values.ts'
import { Failure } from '../../contract/wire.ts'
import type { Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import { decodeJson, storable } from '../../store/json.ts'
import type { ListQuery, Page } from '../listing.ts'
import { newestFirst, readPage } from '../read-page.ts'
import { stored } from '../store-tools.ts'
import type { StoreMaterial } from '../stores.ts'
import { type Cron, type Outcome, openOutcomes, type Run } from './schema.ts'
import type { CronRunTable } from './tables.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly cronRuns: CronRunStore
  }
}

export interface CronRunStore {
  /** Newest first. */
  list(query: Pick<ListQuery, 'cursor' | 'limit'> & { cronId: Id }): Promise<Page<Run>>
  /** Whether one of the job's has not ended; nobody else begins one before this transaction has ended. */
  isBusy(cronId: Id): Promise<boolean>
  /** One that begins. */
  begin(run: Pick<Run, 'id' | 'cronId' | 'dueAt' | 'isByHand'>): Promise<void>
  /** One that did not begin. */
  note(run: Pick<Run, 'cronId' | 'dueAt'>, outcome: 'skipped' | 'missed'): Promise<void>
  /** Those whose jobs are further than they are. */
  overtaken(limit: number): Promise<Overtaken[]>
  /** Its state is that of its job from now on, and its end is written down with its cron job. */
  catchUp(run: Overtaken): Promise<void>
  /** Waiting since before that moment. */
  late(moment: string, limit: number): Promise<(Pick<Run, 'cronId' | 'dueAt'> & Pick<Cron, 'name' | 'fqdn'>)[]>
}

export interface Overtaken {
  readonly id: Id
  readonly cronId: Id
  readonly outcome: Outcome
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly failure: Failure | null
}

/** Of each cron job. */
const mostKept = 100

export function cronRunStore(db: Db, material: StoreMaterial): CronRunStore {
  const { now, newId } = material
  const isOpen = sql<boolean>`cron_runs.outcome in ('waiting', 'running')`

  async function insert(run: Pick<Run, 'id' | 'cronId' | 'dueAt' | 'isByHand' | 'outcome'>): Promise<void> {
    const { id, cronId, dueAt, isByHand, outcome } = run
    const row = { id, created_at: now, updated_at: now, cron_id: cronId, due_at: dueAt, outcome }
    await db
      .insertInto('cron_runs')
      .values({ ...row, is_by_hand: isByHand ? 1 : 0 })
      .execute()
    await prune(cronId)
  }

  /** The newest are kept, and their jobs with them: a job that runs each minute would fill the list of all jobs. */
  async function prune(cronId: Id): Promise<void> {
    const old = await db
      .selectFrom('cron_runs')
      .select('id')
      .where('cron_id', '=', cronId)
      .where('outcome', 'not in', openOutcomes)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .offset(mostKept)
      .limit(mostKept)
      .execute()
    const ids = old.map(({ id }) => stored<Id>(id))
    if (ids.length === 0) return
    await material.over(db).jobs.forgetEnded(ids)
    await db.deleteFrom('cron_runs').where('id', 'in', ids).execute()
  }

  return {
    list({ cursor, limit, cronId }) {
      const query = db.selectFrom('cron_runs').selectAll('cron_runs').where('cron_id', '=', cronId)
      return readPage(query, { cursor, limit }, newestFirst('cron_runs'), (rows) => rows.map(runOf))
    },

    async isBusy(cronId) {
      await storeLock(db, `cron:${cronId}`)
      const query = db.selectFrom('cron_runs').select('id').where('cron_id', '=', cronId).where(isOpen)
      return (await query.executeTakeFirst()) !== undefined
    },

    begin: (run) => insert({ ...run, outcome: 'waiting' }),

    async note({ cronId, dueAt }, outcome) {
      await insert({ id: newId(), cronId, dueAt, isByHand: false, outcome })
      if (outcome === 'missed')
        await db.updateTable('cron_jobs').set({ missed_at: dueAt }).where('id', '=', cronId).execute()
    },

    async overtaken(limit) {
      const found = await db
        .selectFrom('cron_runs')
        .leftJoin('jobs', 'jobs.id', 'cron_runs.id')
        .select(['cron_runs.id', 'cron_runs.cron_id', 'jobs.state', 'jobs.failure'])
        .select(['jobs.started_at', 'jobs.finished_at'])
        .where(isOpen)
        .where((eb) =>
          eb.or([
            eb('jobs.id', 'is', null),
            eb('jobs.finished_at', 'is not', null),
            eb.and([eb('jobs.started_at', 'is not', null), eb('cron_runs.outcome', '=', 'waiting')]),
          ]),
        )
        .orderBy('cron_runs.due_at')
        .limit(limit)
        .execute()
      return found.map(({ id, cron_id, state, failure, started_at, finished_at }) => ({
        id: stored(id),
        cronId: stored(cron_id),
        outcome: outcomeOf(state, finished_at),
        startedAt: started_at,
        endedAt: finished_at,
        failure: failure === null ? null : Failure.parse(decodeJson(failure)),
      }))
    },

    async catchUp({ id, cronId, outcome, startedAt, endedAt, failure }) {
      const problem = failure === null ? null : storable(failure.message)
      const exit = outcome === 'succeeded' ? 0 : (failure?.exit ?? null)
      const changed = await db
        .updateTable('cron_runs')
        .set({ outcome, started_at: startedAt, ended_at: endedAt, exit_code: exit, problem, updated_at: now })
        .where('id', '=', id)
        .where(isOpen)
        .executeTakeFirst()
      if (outcome === 'running' || changed.numUpdatedRows === 0n) return
      const ended = { last_ended_at: endedAt ?? now, last_outcome: outcome, last_problem: problem }
      const cron = db.updateTable('cron_jobs').where('id', '=', cronId)
      if (outcome === 'succeeded') await cron.set({ ...ended, failing_since: null, missed_at: null }).execute()
      else if (outcome === 'failed')
        await cron.set((eb) => ({ ...ended, failing_since: eb.fn.coalesce('failing_since', eb.val(now)) })).execute()
      else await cron.set(ended).execute()
    },

    async late(moment, limit) {
      const found = await db
        .selectFrom('cron_runs')
        .innerJoin('cron_jobs', 'cron_jobs.id', 'cron_runs.cron_id')
        .innerJoin('domains', 'domains.id', 'cron_jobs.domain_id')
        .select(['cron_runs.cron_id', 'cron_runs.due_at', 'cron_jobs.name', 'domains.fqdn'])
        .where(isOpen)
        .where('cron_runs.outcome', '=', 'waiting')
        .where('cron_runs.created_at', '<', moment)
        .orderBy('cron_runs.due_at')
        .limit(limit)
        .execute()
      return found.map((row) => ({
        cronId: stored(row.cron_id),
        dueAt: row.due_at,
        name: row.name,
        fqdn: stored(row.fqdn),
      }))
    },
  }
}

/** @param state of its job; null when nobody knows of that any more */
function outcomeOf(state: string | null, finishedAt: string | null): Outcome {
  if (state === 'succeeded' || state === 'cancelled') return state
  return state === null || finishedAt !== null ? 'failed' : 'running'
}

function runOf(row: Selectable<CronRunTable>): Run {
  const { started_at: startedAt, ended_at: endedAt } = row
  return {
    id: stored(row.id),
    cronId: stored(row.cron_id),
    dueAt: row.due_at,
    isByHand: row.is_by_hand === 1,
    outcome: stored(row.outcome),
    startedAt,
    endedAt,
    milliseconds:
      startedAt === null || endedAt === null ? null : Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)),
    exitCode: row.exit_code,
    problem: row.problem,
  }
}
