/** Users in the panel's database. */
import { type Selectable, sql } from 'kysely'
import { z } from 'zod'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../panel/db/database.ts'
import { storeLock } from '../../panel/db/dialect.ts'
import type { UserTable } from '../../panel/db/tables/people.ts'
import { decodeCursor, type ListQuery, type Page, toPage } from '../listing.ts'
import { notFound } from '../refusals.ts'
import { containing, isId, type StoreTools, stored, storedOrNull } from '../store-tools.ts'
import type { RoleName, User } from './schema.ts'

/** What a login is checked against. */
export interface Credentials {
  readonly user: User
  /** argon2id, PHC string. */
  readonly passwordHash: string
  /** False when the user, or the tenant the user belongs to, is suspended, locked or in the trash. */
  readonly maySignIn: boolean
}

export interface UserStore {
  list(query: ListQuery & { role?: RoleName | undefined; tenantId?: Id | undefined }): Promise<Page<User>>
  find(ref: string, options?: { deleted?: boolean }): Promise<User | undefined>
  /** `find`, or `not_found`. */
  get(ref: string, options?: { deleted?: boolean }): Promise<User>
  /** Holds other transactions about the same id or e-mail address until this one ends. */
  lock(idOrEmail: string): Promise<void>
  /** By id or e-mail address, living only. */
  credentials(ref: string): Promise<Credentials | undefined>
  /** Operation names that the user's roles allow. */
  permissions(id: Id): Promise<'all' | ReadonlySet<string>>
  insert(user: { id: Id; email: string; passwordHash: string; role: RoleName; tenantId: Id | null }): Promise<void>
  update(id: Id, values: { email?: string; role?: RoleName; tenantId?: Id | null }): Promise<void>
  setPasswordHash(id: Id, passwordHash: string): Promise<void>
  setStatus(id: Id, status: 'active' | 'suspended'): Promise<void>
  setDeleted(id: Id, deletedAt: string | null): Promise<void>
  /** Ends all sessions of the user, as every change of password, role or status must. */
  endSessions(id: Id): Promise<void>
  /** Living, active administrators; holds other transactions that would change their number. */
  countAdmins(): Promise<number>
  purgeDeletedBefore(moment: string): Promise<number>
}

