/** What the runner asks of the store. Each call is one transaction, and every change to a job's end moves its resource's status too. */
import type { JobState, StepState } from '../../contract/job.ts'
import type { Id } from '../../contract/values.ts'
import type { Failure } from '../../contract/wire.ts'

export interface QueuedJob {
  readonly id: Id
  readonly type: string
  readonly tenant: Id
  readonly token: number
  readonly payload: Record<string, unknown>
}

export interface JobQueue {
  /** The oldest queued job of each tenant that has no other job under way. */
  runnable(limit: number): Promise<readonly QueuedJob[]>
  /** Running or stalled: the agent has been told, and their end is not known. */
  unfinished(): Promise<readonly QueuedJob[]>
  accepted(job: Id, steps: readonly string[]): Promise<void>
  step(job: Id, step: { index: number; name: string; state: StepState; note: string | null }): Promise<void>
  log(job: Id, line: string): Promise<void>
  heartbeats(jobs: readonly Id[]): Promise<void>
  /** Moves the job if its present state allows that; false if not. */
  become(job: Id, state: JobState): Promise<boolean>
  /** Idempotent: an end that is already stored, or belongs to another token, changes nothing and gives false. */
  finished(job: Id, token: number, failure: Failure | null): Promise<boolean>
}
