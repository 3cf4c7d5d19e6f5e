/** The job engine as the rest of the root side sees it: how it is made, fed, asked and closed. */

import type { DatabaseEngine } from '../../contract/database.ts'
import type { WcpError } from '../../contract/errors.ts'
import type { UsageSource } from '../../contract/usage.ts'
import type { EgressPolicy, Fqdn, TenantName } from '../../contract/values.ts'
import type {
  AgentMessage,
  DriftPage,
  DriftReport,
  HealthSnapshot,
  LimitName,
  OwnFilesVerb,
} from '../../contract/wire.ts'
import type { JobType } from '../../resources/jobs.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import type { Log } from '../log.ts'
import type { AccountLookup } from '../os/accounts.ts'
import type { Machine } from '../os/machine.ts'
import type { FileWorker } from '../os/run-as/file-work.ts'
import type { FpmStart } from '../os/services.ts'
import type { MeasuredTenant } from '../usage/measured-tenant.ts'
import type { Budgets } from './brake.ts'

export interface EngineOptions {
  readonly machine: Machine
  /** Registry and journal in one file; made when it is missing on a machine that was never set up (B14). */
  readonly databasePath: string
  readonly accounts: AccountLookup
  readonly log: Log
  /** Where everything is written down that is done or refused. */
  readonly audit: AuditTrail
  /** Sends to the panel; may drop the message while there is no connection: ends of jobs are told again at each hello. */
  emit(message: AgentMessage): void
  /** Version of this program, for the hello. */
  readonly version: string
  /** PHP versions installed now, newest first. */
  phpVersions(): readonly string[]
  /** Limits that cannot be enforced here; none unless told. */
  unenforced?(): readonly LimitName[]
  /** Answers `inspect health`. */
  health(): Promise<Omit<HealthSnapshot, 'brakes'>>
  /** Looks at every managed place, for `inspect drift`; told to end by the signal. */
  drift(signal: AbortSignal): Promise<DriftReport>
  /** Measures living tenants by one source, for `usage`; told to end by the signal. */
  usage(of: UsageSource, tenants: readonly MeasuredTenant[], signal: AbortSignal): Promise<unknown>
  /** Starts what works on a tenant's files for the panel. */
  openFiles(worker: FileWorker): Promise<void>
  /** Answers `drift_page`: the next part of that look. */
  driftPage(signal: AbortSignal, after: TenantName | null): Promise<DriftPage>
  /** Puts back or adopts what is no tenant's, for `own_files`. */
  ownFiles(what: OwnFilesVerb, by: string): Promise<void>
  /** PAM check of root's password, without any rate limit of its own: the engine allows five a minute, one at a time. */
  verifyRoot(password: string, from: string): Promise<boolean>
  /**
   * The journal cannot be written any more: nothing is changed until the agent was started again. Not called during
   * `recover`: a start that cannot settle what the last one left would only be repeated by the next.
   */
  broken?(reason: string): void
  /** Why nothing new may be begun now; asked before a job is accepted that takes room on a disk. */
  lackOfRoom?(): WcpError | undefined
  /** Jobs of different tenants that run at once; 4 unless told. */
  readonly parallel?: number
  /** Jobs accepted in an hour without root's approval (B12). */
  budgets(): Budgets
  /** Milliseconds between heartbeats of a running job; 3,000 unless told. */
  readonly heartbeatMs?: number
}

/** The waker's answer to a request for a host name. */
export type HostLookup =
  | { readonly kind: 'php'; readonly start: FpmStart }
  | { readonly kind: 'static' | 'suspended' | 'unknown' }

export interface Engine {
  /** Why the engine only inspects; null in normal operation. */
  readonly readOnly: string | null
  readonly setupOpen: boolean
  /**
   * Settles what a crash left: resumes, or undoes. Call once, before the first connection; resolves when every
   * interrupted job has ended.
   */
  recover(): Promise<void>
  /** A connection to the panel stands: emits the hello and then every end that was never acknowledged. */
  hello(): void
  /** One decoded frame. `close`: the sender broke the grammar or the phase, the connection must be closed. Never throws. */
  handle(frame: unknown): 'ok' | 'close'
  /** Managed places that differ from what the registry wants. */
  drift(): Promise<DriftReport>
  /** The site that answers for a host name now. Only `kind: 'php'` may be woken. */
  lookupHost(name: Fqdn): HostLookup
  /** The tenant as the registry knows it, for the idle reaper and the health page; undefined when there is none. */
  tenant(name: TenantName): FpmStart | undefined
  /** Of tenants that have another than the usual one, by uid. */
  egressPolicies(): readonly (readonly [uid: number, policy: EgressPolicy])[]
  /** On which servers tenants have databases. */
  databaseEngines(): readonly DatabaseEngine[]
  /** Ids of the jobs that run now. */
  running(): readonly string[]
  /** Tells the panel how far the audit log has come; call it from time to time. */
  tellAudit(): void
  /** Interrupted jobs that could not be settled, for `wcp emergency`. */
  stuck(): readonly { readonly job: string; readonly type: JobType; readonly why: string }[]
  /** Takes no more work, waits for running jobs, closes the database. */
  close(): Promise<void>
}
