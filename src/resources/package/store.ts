/** Packages in the panel's database. */
import { type ExpressionBuilder, type Selectable, sql } from 'kysely'
import { EgressPolicy, type Id, SshAccess, type TenantLimits } from '../../contract/values.ts'
import type { Database, Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import type { PackageLimitTable, PackageTable } from '../../store/tables/hosting.ts'
import type { ListQuery, Page } from '../listing.ts'
import { alphabetical, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { everything, type FindOptions, packageWithin, type Scope } from '../scope.ts'
import { containing, countUpTo, isId, type StoreTools, stored, storedOrNull } from '../store-tools.ts'
import { type Feature, readFeatures, writeFeatures } from './features.ts'
import type { Package, PlainPackage } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly packages: PackageStore
  }
}

export interface PackageValues extends TenantLimits {
  readonly name: string
  readonly description: string
  readonly maxDomains: number | null
  readonly maxDatabases: number | null
  readonly isSystem: boolean
  readonly features: readonly Feature[]
}

/** Keys that are left out, or undefined, stay. */
export type PackageChange = { readonly [K in keyof PackageValues]?: PackageValues[K] | undefined }

/** A name is known among the packages of one owner only: those of the panel itself, unless the asker or `owner` says otherwise. */
export interface FindPackage extends FindOptions {
  readonly owner?: Id | null
}

export interface PackageStore {
  list(query: ListQuery & { scope?: Scope; resellerId?: Id | undefined }): Promise<Page<Package>>
  /** Living ones within the scope, up to `most`. */
  count(most: number, scope: Scope): Promise<number>
  /** By id or name among the living; with `deleted`, in the trash. */
  find(ref: string, options?: FindPackage): Promise<PlainPackage | undefined>
  /** `find`, or `not_found`. */
  get(ref: string, options?: FindPackage): Promise<PlainPackage>
  /** Of a reseller, or of the panel itself. */
  findDefault(owner: Id | null): Promise<PlainPackage | undefined>
  /** With the number of its living tenants. */
  counted(plain: PlainPackage): Promise<Package>
  insert(id: Id, values: PackageValues, owner: Id | null): Promise<void>
  update(id: Id, values: PackageChange): Promise<void>
  /** Makes it the one default of its owner. */
  makeDefault(id: Id): Promise<void>
  /** Holds other transactions about the same id or name until this one ends. */
  lock(idOrName: string): Promise<void>
  /** Tenants that have it, those in the trash included. */
  countTenants(id: Id): Promise<number>
  setDeleted(id: Id, deletedAt: string | null): Promise<void>
  /** Removes rows that have been in the trash since before that moment; answers how many. */
  purgeDeletedBefore(moment: string): Promise<number>
}

