/** Jobs in the panel's database: the list for people, and the queue's side. */
import type { z } from 'zod'
import type { JobContract, JobState, ResourceKind, StepState } from '../../contract/job.ts'
import type { Id } from '../../contract/values.ts'
import type { Failure } from '../../contract/wire.ts'
import type { Page } from '../listing.ts'
import type { Job, JobDetail } from './schema.ts'

export interface JobQuery {
  readonly cursor?: string | undefined
  readonly limit: number
  readonly state?: JobState | undefined
  readonly type?: string | undefined
  readonly tenantId?: Id | undefined
  readonly resourceId?: Id | undefined
}

/** What the queue sends to the agent. */
export interface RunnableJob {
  readonly id: Id
  readonly type: string
  readonly payload: Readonly<Record<string, unknown>>
  /** Fencing token: the row's version when the job was queued. */
  readonly token: number
  readonly tenantId: Id | null
  readonly kind: ResourceKind
  readonly resourceId: Id
  readonly state: JobState
  readonly attempts: number
}

export interface JobStore {
  /** Newest first. */
  list(query: JobQuery): Promise<Page<Job>>
  get(id: string, options?: { tenantId?: Id | null }): Promise<JobDetail>

  /**
   * Queues a job in the transaction of the caller: `busy` naming the active job of the same row; raises the row's
   * version, which is the job's token; gives the row the status that the contract names.
   */
  enqueue<T extends string, P extends z.ZodObject>(
    contract: JobContract<T, P>,
    payload: z.output<P>,
    by: { id: Id; actor: string; actorId: Id | null },
  ): Promise<RunnableJob>

  /** The oldest queued job of each tenant that has no older active one, in order of creation. */
  nextRunnable(limit: number): Promise<RunnableJob[]>
  find(id: Id): Promise<RunnableJob | undefined>
  /** Jobs in one of these states, oldest first: what a restarted panel has to ask the agent about. */
  inStates(states: readonly JobState[], limit: number): Promise<RunnableJob[]>

  /** Counts one more delivery to the agent. */
  delivered(id: Id): Promise<void>
  /** The agent took it: `running`, with its steps waiting. False when the job may not become that (any more). */
  accepted(id: Id, steps: readonly string[]): Promise<boolean>
  step(id: Id, step: { index: number; name: string; state: StepState; note: string | null }): Promise<void>
  /** Keeps the first 256 KiB. */
  log(id: Id, line: string): Promise<void>
  heartbeat(id: Id): Promise<void>
  /** The end, as told by the agent: state of the job and of its row. False when it had ended before, or the token is not its own. */
  finished(id: Id, token: number, failure: Failure | null): Promise<boolean>
  /** Ends a job that the agent never began. */
  cancelled(id: Id): Promise<boolean>
  /** `running` jobs without a heartbeat since that moment become `stalled`; answers which. */
  stall(before: string): Promise<RunnableJob[]>
  purgeFinishedBefore(moment: string): Promise<number>
}
