/** Tenants in the panel's database. */
import type { Id, TenantName } from '../../contract/values.ts'
import type { ListQuery, Page } from '../listing.ts'
import type { Tenant } from './schema.ts'

export interface TenantStore {
  /** `only`: the one tenant that the asker may see. */
  list(query: ListQuery & { only?: Id | null; packageId?: Id | undefined }): Promise<Page<Tenant>>
  find(ref: string, options?: { deleted?: boolean }): Promise<Tenant | undefined>
  /** `find`, or `not_found`. */
  get(ref: string, options?: { deleted?: boolean }): Promise<Tenant>
  insert(tenant: { id: Id; name: TenantName; packageId: Id; ownerId: Id | null }): Promise<void>
  update(id: Id, values: { packageId?: Id; ownerId?: Id | null }): Promise<void>
  /** Holds other transactions that count or change what this tenant has until this one ends. */
  lock(id: Id): Promise<void>
  countDomains(id: Id): Promise<number>
  /** Marks the living and the trashed tenants of a package as owed its limits. */
  oweLimits(packageId: Id): Promise<void>
  /** Tenants that are owed limits and could take them now: alive, with an account, without an active job. */
  owedLimits(limit: number, packageId?: Id): Promise<Tenant[]>
  limitsQueued(id: Id): Promise<void>
  /** In the trash since before that moment, oldest first, without an active job. */
  expired(moment: string, limit: number): Promise<Tenant[]>
}
