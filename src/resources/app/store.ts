/** Applications of tenants in the panel's store. */
import { type Selectable, sql } from 'kysely'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { index, type Migration, table } from '../../store/migrations/migration.ts'
import type { OwnedColumns } from '../../store/tables/common.ts'
import type { ListQuery, Page } from '../listing.ts'
import { newestFirst, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { everything, type Scope, tenantWithin } from '../scope.ts'
import { containing, isId, type StoreTools, stored, storedOrNull } from '../store-tools.ts'
import type { App } from './schema.ts'

interface AppTable extends OwnedColumns {
  domain_id: string
  database_id: string | null
  application: string
  title: string
  admin_user: string
  admin_email: string
}

declare module '../../store/database.ts' {
  interface Database {
    apps: AppTable
  }
}

declare module '../stores.ts' {
  interface Stores {
    readonly apps: AppStore
  }
}

/** The table of the first schema was never written to. */
export const apps: Migration = {
  number: 39,
  name: 'apps',
  statements: (words) => [
    'drop table apps',
    table(words, 'apps', {
      tenant_id: `${words.id} not null references tenants (id) on delete cascade`,
      domain_id: `${words.id} not null references domains (id) on delete cascade`,
      database_id: `${words.id} references databases (id) on delete set null`,
      application: 'text not null',
      title: 'text not null',
      admin_user: 'text not null',
      admin_email: 'text not null',
      status: 'text not null',
      version: `${words.int} not null`,
      status_before_tenant: 'text',
    }),
    index('apps', 'domain_id', { unique: true }),
    index('apps', 'tenant_id'),
    index('apps', 'database_id'),
    index('apps', 'created_at, id'),
  ],
}

export type AppWishes = Pick<App, 'application' | 'title' | 'adminUser' | 'adminEmail'>

export interface AppStore {
  list(query: ListQuery & { scope: Scope; tenantId?: Id | undefined; domainId?: Id | undefined }): Promise<Page<App>>
  /** `not_found` outside of the scope. @param ref id, or name of the domain */
  get(ref: string, scope: Scope): Promise<App>
  ofDomain(domainId: Id): Promise<App | undefined>
  insert(one: AppWishes & Pick<App, 'id' | 'tenantId' | 'domainId'>): Promise<void>
  /** What a request that is sent again after a failure asks for now. */
  setWishes(id: Id, wishes: AppWishes): Promise<void>
  setDatabase(id: Id, databaseId: Id): Promise<void>
  forget(id: Id): Promise<void>
}

export function appStore(db: Db, { now }: StoreTools): AppStore {
  const rows = () =>
    db
      .selectFrom('apps')
      .innerJoin('tenants', 'tenants.id', 'apps.tenant_id')
      .innerJoin('domains', 'domains.id', 'apps.domain_id')
      .leftJoin('databases', 'databases.id', 'apps.database_id')
      .selectAll('apps')
      .select(['tenants.name as tenant_name', 'domains.fqdn as fqdn', 'databases.name as database_name'])
      .where('apps.deleted_at', 'is', null)
      .where('domains.deleted_at', 'is', null)
  const change = (id: Id) => db.updateTable('apps').where('id', '=', id)

  return {
    async list({ cursor, limit, total, search, scope = everything, tenantId, domainId }) {
      let query = rows().where(tenantWithin(scope))
      if (tenantId !== undefined) query = query.where('apps.tenant_id', '=', tenantId)
      if (domainId !== undefined) query = query.where('apps.domain_id', '=', domainId)
      if (search) query = query.where('domains.fqdn', 'like', sql<string>`${containing(search)} escape '\\'`)
      return readPage(query, { cursor, limit, total }, newestFirst('apps'), (found) => found.map(appOf))
    },

    async get(ref, scope) {
      const column = isId(ref) ? 'apps.id' : 'domains.fqdn'
      const row = await rows().where(tenantWithin(scope)).where(column, '=', ref).executeTakeFirst()
      return row === undefined ? notFound('application', ref) : appOf(row)
    },

    async ofDomain(domainId) {
      const row = await rows().where('apps.domain_id', '=', domainId).executeTakeFirst()
      return row && appOf(row)
    },

    async insert({ id, tenantId, domainId, ...wishes }) {
      const row = { id, created_at: now, updated_at: now, tenant_id: tenantId, domain_id: domainId }
      await db
        .insertInto('apps')
        .values({ ...row, ...columnsOf(wishes), status: 'pending', version: 0 })
        .execute()
    },

    async setWishes(id, wishes) {
      await change(id)
        .set({ ...columnsOf(wishes), updated_at: now })
        .execute()
    },

    async setDatabase(id, databaseId) {
      await change(id).set({ database_id: databaseId, updated_at: now }).execute()
    },

    async forget(id) {
      await db.deleteFrom('apps').where('id', '=', id).execute()
    },
  }
}

function columnsOf({ application, title, adminUser, adminEmail }: AppWishes) {
  return { application, title, admin_user: adminUser, admin_email: adminEmail }
}

interface Row extends Selectable<AppTable> {
  readonly tenant_name: string
  readonly fqdn: string
  readonly database_name: string | null
}

function appOf(row: Row): App {
  return {
    id: stored(row.id),
    tenantId: stored(row.tenant_id),
    tenantName: row.tenant_name,
    domainId: stored(row.domain_id),
    fqdn: stored(row.fqdn),
    application: stored(row.application),
    title: row.title,
    adminUser: row.admin_user,
    adminEmail: row.admin_email,
    databaseId: storedOrNull(row.database_id),
    databaseName: row.database_name,
    status: row.status,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
