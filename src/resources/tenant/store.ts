/** Tenants in the panel's database. */
import { type ExpressionBuilder, expressionBuilder, type Selectable, type SqlBool, sql, type Updateable } from 'kysely'
import { activeJobStates } from '../../contract/job.ts'
import type { Id, TenantName } from '../../contract/values.ts'
import type { Database, Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import type { TenantTable } from '../../store/tables/hosting.ts'
import { isLocked } from '../hold/locked.ts'
import type { QueuedRow } from '../job/queued-row.ts'
import type { ListQuery, Page } from '../listing.ts'
import { inOrder, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { everything, type FindOptions, type Scope, tenantWithin } from '../scope.ts'
import {
  beginsWith,
  containing,
  countUpTo,
  type InventoryRow,
  inventoryPage,
  isId,
  type StoreTools,
  stored,
  storedOrNull,
} from '../store-tools.ts'
import { displayKey } from './display-name.ts'
import type { Tenant } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly tenants: TenantStore
  }
}

export interface TenantQuery extends ListQuery {
  readonly scope?: Scope
  readonly packageId?: Id | undefined
  readonly resellerId?: Id | undefined
  /** The search looks at its own names alone. */
  readonly named?: boolean | undefined
}

export interface TenantStore {
  list(query: TenantQuery): Promise<Page<Tenant>>
  find(ref: string, options?: FindOptions): Promise<Tenant | undefined>
  /** `find`, or `not_found`. */
  get(ref: string, options?: FindOptions): Promise<Tenant>
  /** The living tenant of that display key. */
  called(key: string): Promise<Id | undefined>
  insert(tenant: {
    id: Id
    name: TenantName
    displayName?: string | null
    packageId: Id
    ownerId: Id | null
    resellerId: Id | null
  }): Promise<void>
  /** Of one that the machine could not make. */
  updateFailed(
    id: Id,
    wishes: { packageId: Id; displayName?: string | null; ownerId?: Id | null; resellerId?: Id | null },
  ): Promise<void>
  setDisplayName(id: Id, displayName: string | null): Promise<void>
  setOwner(id: Id, ownerId: Id): Promise<void>
  update(row: QueuedRow<'tenant'>, wishes: { packageId: Id; resellerId: Id | null }): Promise<void>
  /** Holds other transactions about the same id or name, and what they count, until this one ends. */
  lock(idOrName: string): Promise<void>
  countDomains(id: Id): Promise<number>
  /** Living ones within the scope, up to `most`. */
  count(most: number, scope: Scope): Promise<number>
  /** Marks the living and the trashed tenants of a package as owed its limits. */
  oweLimits(packageId: Id): Promise<void>
  /** Tenants that are owed limits and could take them now: alive, with an account, without an active job. */
  owedLimits(limit: number, packageId?: Id): Promise<Tenant[]>
  limitsQueued(row: QueuedRow<'tenant'>): Promise<void>
  /** By id, the trashed too. @param after id of the last one before them */
  inventory(after: Id | null, limit: number): Promise<InventoryRow[]>
  /** In the trash since before that moment, oldest first, without an active job. */
  expired(moment: string, limit: number): Promise<Tenant[]>
}

