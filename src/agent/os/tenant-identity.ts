import type { TenantName } from '../../contract/values.ts'

/** A tenant as the registry of the root side knows it; uid and gid never come from the panel. */
export interface TenantIdentity {
  readonly name: TenantName
  readonly uid: number
  readonly gid: number
}
