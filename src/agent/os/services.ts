/**
 * Processes that outlive one call: the one interface above systemd and above direct supervision.
 *
 * Two implementations: `systemd-services.ts` (transient units in the tenant's slice) and `direct-services.ts` (children
 * of the agent, for containers and laptops). What the second cannot enforce it lists in `missing`, for `wcp doctor` and
 * the health page.
 */
import type { Socket } from 'node:net'
import type { Id, PhpVersion, TenantLimits, TenantName } from '../../contract/values.ts'
import type { Ceiling, Crowd } from './ceiling.ts'
import type { FpmActivity } from './fpm-activity.ts'
import type { FpmPool } from './fpm-pool.ts'
import type { FileWorker, StartedFileWorker } from './run-as/file-work.ts'
import type { OutputPage } from './run-as/kept-output.ts'
import type { RunEnd, TenantRun } from './run-as/tenant-run.ts'
import type { TenantIdentity } from './tenant-identity.ts'

export interface FpmStart extends TenantIdentity {
  /** PHP version as `8.4`. */
  readonly php: string
  /** Its sites have a master of their own, beside that of the tenant's other sites. */
  readonly apart?: PhpVersion
  readonly limits: TenantLimits
}

export interface AwakeFpm extends FpmActivity {
  readonly tenant: TenantName
  /** Which master of the tenant. */
  readonly pool: FpmPool
  /** Its configuration was changed after it had started. */
  readonly isOutdated: boolean
}

export interface ServiceState {
  readonly name: string
  readonly state: 'running' | 'stopped' | 'failed' | 'missing'
  readonly detail?: string
}

export interface Services {
  readonly kind: 'systemd' | 'direct'
  /** Protections that this machine cannot give, one sentence each. */
  readonly missing: readonly string[]
  /** Processes of a tenant see its own tree among those of all customers, and no other. */
  readonly hasOwnViews: boolean

  /**
   * Starts the tenant's PHP-FPM master as the tenant, in the tenant's slice, with the sandbox of threats C12/C29; resolves
   * when its socket accepts. Called while it runs: resolves at once. Concurrent calls share one start.
   */
  startFpm(start: FpmStart): Promise<void>
  /** Takes the socket away first, lets running requests end, then stops the master. No lost request, idempotent. */
  stopFpm(pool: FpmPool): Promise<void>
  /**
   * Masters that run, and what they do; also while it starts or stops, and after a stop that failed half-way. A
   * master that died is told as one that does nothing.
   */
  awakeFpm(): Promise<readonly AwakeFpm[]>

  /**
   * A tenant's own command: begun once, found again by its id, resolves with its end; rejects with `RunLeft` when the agent
   * is stopping. All work for a tenant that is not PHP-FPM goes through here.
   */
  runAs(run: TenantRun): Promise<RunEnd>
  /** How a run ended; undefined while it runs, and before it was begun. */
  runEnd(tenant: TenantName, run: Id): Promise<RunEnd | undefined>
  stopRun(run: TenantRun): Promise<void>
  /** Its output from that position on. */
  runOutput(tenant: TenantName, run: Id, after: number, most: number): Promise<OutputPage>
  /** Runs go on without this process, and the next one finds them. */
  leaveRuns(): Promise<void>
  /**
   * Starts what works on a tenant's files for the panel, with its end of the connection. @param connection of which nothing
   * was read; it stays open here
   */
  startFileWorker(worker: FileWorker, connection: Socket): Promise<StartedFileWorker>
  /** PHP's own words about what it refuses of these settings, undefined when it takes all of them. */
  refusedByPhp(php: string, as: TenantIdentity, values: Readonly<Record<string, string>>): Promise<string | undefined>
  /** Of all customers together, whatever they run. */
  crowd(): Promise<Crowd>
  /** The kernel refuses them more than this, where it can; `missing` says where not. */
  applyCeiling(ceiling: Ceiling): Promise<void>

  /**
   * Writes the limits to the tenant's slice if it exists now (a later start sets them anyway), and where its processes may
   * connect to.
   */
  applyLimits(tenant: TenantIdentity, limits: TenantLimits): Promise<void>
  /** Where the kernel holds the tenant's slice to other limits, one line each; nothing where there is no slice now. */
  limitsNotInForce(tenant: TenantIdentity, limits: TenantLimits): Promise<readonly string[]>
  /** Ends every process of the tenant, gracefully then by force, and removes its slice. */
  stopTenant(tenant: TenantName): Promise<void>
  /** Whether any process of the tenant is there, PHP's or not, whoever is its parent. */
  runsAnything(tenant: TenantName): Promise<boolean>

  /** `nginx -t`, then a graceful reload; throws `machine_failed` with nginx's own words. */
  reloadNginx(): Promise<void>
  /** State of the services the health page names: nginx, panel, waker. */
  states(): Promise<readonly ServiceState[]>
}
