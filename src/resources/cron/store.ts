/** Cron jobs of tenants in the panel's store. */
import { type Selectable, sql } from 'kysely'
import { z } from 'zod'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import type { ListQuery, Page } from '../listing.ts'
import { readFeatures } from '../package/features.ts'
import { alphabetical, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { everything, type FindOptions, type Scope, tenantWithin } from '../scope.ts'
import { containing, isId, type StoreTools, stored, storedOrNull } from '../store-tools.ts'
import type { Cron } from './schema.ts'
import type { CronTable } from './tables.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly crons: CronStore
  }
}

/** Of a job whose time has come. */
export interface DueCron extends Cron {
  readonly nextAt: string
  /** Its tenant and its site are served. */
  readonly isServed: boolean
}

type Wishes = Pick<
  Cron,
  | 'name'
  | 'schedule'
  | 'timeZone'
  | 'command'
  | 'environment'
  | 'seconds'
  | 'jitterSeconds'
  | 'ifMissed'
  | 'isEnabled'
  | 'nextAt'
>
export type NewCron = Wishes & Pick<Cron, 'id' | 'tenantId' | 'domainId'>

export interface CronStore {
  list(query: ListQuery & { scope: Scope; tenantId?: Id | undefined; domainId?: Id | undefined }): Promise<Page<Cron>>
  /** `undefined` outside of the scope; with `deleted`, in the trash. */
  find(id: string, options?: FindOptions): Promise<Cron | undefined>
  /** `find`, or `not_found`. */
  get(id: string, options?: FindOptions): Promise<Cron>
  /** Living ones of the tenant. */
  countOf(tenantId: Id): Promise<number>
  insert(one: NewCron): Promise<void>
  update(id: Id, wishes: Wishes): Promise<void>
  trash(id: Id): Promise<void>
  restore(id: Id, nextAt: string | null): Promise<void>
  /** Removes for good those in the trash on their own since before that moment. */
  purge(moment: string): Promise<number>

  /** Switched on, and their time has come, the longest waiting first. */
  due(limit: number): Promise<DueCron[]>
  /** False when somebody has changed it meanwhile: its time is not the one that was seen any more. */
  plan(id: Id, seen: string, nextAt: string | null): Promise<boolean>
  /** Switched on and planned for later, by id. @param after id of the last one before them */
  planned(after: Id | null, limit: number): Promise<Cron[]>
  /** Their time came before that moment, and nobody has looked. */
  overdue(moment: string, limit: number): Promise<Cron[]>
  /** Their last run failed. Of sites that are served. */
  failing(limit: number): Promise<Cron[]>
  /** Not run when they were due, and not since. Of sites that are served. */
  missed(limit: number): Promise<Cron[]>
}

