/** Users of databases, beside those of the databases' own names, in the panel's store. */
import { type Selectable, sql } from 'kysely'
import { z } from 'zod'
import { DatabaseAccess, DatabaseName } from '../../contract/database.ts'
import { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { index, type Migration, table } from '../../store/migrations/migration.ts'
import type { OwnedColumns } from '../../store/tables/common.ts'
import { timestamps } from '../answers.ts'
import type { ListQuery, Page } from '../listing.ts'
import { alphabetical, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { type Scope, tenantWithin } from '../scope.ts'
import { containing, type InventoryRow, inventoryPage, isId, type StoreTools, stored } from '../store-tools.ts'

export const DatabaseUser = z.strictObject({
  id: Id,
  tenantId: Id,
  tenantName: z.string(),
  databaseId: Id,
  databaseName: DatabaseName,
  name: DatabaseName,
  access: DatabaseAccess,
  status: z.string(),
  ...timestamps,
})
export type DatabaseUser = z.output<typeof DatabaseUser>

interface DatabaseUserTable extends OwnedColumns {
  database_id: string
  name: string
  access: string
}

declare module '../../store/database.ts' {
  interface Database {
    database_users: DatabaseUserTable
  }
}

declare module '../stores.ts' {
  interface Stores {
    readonly databaseUsers: DatabaseUserStore
  }
}

/** A name stays taken while the database is in the trash: its users come back with it. */
export const databaseUsers: Migration = {
  number: 36,
  name: 'database-users',
  statements: (words) => [
    table(words, 'database_users', {
      tenant_id: `${words.id} not null references tenants (id) on delete cascade`,
      database_id: `${words.id} not null references databases (id) on delete cascade`,
      name: `${words.name} not null`,
      access: 'text not null',
      status: 'text not null',
      version: `${words.int} not null`,
      status_before_tenant: 'text',
    }),
    index('database_users', 'name', { unique: true }),
    index('database_users', 'tenant_id'),
    index('database_users', 'database_id, name'),
  ],
}

type Place = Pick<DatabaseUser, 'id' | 'tenantId' | 'databaseId' | 'name' | 'access'>

export interface DatabaseUserStore {
  list(query: ListQuery & { scope: Scope; databaseId?: Id | undefined }): Promise<Page<DatabaseUser>>
  /** `not_found` outside of the scope, and with a database in the trash. */
  get(id: string, scope: Scope): Promise<DatabaseUser>
  /** Whoever bears the name, in whichever scope. Its lock is that of the databases' names. */
  bearing(name: string): Promise<(Pick<DatabaseUser, 'id' | 'databaseId' | 'access'> & { status: string }) | undefined>
  countOf(databaseId: Id): Promise<number>
  /** By id, those with a database or a tenant in the trash too. */
  inventory(after: Id | null, limit: number): Promise<InventoryRow[]>
  insert(one: Place): Promise<void>
}

export function databaseUserStore(db: Db, { now }: StoreTools): DatabaseUserStore {
  const rows = () =>
    db
      .selectFrom('database_users')
      .innerJoin('tenants', 'tenants.id', 'database_users.tenant_id')
      .innerJoin('databases', 'databases.id', 'database_users.database_id')
      .selectAll('database_users')
      .select(['tenants.name as tenant_name', 'databases.name as database_name'])
      .where('database_users.deleted_at', 'is', null)
      .where('databases.deleted_at', 'is', null)

  return {
    async list({ cursor, limit, total, search, scope, databaseId }) {
      let query = rows().where(tenantWithin(scope))
      if (databaseId !== undefined) query = query.where('database_users.database_id', '=', databaseId)
      if (search) query = query.where('database_users.name', 'like', sql<string>`${containing(search)} escape '\\'`)
      return readPage(query, { cursor, limit, total }, alphabetical('database_users', 'name'), (found) =>
        found.map(userOf),
      )
    },

    async get(id, scope) {
      const query = rows().where('database_users.id', '=', id).where(tenantWithin(scope))
      const row = isId(id) ? await query.executeTakeFirst() : undefined
      return row === undefined ? notFound('database user', id) : userOf(row)
    },

    async bearing(name) {
      const row = await db.selectFrom('database_users').selectAll().where('name', '=', name).executeTakeFirst()
      if (row === undefined) return undefined
      return { id: stored(row.id), databaseId: stored(row.database_id), access: stored(row.access), status: row.status }
    },

    async countOf(databaseId) {
      const { count } = await db
        .selectFrom('database_users')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('database_id', '=', databaseId)
        .executeTakeFirstOrThrow()
      return Number(count)
    },

    inventory: (after, limit) =>
      inventoryPage(db.selectFrom('database_users').select(['id', 'name', 'status']), after, limit),

    async insert({ id, tenantId, databaseId, name, access }) {
      const row = { id, created_at: now, updated_at: now, tenant_id: tenantId, database_id: databaseId, name, access }
      await db
        .insertInto('database_users')
        .values({ ...row, status: 'pending', version: 0 })
        .execute()
    },
  }
}

interface Row extends Selectable<DatabaseUserTable> {
  readonly tenant_name: string
  readonly database_name: string
}

function userOf(row: Row): DatabaseUser {
  return {
    id: stored(row.id),
    tenantId: stored(row.tenant_id),
    tenantName: row.tenant_name,
    databaseId: stored(row.database_id),
    databaseName: stored(row.database_name),
    name: stored(row.name),
    access: stored(row.access),
    status: row.status,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
