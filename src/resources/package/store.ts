/** Packages in the panel's database. */
import type { Id, TenantLimits } from '../../contract/values.ts'
import type { ListQuery, Page } from '../listing.ts'
import type { Package } from './schema.ts'

export interface PackageValues extends TenantLimits {
  readonly name: string
  readonly description: string
  readonly maxDomains: number | null
}

export interface PackageStore {
  list(query: ListQuery): Promise<Page<Package>>
  /** By id or name among the living; with `deleted`, in the trash. */
  find(ref: string, options?: { deleted?: boolean }): Promise<Package | undefined>
  /** `find`, or `not_found`. */
  get(ref: string, options?: { deleted?: boolean }): Promise<Package>
  findDefault(): Promise<Package | undefined>
  insert(id: Id, values: PackageValues): Promise<void>
  update(id: Id, values: Partial<PackageValues>): Promise<void>
  /** Makes it the one default. */
  makeDefault(id: Id): Promise<void>
  setDeleted(id: Id, deletedAt: string | null): Promise<void>
  /** Removes rows that have been in the trash since before that moment; answers how many. */
  purgeDeletedBefore(moment: string): Promise<number>
}
