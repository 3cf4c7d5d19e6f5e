/** The runner's side of the job store: each call is a transaction of its own, or part of one. */
import type { StepState } from '../../contract/job.ts'
import type { Id } from '../../contract/values.ts'
import type { Failure } from '../../contract/wire.ts'
import type { RunnableJob } from '../../resources/job/store.ts'
import type { Stores } from '../../resources/stores.ts'
import type { Db } from '../../store/database.ts'
import { inTransaction } from '../../store/in-transaction.ts'

export interface JobQueue {
  /** All that `work` does is stored, or nothing of it: one transaction, and one wait for the disk. */
  together<T>(work: (queue: JobQueue) => Promise<T>): Promise<T>
  /** The oldest queued job of each tenant that has no older one under way. */
  runnable(limit: number): Promise<readonly RunnableJob[]>
  /** Before a job is sent: false when somebody has cancelled it. From then on nobody can. */
  delivered(job: Id): Promise<boolean>
  /** The agent holds it back and has accepted nothing: it can be cancelled again. False unless it was not accepted. */
  held(job: Id): Promise<boolean>
  /** Running or stalled, and sent to the agent: their end is not known. */
  unfinished(): Promise<readonly RunnableJob[]>
  find(job: Id): Promise<RunnableJob | undefined>
  accepted(job: Id, steps: readonly string[]): Promise<boolean>
  step(job: Id, step: { index: number; name: string; state: StepState; note: string | null }): Promise<void>
  log(job: Id, line: string): Promise<void>
  /** Also leads stalled ones back to running. */
  heartbeats(jobs: readonly Id[]): Promise<void>
  /** False unless it was running or queued. */
  stalled(job: Id): Promise<boolean>
  /** Stalled jobs that were never sent wait in the queue again; answers which. */
  requeued(): Promise<readonly Id[]>
  /** Idempotent: an end that is already stored, or belongs to another token, changes nothing and gives false. */
  finished(job: Id, token: number, failure: Failure | null): Promise<boolean>
}

export function jobQueue(db: Db, storesOf: (db: Db) => Stores): JobQueue {
  const jobs = (on: Db) => storesOf(on).jobs
  return {
    together: (work) => inTransaction(db, (tx) => work(jobQueue(tx, storesOf))),
    runnable: (limit) => jobs(db).nextRunnable(limit),
    delivered: (job) => jobs(db).delivered(job),
    held: (job) => jobs(db).held(job),
    async unfinished() {
      const found = await jobs(db).inStates(['running', 'stalled'], 10_000)
      return found.filter(({ attempts, isBegun }) => attempts > 0 || isBegun)
    },
    find: (job) => jobs(db).find(job),
    accepted: (job, steps) => jobs(db).accepted(job, steps),
    step: (job, step) => jobs(db).step(job, step),
    log: (job, line) => jobs(db).log(job, line),
    heartbeats: (ids) =>
      inTransaction(db, async (tx) => {
        for (const id of ids) await jobs(tx).heartbeat(id)
      }),
    stalled: (job) => inTransaction(db, (tx) => jobs(tx).stalled(job)),
    requeued: () => inTransaction(db, (tx) => jobs(tx).requeued()),
    finished: (job, token, failure) => inTransaction(db, (tx) => jobs(tx).finished(job, token, failure)),
  }
}
