/** Users in the panel's database. */
import type { Id } from '../../contract/values.ts'
import type { ListQuery, Page } from '../listing.ts'
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