export function packageStore(db: Db, { now, newId }: StoreTools): PackageStore {
  const livingTenants = (eb: ExpressionBuilder<Database, 'packages'>) =>
    eb
      .selectFrom('tenants')
      .whereRef('tenants.package_id', '=', 'packages.id')
      .where('tenants.deleted_at', 'is', null)
      .select((count) => count.fn.countAll<number>().as('count'))
      .as('tenants')

  const rows = () =>
    db
      .selectFrom('packages')
      .innerJoin('package_limits', 'package_limits.package_id', 'packages.id')
      .leftJoin('resellers', 'resellers.id', 'packages.reseller_id')
      .leftJoin('users as sellers', 'sellers.id', 'resellers.user_id')
      .selectAll('packages')
      .select('sellers.email as reseller_email')
      .select(['max_domains', 'max_cpu_pct', 'max_mem_mb', 'max_pids', 'max_io', 'max_disk_mb', 'egress', 'features'])
      .select(['max_databases', 'ssh_access'])

  const store: PackageStore = {
    async list({ cursor, limit, total, search, deleted = false, scope = everything, resellerId }) {
      let query = rows()
        .select(livingTenants)
        .where('packages.deleted_at', deleted ? 'is not' : 'is', null)
        .where(packageWithin(scope))
      if (resellerId !== undefined) query = query.where('packages.reseller_id', '=', resellerId)
      if (search) query = query.where('packages.name', 'like', sql<string>`${containing(search)} escape '\\'`)
      return readPage(query, { cursor, limit, total }, alphabetical('packages', 'name'), (found) =>
        found.map((row) => ({ ...packageOf(row), tenants: row.tenants ?? 0 })),
      )
    },

    count(most, scope) {
      const living = db.selectFrom('packages').select('packages.id').where('packages.deleted_at', 'is', null)
      return countUpTo(db, living.where(packageWithin(scope)), most)
    },

    async find(ref, { deleted = false, scope = everything, owner = ownerOf(ref, scope) } = {}) {
      let query = rows().where(packageWithin(scope))
      if (owner !== undefined) query = query.where('packages.reseller_id', owner === null ? 'is' : '=', owner)
      const row = await query
        .where(isId(ref) ? 'packages.id' : 'packages.name', '=', ref)
        .where('packages.deleted_at', deleted ? 'is not' : 'is', null)
        .orderBy('packages.deleted_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && packageOf(row)
    },

    async get(ref, options) {
      return (await store.find(ref, options)) ?? notFound('package', ref)
    },

    async findDefault(owner) {
      const row = await rows()
        .where('is_default', '=', 1)
        .where('packages.reseller_id', owner === null ? 'is' : '=', owner)
        .executeTakeFirst()
      return row && packageOf(row)
    },

    async insert(id, values, owner) {
      const common = { created_at: now, updated_at: now }
      await db
        .insertInto('packages')
        .values({
          id,
          ...common,
          name: values.name,
          description: values.description,
          is_system: values.isSystem ? 1 : 0,
          is_default: 0,
          reseller_id: owner,
        })
        .execute()
      await db
        .insertInto('package_limits')
        .values({
          id: newId(),
          ...common,
          package_id: id,
          features: writeFeatures(values.features),
          ...limitColumns(values),
        })
        .execute()
    },

    async update(id, values) {
      const { name, description, isSystem, features } = values
      await db
        .updateTable('packages')
        .set({
          updated_at: now,
          ...(name !== undefined && { name }),
          ...(description !== undefined && { description }),
          ...(isSystem !== undefined && { is_system: isSystem ? 1 : 0 }),
        })
        .where('id', '=', id)
        .execute()
      await db
        .updateTable('package_limits')
        .set({
          updated_at: now,
          ...(features !== undefined && { features: writeFeatures(features) }),
          ...limitColumns(values),
        })
        .where('package_id', '=', id)
        .execute()
    },

    async makeDefault(id) {
      const { resellerId } = await store.get(id)
      await db
        .updateTable('packages')
        .set({ is_default: 0 })
        .where('is_default', '=', 1)
        .where('reseller_id', resellerId === null ? 'is' : '=', resellerId)
        .execute()
      await db.updateTable('packages').set({ is_default: 1, updated_at: now }).where('id', '=', id).execute()
    },

    async lock(idOrName) {
      await storeLock(db, `package:${idOrName}`)
    },

    async counted(plain) {
      const { count } = await db
        .selectFrom('tenants')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('package_id', '=', plain.id)
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow()
      return { ...plain, tenants: count }
    },

    async countTenants(id) {
      const { count } = await db
        .selectFrom('tenants')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('package_id', '=', id)
        .executeTakeFirstOrThrow()
      return count
    },

    async setDeleted(id, deletedAt) {
      await db.updateTable('packages').set({ deleted_at: deletedAt, updated_at: now }).where('id', '=', id).execute()
    },

    async purgeDeletedBefore(moment) {
      const result = await db
        .deleteFrom('packages')
        .where('deleted_at', '<', moment)
        .where((eb) =>
          eb.not(eb.exists(eb.selectFrom('tenants').select('tenants.id').whereRef('package_id', '=', 'packages.id'))),
        )
        .executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
  return store
}

/** Of which owner a package is that is named so; undefined: of anybody in the scope. */
function ownerOf(ref: string, scope: Scope): Id | null | undefined {
  return isId(ref) || scope.kind !== 'global' ? undefined : null
}

function limitColumns(values: PackageChange) {
  const { maxDomains, maxDatabases, cpuPct, memMb, pids, ioMbps, diskMb, egress, sshAccess } = values
  return {
    ...(maxDomains !== undefined && { max_domains: maxDomains }),
    ...(maxDatabases !== undefined && { max_databases: maxDatabases }),
    ...(cpuPct !== undefined && { max_cpu_pct: cpuPct }),
    ...(memMb !== undefined && { max_mem_mb: memMb }),
    ...(pids !== undefined && { max_pids: pids }),
    ...(ioMbps !== undefined && { max_io: ioMbps }),
    ...(diskMb !== undefined && { max_disk_mb: diskMb }),
    ...(egress !== undefined && { egress }),
    ...(sshAccess !== undefined && { ssh_access: sshAccess }),
  }
}

type Row = Selectable<PackageTable> &
  Pick<
    Selectable<PackageLimitTable>,
    | 'max_domains'
    | 'max_databases'
    | 'max_cpu_pct'
    | 'max_mem_mb'
    | 'max_pids'
    | 'max_io'
    | 'max_disk_mb'
    | 'egress'
    | 'ssh_access'
    | 'features'
  > & { reseller_email: string | null }

function packageOf(row: Row): PlainPackage {
  return {
    id: stored(row.id),
    name: row.name,
    description: row.description,
    isDefault: row.is_default === 1,
    isSystem: row.is_system === 1,
    features: readFeatures(row.features),
    maxDomains: row.max_domains,
    maxDatabases: row.max_databases,
    cpuPct: row.max_cpu_pct,
    memMb: row.max_mem_mb,
    pids: row.max_pids,
    ioMbps: row.max_io,
    diskMb: row.max_disk_mb,
    egress: EgressPolicy.parse(row.egress),
    sshAccess: SshAccess.parse(row.ssh_access),
    resellerId: storedOrNull(row.reseller_id),
    resellerEmail: row.reseller_email,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