export function cronStore(db: Db, { now }: StoreTools): CronStore {
  const rows = () =>
    db
      .selectFrom('cron_jobs')
      .innerJoin('tenants', 'tenants.id', 'cron_jobs.tenant_id')
      .innerJoin('domains', 'domains.id', 'cron_jobs.domain_id')
      .selectAll('cron_jobs')
      .select(['tenants.name as tenant_name', 'domains.fqdn as fqdn'])
  // written out, as the index of such rows has it
  const planned = () => rows().where(sql<boolean>`cron_jobs.is_enabled = 1 and cron_jobs.deleted_at is null`)
  const change = (id: Id) => db.updateTable('cron_jobs').where('id', '=', id)

  /** The longest first. */
  const since = async (column: 'cron_jobs.failing_since' | 'cron_jobs.missed_at', limit: number) => {
    const found = await planned()
      .where(column, 'is not', null)
      .where(unindexed('tenants.status'), 'in', served)
      .where(unindexed('domains.status'), 'in', served)
      .orderBy(column)
      .limit(limit)
      .execute()
    return found.map(cronOf)
  }

  const store: CronStore = {
    async list({ cursor, limit, total, search, deleted = false, scope, tenantId, domainId }) {
      let query = rows()
        .where('cron_jobs.deleted_at', deleted ? 'is not' : 'is', null)
        .where(tenantWithin(scope))
      if (tenantId !== undefined) query = query.where('cron_jobs.tenant_id', '=', tenantId)
      if (domainId !== undefined) query = query.where('cron_jobs.domain_id', '=', domainId)
      if (search)
        query = query.where(sql<string>`lower(cron_jobs.name)`, 'like', sql<string>`${containing(search)} escape '\\'`)
      const page = { cursor, limit, total }
      return readPage(query, page, alphabetical('cron_jobs', 'name'), (found) => found.map(cronOf))
    },

    async find(id, { deleted = false, scope = everything } = {}) {
      const query = rows().where(tenantWithin(scope)).where('cron_jobs.id', '=', id)
      const within = query.where('cron_jobs.deleted_at', deleted ? 'is not' : 'is', null)
      const row = isId(id) ? await within.executeTakeFirst() : undefined
      return row && cronOf(row)
    },

    async get(id, options) {
      return (await store.find(id, options)) ?? notFound('cron job', id)
    },

    async countOf(tenantId) {
      const { count } = await db
        .selectFrom('cron_jobs')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('tenant_id', '=', tenantId)
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow()
      return Number(count)
    },

    async insert({ id, tenantId, domainId, ...wishes }) {
      const row = { id, created_at: now, updated_at: now, tenant_id: tenantId, domain_id: domainId }
      await db
        .insertInto('cron_jobs')
        .values({ ...row, ...columnsOf(wishes), status: 'active', version: 0 })
        .execute()
    },

    async update(id, wishes) {
      await change(id)
        .set({ ...columnsOf(wishes), updated_at: now })
        .execute()
    },

    async trash(id) {
      await change(id).set({ status: 'deleted', next_at: null, deleted_at: now, updated_at: now }).execute()
    },

    async restore(id, nextAt) {
      await change(id).set({ status: 'active', deleted_at: null, next_at: nextAt, updated_at: now }).execute()
    },

    async purge(moment) {
      const result = await db
        .deleteFrom('cron_jobs')
        .where('deleted_at', '<', moment)
        .where('status_before_tenant', 'is', null)
        .executeTakeFirst()
      return Number(result.numDeletedRows)
    },

    async due(limit) {
      const found = await planned()
        .innerJoin('package_limits', 'package_limits.package_id', 'tenants.package_id')
        .select(['tenants.status as tenant_status', 'domains.status as domain_status', 'package_limits.features'])
        .where('cron_jobs.next_at', '<=', now)
        .orderBy('cron_jobs.next_at')
        .limit(limit)
        .execute()
      return found.map((row) => ({
        ...cronOf(row),
        nextAt: String(row.next_at),
        isServed: mayRun(row) && served.includes(row.domain_status) && !wasAway(row, now),
      }))
    },

    async plan(id, seen, nextAt) {
      const known = change(id).where('next_at', '=', seen).where('deleted_at', 'is', null)
      const result = await known.set({ next_at: nextAt }).executeTakeFirst()
      return result.numUpdatedRows > 0n
    },

    async planned(after, limit) {
      let query = planned().where('cron_jobs.next_at', '>', now).orderBy('cron_jobs.id').limit(limit)
      if (after !== null) query = query.where('cron_jobs.id', '>', after)
      return (await query.execute()).map(cronOf)
    },

    async overdue(moment, limit) {
      const found = await planned().where('cron_jobs.next_at', '<', moment).limit(limit).execute()
      return found.map(cronOf)
    },

    failing: (limit) => since('cron_jobs.failing_since', limit),
    missed: (limit) => since('cron_jobs.missed_at', limit),
  }
  return store
}

/** It came back from the trash after its time, with its tenant: only that changes a row without planning it anew. */
function wasAway({ next_at, updated_at }: Pick<CronTable, 'next_at' | 'updated_at'>, now: string): boolean {
  return updated_at > String(next_at) && updated_at <= now
}

/** What its package does not give rests until it does. */
function mayRun(row: { readonly tenant_status: string; readonly features: string | null }): boolean {
  return served.includes(row.tenant_status) && readFeatures(row.features).includes('cron')
}

/** Of a tenant or a domain whose sites are served, also while a job changes it. */
const served: readonly string[] = ['active', 'locked', 'deploying']

/** Keeps the planner from beginning with all that are served: jobs in trouble are few, and have an index of their own. */
function unindexed(column: string) {
  return sql<string>`coalesce(${sql.ref(column)}, '')`
}

function columnsOf(wishes: Wishes) {
  return {
    name: wishes.name,
    schedule: wishes.schedule,
    time_zone: wishes.timeZone,
    command: encodeJson(wishes.command),
    environment: encodeJson(wishes.environment),
    seconds: wishes.seconds,
    jitter_seconds: wishes.jitterSeconds,
    if_missed: wishes.ifMissed,
    is_enabled: wishes.isEnabled ? 1 : 0,
    next_at: wishes.nextAt,
  }
}

const Words = z.array(z.string())

interface Row extends Selectable<CronTable> {
  readonly tenant_name: string
  readonly fqdn: string
}

function cronOf(row: Row): Cron {
  return {
    id: stored(row.id),
    tenantId: stored(row.tenant_id),
    tenantName: row.tenant_name,
    domainId: stored(row.domain_id),
    fqdn: stored(row.fqdn),
    name: row.name,
    schedule: row.schedule,
    timeZone: row.time_zone,
    command: Words.parse(decodeJson(row.command)) as Cron['command'],
    environment: Words.parse(decodeJson(row.environment)),
    seconds: row.seconds,
    jitterSeconds: row.jitter_seconds,
    ifMissed: stored(row.if_missed),
    isEnabled: row.is_enabled === 1,
    nextAt: row.is_enabled === 1 ? row.next_at : null,
    lastEndedAt: row.last_ended_at,
    lastOutcome: storedOrNull(row.last_outcome),
    failingSince: row.failing_since,
    lastProblem: row.last_problem,
    missedAt: row.missed_at,
    status: row.status,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
