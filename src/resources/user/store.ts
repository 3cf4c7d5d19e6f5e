/** Users in the panel's database. */
import { type ExpressionBuilder, type Selectable, sql } from 'kysely'
import type { Id } from '../../contract/values.ts'
import type { Display } from '../../lib/formats.ts'
import type { Database, Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import type { UserTable } from '../../store/tables/people.ts'
import type { Permissions } from '../actor.ts'
import { displayOf } from '../display/schema.ts'
import { isLocked } from '../hold/locked.ts'
import type { ListQuery, Page } from '../listing.ts'
import { inOrder, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { everything, type FindOptions, type Scope, userWithin } from '../scope.ts'
import { containing, countUpTo, isId, type StoreTools, stored, storedOrNull } from '../store-tools.ts'
import type { User } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly users: UserStore
  }
}

/** The stored side of a login check. */
export interface Credentials {
  readonly user: User
  /** argon2id, PHC string. */
  readonly passwordHash: string
  readonly scope: Scope
  readonly permissions: Permissions
  readonly display: Display
  /** Nothing of `closed` holds. */
  readonly maySignIn: boolean
  /** What keeps the user out; `elsewhere`: the tenant is on its way into the trash, or no role is left. */
  readonly closed: 'suspended' | 'tenant_suspended' | 'tenant_locked' | 'elsewhere' | null
}

export interface UserStore {
  list(query: ListQuery & { scope?: Scope; roleId?: Id | undefined; tenantId?: Id | undefined }): Promise<Page<User>>
  /** Living ones within the scope, up to `most`. */
  count(most: number, scope: Scope): Promise<number>
  find(ref: string, options?: FindOptions): Promise<User | undefined>
  /** `find`, or `not_found`. */
  get(ref: string, options?: FindOptions): Promise<User>
  /** Holds other transactions about the same id or e-mail address until this one ends. */
  lock(idOrEmail: string): Promise<void>
  /** By id or e-mail address, living only. */
  credentials(ref: string): Promise<Credentials | undefined>
  /** Operation names that the user's living roles allow, as far as they are of the scope that the user's place has. */
  permissions(id: Id): Promise<Permissions>
  /** `role`: name of the first one. */
  insert(user: { id: Id; email: string; passwordHash: string; role: string; tenantId: Id | null }): Promise<void>
  /** `role` replaces all that the user has. */
  update(id: Id, values: { email?: string; role?: string; tenantId?: Id | null }): Promise<void>
  setPasswordHash(id: Id, passwordHash: string): Promise<void>
  setStatus(id: Id, status: 'active' | 'suspended'): Promise<void>
  setDeleted(id: Id, deletedAt: string | null): Promise<void>
  /** Ends all sessions, begun sign-ins and one-time links of the user, also those as another, as every change of password, factor, role or status must. */
  endSessions(id: Id): Promise<void>
  /** The same of all people of a tenant. */
  endSessionsOfTenant(tenantId: Id): Promise<void>
  /** Living, active administrators; holds other transactions that would change their number. */
  countAdmins(): Promise<number>
  /** Addresses of active administrators. */
  administrators(most: number): Promise<string[]>
  /** Addresses of active people of a tenant. */
  peopleOf(tenantId: Id, most: number): Promise<string[]>
  purgeDeletedBefore(moment: string): Promise<number>
}

