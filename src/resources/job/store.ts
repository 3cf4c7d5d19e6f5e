/** Jobs in the panel's database: the list for people, and the queue's side. */
import { type Selectable, sql } from 'kysely'
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import {
  activeJobStates,
  fencedOf,
  isMaking,
  type JobContract,
  type JobState,
  type JobTarget,
  jobTransitions,
  mayBecome,
  parsePayload,
  resourceOf,
  type StepState,
} from '../../contract/job.ts'
import type { Id } from '../../contract/values.ts'
import { Failure } from '../../contract/wire.ts'
import type { Database, Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import { inTransaction } from '../../store/in-transaction.ts'
import { decodeJson, encodeJson, storable } from '../../store/json.ts'
import type { JobTable } from '../../store/tables/work.ts'
import { besideTypes } from '../jobs.ts'
import type { Page } from '../listing.ts'
import { lastFirst, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { everything, type Scope, tenantWithin } from '../scope.ts'
import { isId, stored, storedOrNull } from '../store-tools.ts'
import type { StoreMaterial } from '../stores.ts'
import type { WebhookEvent } from '../webhook/store.ts'
import type { QueuedRow, RowChange } from './queued-row.ts'
import { endRow, queueRow } from './row-effect.ts'
import { type Job, type JobDetail, JobRequest, type JobStep } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly jobs: JobStore
  }
}

export interface JobQuery {
  readonly cursor?: string | undefined
  readonly limit: number
  readonly state?: JobState | undefined
  readonly type?: string | undefined
  readonly scope?: Scope
  readonly tenantId?: Id | undefined
  readonly resourceId?: Id | undefined
}

/** A job as the queue sends it to the agent. */
export interface RunnableJob {
  readonly id: Id
  readonly type: string
  readonly payload: Readonly<Record<string, unknown>>
  /** Fencing token: the row's version when the job was queued; compared within its epoch. */
  readonly token: number
  readonly epoch: number
  /** Staff or root asked for it. */
  readonly isStaff: boolean
  readonly tenantId: Id | null
  readonly resellerId: Id | null
  readonly kind: string
  readonly resourceId: Id
  readonly state: JobState
  readonly attempts: number
  /** The agent has accepted it. */
  readonly isBegun: boolean
}

export interface QueuedBy {
  /** For the job, unless its payload brings one. */
  readonly id: Id
  readonly actor: string
  readonly actorId: Id | null
  readonly isStaff: boolean
  /** Goes behind the job of its tenant that is under way instead of being refused: what the panel does in its own name. */
  readonly waitsForTenant?: true
}

export interface QueuedJob {
  readonly id: Id
  readonly type: string
  readonly token: number
  /** As it was parsed: nothing else is stored or sent. */
  readonly payload: JobTarget
}

export interface JobStore {
  /** Newest first. */
  list(query: JobQuery): Promise<Page<Job>>
  get(id: string, options?: { scope?: Scope }): Promise<JobDetail>

  /** `busy`, naming the active job of that row, or of the tenant that it belongs to, if there is one. */
  refuseBusy(kind: string, id: Id, tenantId?: Id): Promise<void>
  /**
   * Writes job and row in the transaction of the caller: `busy` naming the active job of the same row, or of the tenant
   * that it belongs to, unless the job makes its row, goes beside others, or may wait; keeps the row as it
   * is, which is what a failure leads back to; raises its version, which is the job's token; gives it the status that the
   * contract names; then makes the change.
   */
  enqueue<T extends string, P extends z.ZodObject>(
    contract: JobContract<T, P>,
    payload: z.output<P>,
    by: QueuedBy,
    change?: RowChange<T>,
  ): Promise<QueuedJob>

  /** Keeps the call that they came from. */
  cameFrom(ids: readonly Id[], request: JobRequest): Promise<void>

  /** The oldest queued job of each tenant that has no older active one, and those that go beside them, in order of creation. */
  nextRunnable(limit: number): Promise<RunnableJob[]>
  find(id: Id): Promise<RunnableJob | undefined>
  /** Jobs in one of these states, oldest first: what a restarted panel has to ask the agent about. */
  inStates(states: readonly JobState[], limit: number): Promise<RunnableJob[]>

