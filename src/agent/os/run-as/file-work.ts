/** What works on the files of one site for the panel. */
import type { Id, TenantLimits } from '../../../contract/values.ts'
import type { TenantIdentity } from '../tenant-identity.ts'

export interface FileWorker extends TenantIdentity {
  /** Names unit and sandbox. */
  readonly id: Id
  /** Where paths begin. Entered by the tenant, inside the sandbox: root resolves nothing in it. */
  readonly directory: string
  /** Where what is deleted goes, made and filled by the tenant alone. */
  readonly trash: string
  /** Of the tenant as a whole; its slice has them. */
  readonly sliceLimits: TenantLimits
}

export interface StartedFileWorker {
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>
  /** Ends it now. */
  end(): Promise<void>
}
