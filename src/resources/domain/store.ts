/** Domains and all their names in the panel's database. */
import type { Fqdn, Id, PhpVersion } from '../../contract/values.ts'
import type { ListQuery, Page } from '../listing.ts'
import type { Domain } from './schema.ts'

/** Somebody who has a name that is in the way. */
export interface NameHolder {
  readonly name: Fqdn
  readonly domainId: Id
  readonly tenantId: Id
  readonly living: boolean
}

export interface DomainStore {
  list(query: ListQuery & { tenantId?: Id | undefined }): Promise<Page<Domain>>
  find(ref: string, options?: { deleted?: boolean; tenantId?: Id | null }): Promise<Domain | undefined>
  /** `find`, or `not_found`; another tenant's domain is not found either when `tenantId` is given. */
  get(ref: string, options?: { deleted?: boolean; tenantId?: Id | null }): Promise<Domain>
  insert(domain: { id: Id; tenantId: Id; fqdn: Fqdn; aliases: readonly Fqdn[]; php: PhpVersion | null }): Promise<void>
  update(id: Id, values: { aliases?: readonly Fqdn[]; php?: PhpVersion | null }): Promise<void>
  /** Holds other transactions that claim names below the same registrable domains until this one ends. */
  lockNames(names: readonly Fqdn[]): Promise<void>
  /** Who has exactly these names, in the trash since `since` or alive. */
  holders(names: readonly Fqdn[], since: string): Promise<NameHolder[]>
  /** Living names above or below this one. */
  relatives(name: Fqdn): Promise<NameHolder[]>
  /** In the trash since before that moment, oldest first, on their own (not with their tenant), without an active job. */
  expired(moment: string, limit: number): Promise<Domain[]>
  /** Domains that went into the trash with their tenant. */
  deletedWithTenant(tenantId: Id): Promise<Domain[]>
}