  /** Counts one more delivery to the agent. False when the job was cancelled meanwhile and must not be sent. */
  delivered(id: Id): Promise<boolean>
  /** The agent has not taken it, and it waits as if it had never been sent. False unless it was not accepted. */
  held(id: Id): Promise<boolean>
  /** The agent took it: `running`, with its steps waiting. False when the job may not become that (any more). */
  accepted(id: Id, steps: readonly string[]): Promise<boolean>
  step(id: Id, step: { index: number; name: string; state: StepState; note: string | null }): Promise<void>
  /** Keeps the first 256 KiB. */
  log(id: Id, line: string): Promise<void>
  heartbeat(id: Id): Promise<void>
  /** The end, as told by the agent: state of the job and of its row. False when it had ended before, or the token is not its own. */
  finished(id: Id, token: number, failure: Failure | null): Promise<boolean>
  /** Ends a job that the agent was never told of. */
  cancelled(id: Id): Promise<boolean>
  /** Nothing is heard of it. False unless it was running or queued. */
  stalled(id: Id): Promise<boolean>
  /** `stalled` jobs that were never sent become `queued`; answers which. */
  requeued(): Promise<Id[]>
  /** Those of them that have ended, with their steps. */
  forgetEnded(ids: readonly Id[]): Promise<void>
  /** Forgets at most so many of them, with their steps. */
  purgeFinishedBefore(moment: string, limit: number): Promise<number>
}

const longestLog = 256 * 1024

