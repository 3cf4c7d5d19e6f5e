import type { DatabaseEngine, DatabaseName } from '../../contract/database.ts'
import type { Id } from '../../contract/values.ts'
import type { TenantIdentity } from '../os/tenant-identity.ts'

/** A tenant that the panel asks about, as the registry has it. */
export interface MeasuredTenant {
  readonly id: Id
  /** null: none that lives on this machine. */
  readonly account: TenantIdentity | null
  readonly databases: readonly { readonly id: Id; readonly engine: DatabaseEngine; readonly name: DatabaseName }[]
}
