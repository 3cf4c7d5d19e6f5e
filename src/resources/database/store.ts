/** Databases of tenants in the panel's store. */
import { type Selectable, sql } from 'kysely'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import { index, type Migration, table } from '../../store/migrations/migration.ts'
import type { OwnedColumns } from '../../store/tables/common.ts'
import type { QueuedRow } from '../job/queued-row.ts'
import type { ListQuery, Page } from '../listing.ts'
import { inOrder, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { everything, type FindOptions, type Scope, tenantWithin } from '../scope.ts'
import {
  containing,
  countUpTo,
  type InventoryRow,
  inventoryPage,
  isId,
  type StoreTools,
  stored,
} from '../store-tools.ts'
import type { Database } from './schema.ts'

interface DatabaseTable extends OwnedColumns {
  name: string
  engine: string
  text_collation: string
  used_mb: number | null
  measured_at: string | null
}

declare module '../../store/database.ts' {
  interface Database {
    databases: DatabaseTable
  }
}

declare module '../stores.ts' {
  interface Stores {
    readonly databases: DatabaseStore
  }
}

/** What went into the trash with its tenant keeps its name: it comes back with it. */
const bearsName = 'deleted_at is null or status_before_tenant is not null'

/** The table of the first schema was never written to. */
export const databases: Migration = {
  number: 34,
  name: 'databases',
  statements: (words) => [
    'drop table databases',
    table(words, 'databases', {
      tenant_id: `${words.id} not null references tenants (id) on delete cascade`,
      name: `${words.name} not null`,
      engine: 'text not null',
      text_collation: 'text not null',
      status: 'text not null',
      version: `${words.int} not null`,
      status_before_tenant: 'text',
    }),
    index('databases', 'name', { unique: true, where: bearsName }),
    index('databases', 'name, id'),
    index('databases', 'tenant_id'),
    index('databases', 'deleted_at', { where: 'deleted_at is not null' }),
  ],
}

export const databaseSizes: Migration = {
  number: 35,
  name: 'database-sizes',
  statements: ({ int, time }) => [
    `alter table databases add column used_mb ${int}`,
    `alter table databases add column measured_at ${time}`,
  ],
}

export interface DatabaseStore {
  list(query: ListQuery & { scope: Scope; tenantId?: Id | undefined }): Promise<Page<Database>>
  /** Living ones within the scope, up to `most`. */
  count(most: number, scope: Scope): Promise<number>
  /** By id or name among the living; with `deleted`, in the trash, the last one that had the name. */
  find(ref: string, options?: FindOptions): Promise<Database | undefined>
  /** `find`, or `not_found`. */
  get(ref: string, options?: FindOptions): Promise<Database>
  /** Whoever bears the name, in whichever scope; others who ask for it wait until this transaction has ended. */
  bearing(name: string): Promise<Pick<Database, 'id' | 'tenantId' | 'status'> | undefined>
  /** Living ones of the tenant. */
  countOf(tenantId: Id): Promise<number>
  /** By id, those in the trash too. */
  inventory(after: Id | null, limit: number): Promise<InventoryRow[]>
  insert(one: Pick<Database, 'id' | 'tenantId' | 'name' | 'engine' | 'collation'>): Promise<void>
  /** What a create request that is sent again asks for now. */
  setWanted(row: QueuedRow<'database'>, wanted: Pick<Database, 'engine' | 'collation'>): Promise<void>
  /** Its name is its own again. */
  takeOut(row: QueuedRow<'database'>): Promise<void>
  /** Those that have been in the trash on their own since before that moment. */
  expired(moment: string, limit: number): Promise<{ id: Id; tenantId: Id }[]>
}

export function databaseStore(db: Db, { now }: StoreTools): DatabaseStore {
  const rows = () =>
    db
      .selectFrom('databases')
      .innerJoin('tenants', 'tenants.id', 'databases.tenant_id')
      .selectAll('databases')
      .select(['tenants.name as tenant_name', 'tenants.status as tenant_status'])
  const change = (id: Id) => db.updateTable('databases').where('id', '=', id)

  const store: DatabaseStore = {
    async list({ cursor, limit, total, sort, search, deleted = false, scope, tenantId }) {
      let query = rows()
        .where('databases.deleted_at', deleted ? 'is not' : 'is', null)
        .where(tenantWithin(scope))
      if (tenantId !== undefined) query = query.where('databases.tenant_id', '=', tenantId)
      if (search) query = query.where('databases.name', 'like', sql<string>`${containing(search)} escape '\\'`)
      const page = { cursor, limit, total }
      const databasesOf = (found: readonly Row[]) => found.map(databaseOf)
      return readPage(query, page, inOrder('databases', 'name', sort), databasesOf)
    },

    count(most, scope) {
      const living = db
        .selectFrom('databases')
        .innerJoin('tenants', 'tenants.id', 'databases.tenant_id')
        .select('databases.id')
        .where('databases.deleted_at', 'is', null)
      return countUpTo(db, living.where(tenantWithin(scope)), most)
    },

    async find(ref, { deleted = false, scope = everything } = {}) {
      const row = await rows()
        .where(tenantWithin(scope))
        .where(isId(ref) ? 'databases.id' : 'databases.name', '=', ref)
        .where('databases.deleted_at', deleted ? 'is not' : 'is', null)
        .orderBy('databases.deleted_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && databaseOf(row)
    },

    async get(ref, options) {
      return (await store.find(ref, options)) ?? notFound('database', ref)
    },

    async bearing(name) {
      await storeLock(db, `database:${name}`)
      const row = await db
        .selectFrom('databases')
        .select(['id', 'tenant_id', 'status'])
        .where('name', '=', name)
        .where((eb) => eb.or([eb('deleted_at', 'is', null), eb('status_before_tenant', 'is not', null)]))
        .executeTakeFirst()
      return row && { id: stored(row.id), tenantId: stored(row.tenant_id), status: row.status }
    },

    async countOf(tenantId) {
      const { count } = await db
        .selectFrom('databases')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('tenant_id', '=', tenantId)
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow()
      return Number(count)
    },

    inventory: (after, limit) =>
      inventoryPage(db.selectFrom('databases').select(['id', 'name', 'status']), after, limit),

    async insert({ id, tenantId, name, engine, collation }) {
      const row = { id, created_at: now, updated_at: now, tenant_id: tenantId, name, engine, text_collation: collation }
      await db
        .insertInto('databases')
        .values({ ...row, status: 'pending', version: 0 })
        .execute()
    },

    async setWanted({ id }, { engine, collation }) {
      await change(id).set({ engine, text_collation: collation, updated_at: now }).execute()
    },

    async takeOut({ id }) {
      await change(id).set({ deleted_at: null, updated_at: now }).execute()
    },

    async expired(moment, limit) {
      const found = await db
        .selectFrom('databases')
        .select(['id', 'tenant_id'])
        .where('deleted_at', '<', moment)
        .where('status', '=', 'deleted')
        .where('status_before_tenant', 'is', null)
        .orderBy('deleted_at')
        .limit(limit)
        .execute()
      return found.map((row) => ({ id: stored(row.id), tenantId: stored(row.tenant_id) }))
    },
  }
  return store
}

interface Row extends Selectable<DatabaseTable> {
  readonly tenant_name: string
  readonly tenant_status: string
}

function databaseOf(row: Row): Database {
  return {
    id: stored(row.id),
    tenantId: stored(row.tenant_id),
    tenantName: row.tenant_name,
    tenantStatus: stored(row.tenant_status),
    name: stored(row.name),
    engine: stored(row.engine),
    collation: stored(row.text_collation),
    usedMb: row.used_mb,
    measuredAt: row.measured_at,
    status: row.status,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