export function userStore(db: Db, { now, newId }: StoreTools): UserStore {
  const rows = () =>
    db
      .selectFrom('users')
      .leftJoin('tenants', 'tenants.id', 'users.tenant_id')
      .leftJoin('resellers', 'resellers.user_id', 'users.id')
      .selectAll('users')
      .select(['tenants.name as tenant_name', 'resellers.id as reseller_id'])
      .select((eb) =>
        eb
          .case()
          .when(eb.and([eb('tenants.status', '!=', 'suspended'), isLocked()]))
          .then('locked')
          .else(eb.ref('tenants.status'))
          .end()
          .as('tenant_status'),
      )

  const withRoles = async (found: readonly Row[]): Promise<User[]> => {
    if (found.length === 0) return []
    const names = await db
      .selectFrom('user_roles')
      .innerJoin('roles', 'roles.id', 'user_roles.role_id')
      .select(['user_roles.user_id', 'roles.name'])
      .where(
        'user_roles.user_id',
        'in',
        found.map((row) => row.id),
      )
      .orderBy('roles.name')
      .execute()
    const byUser = Map.groupBy(names, (row) => row.user_id)
    return found.map((row) => userOf(row, byUser.get(row.id)?.map(({ name }) => name) ?? []))
  }

  const giveRole = async (id: Id, role: string) => {
    const { id: roleId } = await db.selectFrom('roles').select('id').where('name', '=', role).executeTakeFirstOrThrow()
    await db.deleteFrom('user_roles').where('user_id', '=', id).execute()
    const row = { id: newId(), created_at: now, updated_at: now, user_id: id, role_id: roleId }
    await db.insertInto('user_roles').values(row).execute()
  }

  const store: UserStore = {
    async list({ cursor, limit, total, sort, search, status, deleted = false, scope = everything, roleId, tenantId }) {
      let query = rows()
        .where('users.deleted_at', deleted ? 'is not' : 'is', null)
        .where(userWithin(scope))
      if (roleId !== undefined) query = query.where(({ exists }) => exists(holdersOf(db, roleId)))
      if (tenantId !== undefined) query = query.where('users.tenant_id', '=', tenantId)
      if (status !== undefined) query = query.where(inEffect(status))
      if (search) query = query.where('users.email', 'like', sql<string>`${containing(search)} escape '\\'`)
      const page = { cursor, limit, total }
      return readPage(query, page, inOrder('users', 'email', sort), withRoles)
    },

    count(most, scope) {
      const living = db.selectFrom('users').select('users.id').where('users.deleted_at', 'is', null)
      const within = living.leftJoin('tenants', 'tenants.id', 'users.tenant_id').where(userWithin(scope))
      return countUpTo(db, scope.kind === 'global' ? living : within, most)
    },

    async find(ref, { deleted = false, scope = everything } = {}) {
      const found = await rows()
        .where(userWithin(scope))
        .where(isId(ref) ? 'users.id' : 'users.email', '=', ref)
        .where('users.deleted_at', deleted ? 'is not' : 'is', null)
        .orderBy('users.deleted_at', 'desc')
        .limit(1)
        .execute()
      return (await withRoles(found))[0]
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
      const [[user], permissions] = await Promise.all([withRoles([row]), store.permissions(stored(row.id))])
      if (user === undefined) return undefined
      const closed = closedBy(row.status, row.tenant_status, permissions)
      const maySignIn = closed === null
      const { password_hash: passwordHash } = row
      const scope = scopeOfUser(user)
      return { user, passwordHash, scope, permissions, display: displayOf(row), maySignIn, closed }
    },

    async permissions(id) {
      const roles = await db
        .selectFrom('user_roles')
        .innerJoin('roles', 'roles.id', 'user_roles.role_id')
        .innerJoin('users', 'users.id', 'user_roles.user_id')
        .leftJoin('resellers', 'resellers.user_id', 'users.id')
        .leftJoin('role_permissions', 'role_permissions.role_id', 'roles.id')
        .leftJoin('permissions', 'permissions.id', 'role_permissions.permission_id')
        .select(['roles.all_permissions', 'permissions.name'])
        .where('user_roles.user_id', '=', id)
        .where('roles.deleted_at', 'is', null)
        .where((eb) => eb('roles.scope', '=', scopeKindOf(eb)))
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
      await db
        .deleteFrom('sessions')
        .where((eb) => eb.or([eb('user_id', '=', id), eb('impersonator_id', '=', id)]))
        .execute()
      await db.deleteFrom('login_challenges').where('user_id', '=', id).execute()
      await db.deleteFrom('one_time_links').where('user_id', '=', id).execute()
    },

    async endSessionsOfTenant(tenantId) {
      const people = db.selectFrom('users').select('id').where('tenant_id', '=', tenantId)
      await db.deleteFrom('sessions').where('user_id', 'in', people).execute()
      await db.deleteFrom('login_challenges').where('user_id', 'in', people).execute()
      await db.deleteFrom('one_time_links').where('user_id', 'in', people).execute()
    },

    async countAdmins() {
      await storeLock(db, 'admins')
      const { count } = await db
        .selectFrom('users')
        .innerJoin('user_roles', 'user_roles.user_id', 'users.id')
        .innerJoin('roles', 'roles.id', 'user_roles.role_id')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('roles.name', '=', 'system_admin')
        .where('users.tenant_id', 'is', null)
        .where('users.status', '=', 'active')
        .where('users.deleted_at', 'is', null)
        .executeTakeFirstOrThrow()
      return count
    },

    async administrators(most) {
      const rows = await db
        .selectFrom('users')
        .innerJoin('user_roles', 'user_roles.user_id', 'users.id')
        .innerJoin('roles', 'roles.id', 'user_roles.role_id')
        .select('users.email')
        .where('roles.name', '=', 'system_admin')
        .where('users.tenant_id', 'is', null)
        .where('users.status', '=', 'active')
        .where('users.deleted_at', 'is', null)
        .orderBy('users.email')
        .limit(most)
        .execute()
      return rows.map(({ email }) => email)
    },

    async peopleOf(tenantId, most) {
      const rows = await db
        .selectFrom('users')
        .select('email')
        .where('tenant_id', '=', tenantId)
        .where('status', '=', 'active')
        .where('deleted_at', 'is', null)
        .orderBy('email')
        .limit(most)
        .execute()
      return rows.map(({ email }) => email)
    },

    async purgeDeletedBefore(moment) {
      const result = await db.deleteFrom('users').where('deleted_at', '<', moment).executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
  return store
}

/** Who is kept out with the tenant is not active. */
function inEffect(status: string) {
  return (eb: ExpressionBuilder<Database, 'users' | 'tenants'>) => {
    const isOut = eb.or([eb(eb.fn.coalesce('tenants.status', sql.lit('')), '=', 'suspended'), isLocked()])
    const own = eb('users.status', '=', status)
    return status === 'active' ? eb.and([own, eb.not(isOut)]) : eb.or([own, isOut])
  }
}

const leavingTenant: readonly string[] = ['deleting', 'deleted', 'purging']

function closedBy(status: string, tenant: string | null, permissions: Permissions): Credentials['closed'] {
  if (status !== 'active') return 'suspended'
  if (tenant === 'suspended') return 'tenant_suspended'
  if (tenant === 'locked') return 'tenant_locked'
  if (tenant !== null && leavingTenant.includes(tenant)) return 'elsewhere'
  return permissions === 'all' || permissions.size > 0 ? null : 'elsewhere'
}

interface Row extends Selectable<UserTable> {
  readonly tenant_name: string | null
  readonly tenant_status: string | null
  readonly reseller_id: string | null
}

/** By the place of the person: what a role of another scope says does not count. */
function scopeKindOf(eb: ExpressionBuilder<Database, 'users' | 'resellers'>) {
  return eb
    .case()
    .when('users.tenant_id', 'is not', null)
    .then('local')
    .when('resellers.id', 'is not', null)
    .then('reseller')
    .else('global')
    .end()
}

function scopeOfUser({ id, tenantId, resellerId }: User): Scope {
  if (tenantId !== null) return { kind: 'local', tenant: tenantId, user: id }
  return resellerId === null ? everything : { kind: 'reseller', reseller: resellerId, user: id }
}

function holdersOf(db: Db, role: Id) {
  return db
    .selectFrom('user_roles')
    .select('user_roles.id')
    .whereRef('user_roles.user_id', '=', sql.ref('users.id'))
    .where('user_roles.role_id', '=', role)
}

function userOf(row: Row, roles: readonly string[]): User {
  return {
    id: stored(row.id),
    email: row.email,
    roles: [...roles],
    tenantId: storedOrNull(row.tenant_id),
    tenantName: storedOrNull(row.tenant_name),
    tenantStatus: storedOrNull(row.tenant_status),
    resellerId: storedOrNull(row.reseller_id),
    status: stored(row.status),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