export function tenantStore(db: Db, { now }: StoreTools): TenantStore {
  const rows = () =>
    db
      .selectFrom('tenants')
      .innerJoin('packages', 'packages.id', 'tenants.package_id')
      .leftJoin('users', 'users.id', 'tenants.owner_id')
      .leftJoin('resellers', 'resellers.id', 'tenants.reseller_id')
      .leftJoin('users as sellers', 'sellers.id', 'resellers.user_id')
      .selectAll('tenants')
      .select(['packages.name as package_name', 'users.email as owner_email', 'sellers.email as reseller_email'])
      .select(livingDomains)
      .select(shownStatus().as('shown_status'))

  const set = async (id: Id, change: Updateable<TenantTable>) => {
    await db
      .updateTable('tenants')
      .set({ ...change, updated_at: now })
      .where('id', '=', id)
      .execute()
  }

  const store: TenantStore = {
    async list({
      cursor,
      limit,
      total,
      sort,
      search,
      named = false,
      status,
      deleted = false,
      scope = everything,
      packageId,
      resellerId,
    }) {
      let query = rows().where(inTrash(deleted)).where(tenantWithin(scope))
      if (resellerId !== undefined) query = query.where('tenants.reseller_id', '=', resellerId)
      if (packageId !== undefined) query = query.where('tenants.package_id', '=', packageId)
      // The column first: it has an index.
      if (status !== undefined)
        query = query
          .where('tenants.status', '=', status === 'locked' ? 'active' : status)
          .where(shownStatus(), '=', status)
      if (search) {
        const like = (text: string) => sql<string>`${containing(text)} escape '\\'`
        const owners = db.selectFrom('users').select('id').where('email', 'like', like(search))
        const sites = db.selectFrom('domain_names').select('tenant_id').where(beginsWith('name', search))
        query = query.where((eb) =>
          eb.or([
            eb('tenants.name', 'like', like(search)),
            eb('tenants.display_key', 'like', like(displayKey(search))),
            ...(named ? [] : [eb('tenants.owner_id', 'in', owners), eb('tenants.id', 'in', sites)]),
          ]),
        )
      }
      const page = { cursor, limit, total }
      const tenantsOf = (found: readonly Row[]) => found.map(tenantOf)
      return readPage(query, page, inOrder('tenants', 'name', sort), tenantsOf)
    },

    async find(ref, { deleted = false, scope = everything } = {}) {
      const row = await rows()
        .where(tenantWithin(scope))
        .where(isId(ref) ? 'tenants.id' : 'tenants.name', '=', ref)
        .where(inTrash(deleted))
        .orderBy('tenants.deleted_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && tenantOf(row)
    },

    async get(ref, options) {
      return (await store.find(ref, options)) ?? notFound('tenant', ref)
    },

    async called(key) {
      const query = db.selectFrom('tenants').select('id').where('display_key', '=', key).where(isCalled)
      const row = await query.executeTakeFirst()
      return row && stored<Id>(row.id)
    },

    async insert({ id, name, displayName = null, packageId, ownerId, resellerId }) {
      await db
        .insertInto('tenants')
        .values({
          id,
          created_at: now,
          updated_at: now,
          name,
          linux_user: name,
          ...called(displayName),
          package_id: packageId,
          owner_id: ownerId,
          reseller_id: resellerId,
          status: 'pending',
          version: 0,
          limits_owed: 0,
        })
        .execute()
    },

    async updateFailed(id, { packageId, displayName, ownerId, resellerId }) {
      await set(id, {
        package_id: packageId,
        ...(displayName !== undefined && called(displayName)),
        ...(ownerId !== undefined && { owner_id: ownerId }),
        ...(resellerId !== undefined && { reseller_id: resellerId }),
      })
    },

    async setDisplayName(id, displayName) {
      await set(id, called(displayName))
    },

    async setOwner(id, ownerId) {
      await set(id, { owner_id: ownerId })
    },

    async update({ id }, { packageId, resellerId }) {
      await set(id, { package_id: packageId, reseller_id: resellerId })
    },

    async lock(idOrName) {
      await storeLock(db, `tenant:${idOrName}`)
    },

    inventory: (after, limit) => inventoryPage(db.selectFrom('tenants').select(['id', 'name', 'status']), after, limit),

    async countDomains(id) {
      const { count } = await db
        .selectFrom('domains')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('tenant_id', '=', id)
        .where((eb) => eb.or([eb('deleted_at', 'is', null), eb('status', '=', 'restoring')]))
        .executeTakeFirstOrThrow()
      return count
    },

    count(most, scope) {
      const living = db.selectFrom('tenants').select('tenants.id').where('tenants.deleted_at', 'is', null)
      return countUpTo(db, living.where(tenantWithin(scope)), most)
    },

    async oweLimits(packageId) {
      await db.updateTable('tenants').set({ limits_owed: 1 }).where('package_id', '=', packageId).execute()
    },

    async owedLimits(limit, packageId) {
      let query = rows()
        .where(isOwedLimits)
        .where('tenants.deleted_at', 'is', null)
        .where('tenants.status', 'in', ['active', 'suspended'])
        .where(withoutActiveJob)
      if (packageId !== undefined) query = query.where('tenants.package_id', '=', packageId)
      return (await query.orderBy('tenants.name').limit(limit).execute()).map(tenantOf)
    },

    async limitsQueued({ id }) {
      await db.updateTable('tenants').set({ limits_owed: 0 }).where('id', '=', id).execute()
    },

    async expired(moment, limit) {
      const found = await rows()
        .where('tenants.deleted_at', '<', moment)
        .where('tenants.status', '=', 'deleted')
        .where(withoutActiveJob)
        .orderBy('tenants.deleted_at')
        .limit(limit)
        .execute()
      return found.map(tenantOf)
    },
  }
  return store
}

type Builder = ExpressionBuilder<Database, 'tenants'>

/** These are spelled out, as SQLite uses a partial index only for the very words of its condition. */
const isOwedLimits = sql<SqlBool>`tenants.limits_owed = 1`
const isCalled = sql<SqlBool>`(deleted_at is null or status = 'restoring')`

function called(displayName: string | null) {
  return { display_name: displayName, display_key: displayName === null ? null : displayKey(displayName) }
}

/** A row that is being restored counts as alive already. */
function inTrash(deleted: boolean) {
  return (eb: Builder) =>
    deleted
      ? eb.and([eb('tenants.deleted_at', 'is not', null), eb('tenants.status', '!=', 'restoring')])
      : eb.or([eb('tenants.deleted_at', 'is', null), eb('tenants.status', '=', 'restoring')])
}

function shownStatus() {
  const eb = expressionBuilder<Database, 'tenants'>()
  const isOnlyLocked = eb.and([eb('tenants.status', '=', 'active'), isLocked()])
  return eb.case().when(isOnlyLocked).then('locked').else(eb.ref('tenants.status')).end()
}

function withoutActiveJob(eb: Builder) {
  const active = eb
    .selectFrom('jobs')
    .select('jobs.id')
    .whereRef('jobs.tenant_id', '=', 'tenants.id')
    .where('jobs.state', 'in', activeJobStates)
  return eb.not(eb.exists(active))
}

function livingDomains(eb: Builder) {
  return eb
    .selectFrom('domains')
    .whereRef('domains.tenant_id', '=', 'tenants.id')
    .where('domains.deleted_at', 'is', null)
    .select((count) => count.fn.countAll<number>().as('count'))
    .as('domains')
}

interface Row extends Selectable<TenantTable> {
  readonly package_name: string
  readonly owner_email: string | null
  readonly reseller_email: string | null
  readonly domains: number | null
  readonly shown_status: string
}

function tenantOf(row: Row): Tenant {
  return {
    id: stored(row.id),
    name: stored(row.name),
    displayName: row.display_name,
    status: stored(row.shown_status),
    packageId: stored(row.package_id),
    packageName: row.package_name,
    ownerId: storedOrNull(row.owner_id),
    ownerEmail: row.owner_email,
    resellerId: storedOrNull(row.reseller_id),
    resellerEmail: row.reseller_email,
    domains: row.domains ?? 0,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