export function userStore(db: Db, { now, newId }: StoreTools): UserStore {
  const rows = () =>
    db
      .selectFrom('users')
      .innerJoin('user_roles', 'user_roles.user_id', 'users.id')
      .innerJoin('roles', 'roles.id', 'user_roles.role_id')
      .leftJoin('tenants', 'tenants.id', 'users.tenant_id')
      .selectAll('users')
      .select(['roles.name as role', 'tenants.name as tenant_name', 'tenants.status as tenant_status'])

  const giveRole = async (id: Id, role: RoleName) => {
    const { id: roleId } = await db.selectFrom('roles').select('id').where('name', '=', role).executeTakeFirstOrThrow()
    await db.deleteFrom('user_roles').where('user_id', '=', id).execute()
    const row = { id: newId(), created_at: now, updated_at: now, user_id: id, role_id: roleId }
    await db.insertInto('user_roles').values(row).execute()
  }

  const store: UserStore = {
    async list({ cursor, limit, search, status, deleted = false, role, tenantId }) {
      let query = rows().where('users.deleted_at', deleted ? 'is not' : 'is', null)
      if (role !== undefined) query = query.where('roles.name', '=', role)
      if (tenantId !== undefined) query = query.where('users.tenant_id', '=', tenantId)
      if (status !== undefined) query = query.where('users.status', '=', status)
      if (search) query = query.where('users.email', 'like', sql<string>`${containing(search)} escape '\\'`)
      if (cursor !== undefined) {
        const [email, id] = decodeCursor(cursor, z.string())
        query = query.where((eb) => eb(eb.refTuple('users.email', 'users.id'), '>', eb.tuple(email, id)))
      }
      const found = await query
        .orderBy('users.email')
        .orderBy('users.id')
        .limit(limit + 1)
        .execute()
      return toPage(found, limit, (row) => [row.email, row.id], userOf)
    },

    async find(ref, { deleted = false } = {}) {
      const row = await rows()
        .where(isId(ref) ? 'users.id' : 'users.email', '=', ref)
        .where('users.deleted_at', deleted ? 'is not' : 'is', null)
        .orderBy('users.deleted_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && userOf(row)
    },

    async get(ref, options) {
      return (await store.find(ref, options)) ?? notFound('user', ref)
    },

    async lock(idOrEmail) {
      await storeLock(db, `user:${idOrEmail}`)
    },

    async credentials(ref) {
      const row = await rows()
        .where(isId(ref) ? 'users.id' : 'users.email', '=', ref)
        .where('users.deleted_at', 'is', null)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const tenantIsOpen = row.tenant_status === null || !closedTenant.includes(row.tenant_status)
      const maySignIn = row.status === 'active' && tenantIsOpen && (row.role !== 'user' || row.tenant_id !== null)
      return { user: userOf(row), passwordHash: row.password_hash, maySignIn }
    },

    async permissions(id) {
      const roles = await db
        .selectFrom('user_roles')
        .innerJoin('roles', 'roles.id', 'user_roles.role_id')
        .leftJoin('role_permissions', 'role_permissions.role_id', 'roles.id')
        .leftJoin('permissions', 'permissions.id', 'role_permissions.permission_id')
        .select(['roles.all_permissions', 'permissions.name'])
        .where('user_roles.user_id', '=', id)
        .execute()
      if (roles.some((role) => role.all_permissions === 1)) return 'all'
      return new Set(roles.flatMap((role) => role.name ?? []))
    },

    async insert({ id, email, passwordHash, role, tenantId }) {
      await db
        .insertInto('users')
        .values({
          id,
          created_at: now,
          updated_at: now,
          email,
          password_hash: passwordHash,
          tenant_id: tenantId,
          status: 'active',
        })
        .execute()
      await giveRole(id, role)
    },

    async update(id, { email, role, tenantId }) {
      await db
        .updateTable('users')
        .set({
          updated_at: now,
          ...(email !== undefined && { email }),
          ...(tenantId !== undefined && { tenant_id: tenantId }),
        })
        .where('id', '=', id)
        .execute()
      if (role !== undefined) await giveRole(id, role)
    },

    async setPasswordHash(id, passwordHash) {
      const change = { password_hash: passwordHash, updated_at: now }
      await db.updateTable('users').set(change).where('id', '=', id).execute()
    },

    async setStatus(id, status) {
      await db.updateTable('users').set({ status, updated_at: now }).where('id', '=', id).execute()
    },

    async setDeleted(id, deletedAt) {
      await db.updateTable('users').set({ deleted_at: deletedAt, updated_at: now }).where('id', '=', id).execute()
    },

    async endSessions(id) {
      await db.deleteFrom('sessions').where('user_id', '=', id).execute()
    },

    async countAdmins() {
      await storeLock(db, 'admins')
      const { count } = await rows()
        .clearSelect()
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('roles.name', '=', 'system_admin')
        .where('users.status', '=', 'active')
        .where('users.deleted_at', 'is', null)
        .executeTakeFirstOrThrow()
      return count
    },

    async purgeDeletedBefore(moment) {
      const result = await db.deleteFrom('users').where('deleted_at', '<', moment).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
  return store
}

const closedTenant: readonly string[] = ['suspended', 'locked', 'deleting', 'deleted', 'purging']

interface Row extends Selectable<UserTable> {
  readonly role: string
  readonly tenant_name: string | null
}

function userOf(row: Row): User {
  return {
    id: stored(row.id),
    email: row.email,
    role: stored(row.role),
    tenantId: storedOrNull(row.tenant_id),
    tenantName: storedOrNull(row.tenant_name),
    status: stored(row.status),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
