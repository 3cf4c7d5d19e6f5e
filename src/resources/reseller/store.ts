/** Resellers in the panel's database, and what their tenants add up to. */
import { type Selectable, sql } from 'kysely'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import type { ResellerTable } from '../../store/tables/people.ts'
import type { ListQuery, Page } from '../listing.ts'
import { alphabetical, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { everything, type FindOptions, resellerWithin, type Scope } from '../scope.ts'
import { containing, isId, type StoreTools, stored } from '../store-tools.ts'
import { KeptLimits, type Reseller, type ResellerLimits, type ResellerUse, type ShareKey } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly resellers: ResellerStore
  }
}

/** Limits of one package; null is no limit. */
export type PackageShare = Readonly<Record<ShareKey, number | null>> & { readonly name: string }

export interface ResellerStore {
  list(query: ListQuery & { scope?: Scope }): Promise<Page<Reseller>>
  find(ref: string, options?: FindOptions): Promise<Reseller | undefined>
  /** `find`, or `not_found`. */
  get(ref: string, options?: FindOptions): Promise<Reseller>
  /** Holds other transactions that count or give away what this reseller has until this one ends. */
  lock(id: Id): Promise<void>
  insert(id: Id, user: Id, limits: ResellerLimits): Promise<void>
  setLimits(id: Id, limits: ResellerLimits): Promise<void>
  setDeleted(id: Id, deletedAt: string | null): Promise<void>
  /** Living packages of the reseller. */
  packages(id: Id): Promise<PackageShare[]>
  /** Tenants, those in the trash included. */
  countTenants(id: Id): Promise<number>
}

export function resellerStore(db: Db, { now }: StoreTools): ResellerStore {
  const rows = () =>
    db
      .selectFrom('resellers')
      .innerJoin('users', 'users.id', 'resellers.user_id')
      .selectAll('resellers')
      .select(['users.email', 'users.status'])

  const withUse = async (found: readonly Row[]): Promise<Reseller[]> => {
    const uses = await usesOf(found.map((row) => row.id))
    return found.map((row) => resellerOf(row, uses.get(row.id) ?? noUse))
  }

  const usesOf = async (ids: readonly string[]): Promise<Map<string, ResellerUse>> => {
    if (ids.length === 0) return new Map()
    const sums = await db
      .selectFrom('tenants')
      .innerJoin('package_limits', 'package_limits.package_id', 'tenants.package_id')
      .select(['tenants.reseller_id', (eb) => eb.fn.countAll<number>().as('tenants')])
      .select([
        sum('max_domains').as('maxDomains'),
        sum('max_cpu_pct').as('cpuPct'),
        sum('max_mem_mb').as('memMb'),
        sum('max_pids').as('pids'),
        sum('max_io').as('ioMbps'),
        sum('max_disk_mb').as('diskMb'),
        sum('max_databases').as('maxDatabases'),
      ])
      .where('tenants.reseller_id', 'in', ids)
      .where((eb) => eb.or([eb('tenants.deleted_at', 'is', null), eb('tenants.status', '=', 'restoring')]))
      .groupBy('tenants.reseller_id')
      .execute()
    return new Map(sums.map(({ reseller_id: id, ...use }) => [id ?? '', use]))
  }

  const store: ResellerStore = {
    async list({ cursor, limit, total, search, status, deleted = false, scope = everything }) {
      let query = rows()
        .where('resellers.deleted_at', deleted ? 'is not' : 'is', null)
        .where(resellerWithin(scope))
      if (status !== undefined) query = query.where('users.status', '=', status)
      if (search) query = query.where('users.email', 'like', sql<string>`${containing(search)} escape '\\'`)
      return readPage(query, { cursor, limit, total }, alphabetical('users', 'email', 'resellers'), withUse)
    },

    async find(ref, { deleted = false, scope = everything } = {}) {
      const found = await rows()
        .where(isId(ref) ? 'resellers.id' : 'users.email', '=', ref)
        .where('resellers.deleted_at', deleted ? 'is not' : 'is', null)
        .where(resellerWithin(scope))
        .orderBy('resellers.deleted_at', 'desc')
        .limit(1)
        .execute()
      return (await withUse(found))[0]
    },

    async get(ref, options) {
      return (await store.find(ref, options)) ?? notFound('reseller', ref)
    },

    async lock(id) {
      await storeLock(db, `reseller:${id}`)
    },

    async insert(id, user, limits) {
      await db
        .insertInto('resellers')
        .values({ id, created_at: now, updated_at: now, user_id: user, limits: encodeJson(limits) })
        .execute()
    },

    async setLimits(id, limits) {
      await db
        .updateTable('resellers')
        .set({ limits: encodeJson(limits), updated_at: now })
        .where('id', '=', id)
        .execute()
    },

    async setDeleted(id, deletedAt) {
      await db.updateTable('resellers').set({ deleted_at: deletedAt, updated_at: now }).where('id', '=', id).execute()
    },

    async packages(id) {
      return db
        .selectFrom('packages')
        .innerJoin('package_limits', 'package_limits.package_id', 'packages.id')
        .select([
          'packages.name',
          'max_domains as maxDomains',
          'max_cpu_pct as cpuPct',
          'max_mem_mb as memMb',
          'max_pids as pids',
          'max_io as ioMbps',
          'max_disk_mb as diskMb',
          'max_databases as maxDatabases',
        ])
        .where('packages.reseller_id', '=', id)
        .where('packages.deleted_at', 'is', null)
        .execute()
    },

    async countTenants(id) {
      const { count } = await db
        .selectFrom('tenants')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('reseller_id', '=', id)
        .executeTakeFirstOrThrow()
      return count
    },
  }
  return store
}

/** A package without the limit adds nothing: it is refused by itself where the reseller has one. */
function sum(column: string) {
  return sql<number>`cast(coalesce(sum(${sql.ref(column)}), 0) as bigint)`
}

const none = { maxDomains: 0, cpuPct: 0, memMb: 0, pids: 0, ioMbps: 0, diskMb: 0, maxDatabases: 0 }
const noUse: ResellerUse = { tenants: 0, ...none }

interface Row extends Selectable<ResellerTable> {
  readonly email: string
  readonly status: string
}

function resellerOf(row: Row, used: ResellerUse): Reseller {
  return {
    id: stored(row.id),
    userId: stored(row.user_id),
    email: row.email,
    status: stored(row.status),
    ...KeptLimits.parse(decodeJson(row.limits)),
    used,
    tenants: used.tenants,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
