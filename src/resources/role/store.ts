/** Roles in the panel's database, and who has them. */
import { type Expression, type ExpressionBuilder, expressionBuilder, type Selectable, type SqlBool, sql } from 'kysely'
import type { ScopeKind } from '../../contract/operation.ts'
import type { Id } from '../../contract/values.ts'
import type { Database, Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import type { RoleTable } from '../../store/tables/people.ts'
import type { ListQuery, Page } from '../listing.ts'
import { alphabetical, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { everything, type FindOptions, type Scope } from '../scope.ts'
import { containing, isId, type StoreTools, stored } from '../store-tools.ts'
import type { Role } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly roles: RoleStore
  }
}

export interface RoleStore {
  list(query: ListQuery & { scope?: Scope }): Promise<Page<Role>>
  find(ref: string, options?: FindOptions): Promise<Role | undefined>
  /** `find`, or `not_found`. */
  get(ref: string, options?: FindOptions): Promise<Role>
  /** Holds other transactions about the same id or name until this one ends. */
  lock(idOrName: string): Promise<void>
  insert(role: { id: Id; name: string; scope: ScopeKind; permissions: readonly string[] }): Promise<void>
  update(id: Id, values: { name?: string | undefined; permissions?: readonly string[] | undefined }): Promise<void>
  setDeleted(id: Id, deletedAt: string | null): Promise<void>
  grant(id: Id, user: Id): Promise<void>
  revoke(id: Id, user: Id): Promise<void>
  purgeDeletedBefore(moment: string): Promise<number>
}

export function roleStore(db: Db, { now, newId }: StoreTools): RoleStore {
  const rows = () => db.selectFrom('roles').selectAll('roles').select(livingUsers)

  const withPermissions = async (found: readonly Row[]): Promise<Role[]> => {
    if (found.length === 0) return []
    const names = await db
      .selectFrom('role_permissions')
      .innerJoin('permissions', 'permissions.id', 'role_permissions.permission_id')
      .select(['role_permissions.role_id', 'permissions.name'])
      .where(
        'role_permissions.role_id',
        'in',
        found.map((row) => row.id),
      )
      .orderBy('permissions.name')
      .execute()
    const byRole = Map.groupBy(names, (row) => row.role_id)
    return found.map((row) => roleOf(row, byRole.get(row.id)?.map(({ name }) => name) ?? []))
  }

  const setPermissions = async (role: Id, names: readonly string[]) => {
    await db.deleteFrom('role_permissions').where('role_id', '=', role).execute()
    if (names.length === 0) return
    const common = () => ({ id: newId(), created_at: now, updated_at: now })
    await db
      .insertInto('permissions')
      .values(names.map((name) => ({ ...common(), name })))
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute()
    const known = await db.selectFrom('permissions').select('id').where('name', 'in', names).execute()
    await db
      .insertInto('role_permissions')
      .values(known.map(({ id }) => ({ ...common(), role_id: role, permission_id: id })))
      .execute()
  }

  const store: RoleStore = {
    async list({ cursor, limit, total, search, deleted = false, scope = everything }) {
      let query = rows()
        .where('roles.deleted_at', deleted ? 'is not' : 'is', null)
        .where(roleWithin(scope))
      if (search) query = query.where('roles.name', 'like', sql<string>`${containing(search)} escape '\\'`)
      return readPage(query, { cursor, limit, total }, alphabetical('roles', 'name'), withPermissions)
    },

    async find(ref, { deleted = false, scope = everything } = {}) {
      const found = await rows()
        .where(isId(ref) ? 'roles.id' : 'roles.name', '=', ref)
        .where('roles.deleted_at', deleted ? 'is not' : 'is', null)
        .where(roleWithin(scope))
        .execute()
      return (await withPermissions(found))[0]
    },

    async get(ref, options) {
      return (await store.find(ref, options)) ?? notFound('role', ref)
    },

    async lock(idOrName) {
      await storeLock(db, `role:${idOrName}`)
    },

    async insert({ id, name, scope, permissions }) {
      await db
        .insertInto('roles')
        .values({
          id,
          created_at: now,
          updated_at: now,
          name,
          scope,
          all_permissions: 0,
          is_built_in: 0,
          second_factor: 'optional',
        })
        .execute()
      await setPermissions(id, permissions)
    },

    async update(id, { name, permissions }) {
      await db
        .updateTable('roles')
        .set({ updated_at: now, ...(name !== undefined && { name }) })
        .where('id', '=', id)
        .execute()
      if (permissions !== undefined) await setPermissions(id, permissions)
    },

    async setDeleted(id, deletedAt) {
      await db.updateTable('roles').set({ deleted_at: deletedAt, updated_at: now }).where('id', '=', id).execute()
    },

    async grant(id, user) {
      const row = { id: newId(), created_at: now, updated_at: now, user_id: user, role_id: id }
      await db.insertInto('user_roles').values(row).execute()
    },

    async revoke(id, user) {
      await db.deleteFrom('user_roles').where('role_id', '=', id).where('user_id', '=', user).execute()
    },

    async purgeDeletedBefore(moment) {
      const result = await db.deleteFrom('roles').where('deleted_at', '<', moment).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
  return store
}

/** Roles belong to the panel; a reseller sees those that his customers may have. */
function roleWithin(scope: Scope): Expression<SqlBool> {
  const eb = expressionBuilder<Database, 'roles'>()
  return scope.kind === 'global' ? eb.lit(true) : eb('roles.scope', '=', 'local')
}

function livingUsers(eb: ExpressionBuilder<Database, 'roles'>) {
  return eb
    .selectFrom('user_roles')
    .innerJoin('users', 'users.id', 'user_roles.user_id')
    .whereRef('user_roles.role_id', '=', 'roles.id')
    .where('users.deleted_at', 'is', null)
    .select((count) => count.fn.countAll<number>().as('count'))
    .as('users')
}

interface Row extends Selectable<RoleTable> {
  readonly users: number | null
}

function roleOf(row: Row, permissions: readonly string[]): Role {
  return {
    id: stored(row.id),
    name: row.name,
    scope: stored(row.scope),
    isBuiltIn: row.is_built_in === 1,
    holdsAll: row.all_permissions === 1,
    permissions: [...permissions],
    users: row.users ?? 0,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