export function jobStore(db: Db, material: StoreMaterial): JobStore {
  const { now, newId, rows: rowsOf } = material
  /** Emits the event for webhooks, in the transaction of the change. */
  const tell = (tx: Db, job: Selectable<JobTable>, state: JobState, failure: Failure | null) =>
    material.over(tx).webhooks.emit(newsOf(job, state, failure))

  const rows = () =>
    db
      .selectFrom('jobs')
      .leftJoin('tenants', 'tenants.id', 'jobs.tenant_id')
      .selectAll('jobs')
      .select('tenants.name as tenant_name')

  const runnable = () =>
    db
      .selectFrom('jobs')
      .selectAll('jobs')
      .select((eb) =>
        eb.selectFrom('tenants').select('reseller_id').whereRef('tenants.id', '=', 'jobs.tenant_id').as('reseller_id'),
      )

  /** Compare and set: false when the job is in no state that may become `to`. */
  const become = async (tx: Db, id: Id, to: JobState, change: Partial<Selectable<JobTable>> = {}) => {
    const from = stateNames.filter((state) => mayBecome(state, to))
    const result = await tx
      .updateTable('jobs')
      .set({ ...change, state: to, updated_at: now })
      .where('id', '=', id)
      .where('state', 'in', from)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  }

  /** Of one with the job: the state of the row it is about. */
  const end = (id: Id, state: 'succeeded' | 'failed' | 'cancelled', failure: Failure | null) =>
    inTransaction(db, async (tx) => {
      const job = await tx.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst()
      if (job === undefined) return false
      if (job.tenant_id !== null) await storeLock(tx, `tenant:${job.tenant_id}`)
      const change = { finished_at: now, failure: failure === null ? null : encodeJson(failure) }
      if (!(await become(tx, id, state, change))) return false
      await endRow(tx, { now, rows: rowsOf }, job, state === 'succeeded' ? 'succeeded' : 'failed')
      await tell(tx, job, state, failure)
      return true
    })

  const store: JobStore = {
    async list({ cursor, limit, state, type, scope = everything, tenantId, resourceId }) {
      let query = rows().where(tenantWithin(scope))
      if (tenantId !== undefined) query = query.where('jobs.tenant_id', '=', tenantId)
      if (resourceId !== undefined) query = query.where('jobs.resource_id', '=', resourceId)
      if (state !== undefined) query = query.where('jobs.state', '=', state)
      if (type !== undefined) query = query.where('jobs.type', '=', type)
      return readPage(query, { cursor, limit }, lastFirst('jobs'), (rows) => rows.map(jobOf))
    },

    async get(id, { scope = everything } = {}) {
      const query = rows().where('jobs.id', '=', id).where(tenantWithin(scope))
      const row = isId(id) ? await query.executeTakeFirst() : undefined
      if (row === undefined) return notFound('job', id)
      const steps = await db.selectFrom('job_steps').selectAll().where('job_id', '=', id).orderBy('position').execute()
      return {
        ...jobOf(row),
        steps: steps.map(stepOf),
        log: row.log.split('\n').slice(0, -1),
        request: row.request === null ? null : JobRequest.parse(decodeJson(row.request)),
      }
    },

    refuseBusy: (kind, id, tenantId) => refuseBusy(db, [`${kind}:${id}`, ...(tenantId ? [`tenant:${tenantId}`] : [])]),

    async enqueue(contract, given, by, change) {
      // As the agent will parse it: what it would refuse never becomes a job.
      const { data: payload, error } = parsePayload(contract, given)
      if (payload === undefined) throw error
      const { type, kind, beside } = contract
      const resourceId = resourceOf(contract, payload)
      const id = beside ? fencedOf(contract, payload) : by.id
      const lockKey = beside ? `job:${id}` : `${kind}:${resourceId}`
      await storeLock(db, `tenant:${payload.tenant}`)
      const waits = beside || isMaking(contract) || by.waitsForTenant
      await refuseBusy(db, waits ? [lockKey] : [lockKey, `tenant:${payload.tenant}`])
      const before = await queueRow(db, { now, rows: rowsOf }, contract, resourceId)
      const job = {
        id,
        created_at: now,
        updated_at: now,
        sequence: sql<number>`(select coalesce(max(sequence), 0) + 1 from jobs)`,
        type,
        payload: encodeJson(payload),
        state: 'queued' as const,
        tenant_id: payload.tenant,
        resource_kind: kind,
        resource_id: resourceId,
        resource_name: before.name,
        lock_key: lockKey,
        token: before.token,
        epoch: sql<number | null>`(select epoch from root_side)`,
        is_staff: by.isStaff ? 1 : 0,
        previous_status: before.status,
        row_before: encodeJson(before.row),
        attempts: 0,
        actor: by.actor,
        actor_id: by.actorId,
        log: '',
      }
      await storeLock(db, 'jobs')
      await db.insertInto('jobs').values(job).execute()
      await change?.(queuedRow(resourceId))
      return { id, type, token: before.token, payload }
    },

    async cameFrom(ids, request) {
      if (ids.length === 0) return
      await db
        .updateTable('jobs')
        .set({ request: encodeJson(request) })
        .where('id', 'in', ids)
        .execute()
    },

    async nextRunnable(limit) {
      const found = await runnable()
        .where('state', '=', 'queued')
        .where((eb) => {
          const older = eb
            .selectFrom('jobs as older')
            .select('older.id')
            .whereRef('older.tenant_id', '=', 'jobs.tenant_id')
            .whereRef('older.sequence', '<', 'jobs.sequence')
            .where('older.state', 'in', activeJobStates)
            .where('older.type', 'not in', besideTypes)
          return eb.or([eb('jobs.type', 'in', besideTypes), eb.not(eb.exists(older))])
        })
        .orderBy('sequence')
        .limit(limit)
        .execute()
      return found.map(runnableOf)
    },

    async find(id) {
      const row = await runnable().where('id', '=', id).executeTakeFirst()
      return row && runnableOf(row)
    },

    async inStates(states, limit) {
      const query = runnable().where('state', 'in', states)
      return (await query.orderBy('sequence').limit(limit).execute()).map(runnableOf)
    },

    async delivered(id) {
      const result = await db
        .updateTable('jobs')
        .set((eb) => ({ attempts: eb('attempts', '+', 1), updated_at: now }))
        .where('id', '=', id)
        .where('state', 'in', activeJobStates)
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },

    async held(id) {
      const result = await db
        .updateTable('jobs')
        .set({ state: 'queued', attempts: 0, updated_at: now })
        .where('id', '=', id)
        .where('state', 'in', ['queued', 'stalled'])
        .where('started_at', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },

    accepted: (id, steps) =>
      inTransaction(db, async (tx) => {
        const job = await tx.selectFrom('jobs').select(['state', 'started_at']).where('id', '=', id).executeTakeFirst()
        if (job === undefined) return false
        const change = { started_at: job.started_at ?? now, heartbeat_at: now }
        if (!(await become(tx, id, 'running', change))) return false
        await tx.deleteFrom('job_steps').where('job_id', '=', id).execute()
        const common = { created_at: now, updated_at: now, job_id: id }
        const values = steps.map((name, position) => ({ id: newId(), ...common, position, name: storable(name) }))
        if (values.length > 0) await tx.insertInto('job_steps').values(values).execute()
        return true
      }),

    async step(id, { index, name, state, note }) {
      const ended = state === 'running' ? null : now
      const change = { state, note: note === null ? null : storable(note), finished_at: ended, updated_at: now }
      const place = { created_at: now, job_id: id, position: index, name: storable(name), started_at: now }
      await db
        .insertInto('job_steps')
        .values({ id: newId(), ...place, ...change })
        .onConflict((row) =>
          row.columns(['job_id', 'position']).doUpdateSet({
            ...change,
            started_at: sql<string>`coalesce(job_steps.started_at, excluded.started_at)`,
          }),
        )
        .execute()
    },

    async log(id, line) {
      const added = `${storable(line).replaceAll(/[\r\n]+/g, ' ')}\n`
      await db
        .updateTable('jobs')
        .set({ log: sql<string>`log || ${added}` })
        .where('id', '=', id)
        .where(sql<number>`length(log)`, '<', longestLog)
        .execute()
    },

    async heartbeat(id) {
      await become(db, id, 'running')
      await db
        .updateTable('jobs')
        .set({ heartbeat_at: now })
        .where('id', '=', id)
        .where('state', '=', 'running')
        .execute()
    },

    async finished(id, token, failure) {
      const job = await db.selectFrom('jobs').select(['token', 'state']).where('id', '=', id).executeTakeFirst()
      if (job?.token !== token) return false
      // Its acceptance was lost on the way; the end tells of it.
      if (job.state === 'queued' && failure === null) await become(db, id, 'running', { started_at: now })
      return end(id, failure === null ? 'succeeded' : 'failed', failure)
    },

    async cancelled(id) {
      // Written first, so that a delivery at the same moment waits for this transaction and finds it cancelled.
      const unsent = await db
        .updateTable('jobs')
        .set({ updated_at: now })
        .where('id', '=', id)
        .where('attempts', '=', 0)
        .where('started_at', 'is', null)
        .executeTakeFirst()
      return unsent.numUpdatedRows > 0n && end(id, 'cancelled', null)
    },

    async stalled(id) {
      if (!(await become(db, id, 'stalled'))) return false
      const job = await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
      await tell(db, job, 'stalled', null)
      return true
    },

    async requeued() {
      const unsent = await db
        .updateTable('jobs')
        .set({ state: 'queued', updated_at: now })
        .where('state', '=', 'stalled')
        .where('attempts', '=', 0)
        .where('started_at', 'is', null)
        .returning('id')
        .execute()
      return unsent.map(({ id }) => stored<Id>(id))
    },

    async forgetEnded(ids) {
      await db.deleteFrom('jobs').where('id', 'in', ids).where('finished_at', 'is not', null).execute()
    },

    async purgeFinishedBefore(moment, limit) {
      const old = db.selectFrom('jobs').select('id').where('finished_at', '<', moment).orderBy('finished_at')
      const result = await db.deleteFrom('jobs').where('id', 'in', old.limit(limit)).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
  return store
}

function queuedRow<Kind extends string>(id: Id): QueuedRow<Kind> {
  return { id } as QueuedRow<Kind> // the mark is a type only
}

const stateNames = Object.keys(jobTransitions).map((name) => stored<JobState>(name))

/** @param own the lock of the row; others are of what it belongs to */
async function refuseBusy(db: Db, [own, ...above]: readonly [string, ...string[]]): Promise<void> {
  const active = await db
    .selectFrom('jobs')
    .select(['id', 'type', 'state', 'resource_name', 'lock_key'])
    .where('lock_key', 'in', [own, ...above])
    .where('state', 'in', activeJobStates)
    .executeTakeFirst()
  if (active === undefined) return
  const { id, type, state, resource_name: name } = active
  const subject = active.lock_key === own ? `"${name}"` : `what belongs to "${name}"`
  throw new WcpError('busy', `Cannot change ${subject}: job ${id} (${type}) is ${state}`, {
    help: `Wait for that job to end; "wcp job watch ${id}" follows it.`,
    details: { job: id, type, state },
  })
}

interface Row extends Selectable<JobTable> {
  readonly tenant_name: string | null
}

function jobOf(row: Row): Job {
  return {
    id: stored(row.id),
    type: row.type,
    state: stored(row.state),
    tenantId: storedOrNull(row.tenant_id),
    tenantName: row.tenant_name,
    kind: stored(row.resource_kind),
    resourceId: stored(row.resource_id),
    resourceName: row.resource_name,
    actor: row.actor,
    attempts: row.attempts,
    failure: row.failure === null ? null : Failure.parse(decodeJson(row.failure)),
    createdAt: row.created_at,
    startedAt: row.started_at,
    heartbeatAt: row.heartbeat_at,
    finishedAt: row.finished_at,
  }
}

function stepOf(row: Selectable<Database['job_steps']>): JobStep {
  return {
    position: row.position,
    name: row.name,
    state: storedOrNull(row.state),
    note: row.note,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }
}

function newsOf(job: Selectable<JobTable>, state: JobState, failure: Failure | null): WebhookEvent {
  return {
    type: `job.${state}`,
    data: {
      job: { id: job.id, type: job.type, actor: job.actor },
      resource: { kind: job.resource_kind, id: job.resource_id, name: job.resource_name },
      tenant: job.tenant_id,
      failure: failure && { code: failure.code, message: failure.message },
    },
  }
}

const Payload = z.record(z.string(), z.unknown())

function runnableOf(row: Selectable<JobTable> & { readonly reseller_id: string | null }): RunnableJob {
  return {
    id: stored(row.id),
    type: row.type,
    payload: Payload.parse(decodeJson(row.payload)),
    token: row.token,
    epoch: row.epoch ?? 0, // none is sent before a new one is known
    isStaff: row.is_staff === 1,
    resellerId: storedOrNull(row.reseller_id),
    tenantId: storedOrNull(row.tenant_id),
    kind: stored(row.resource_kind),
    resourceId: stored(row.resource_id),
    state: stored(row.state),
    attempts: row.attempts,
    isBegun: row.started_at !== null,
  }
}
