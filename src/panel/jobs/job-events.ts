/** News of jobs inside the panel, so that pages can follow one while it runs. The store is the truth, this only wakes readers. */
import { EventEmitter } from 'node:events'
import type { JobState, StepState } from '../../contract/job.ts'
import type { Id } from '../../contract/values.ts'
import type { Failure } from '../../contract/wire.ts'

export type JobEvent =
  | { readonly kind: 'state'; readonly job: Id; readonly state: JobState; readonly failure: Failure | null }
  | { readonly kind: 'steps'; readonly job: Id; readonly names: readonly string[] }
  | {
      readonly kind: 'step'
      readonly job: Id
      readonly index: number
      readonly name: string
      readonly state: StepState
      readonly note: string | null
    }
  | { readonly kind: 'log'; readonly job: Id; readonly line: string }

export interface JobEvents {
  /** Calls `listener` for each event of the job after it is stored; the result ends that. */
  follow(job: Id, listener: (event: JobEvent) => void): () => void
  /** Every event of every job. */
  followAll(listener: (event: JobEvent) => void): () => void
}

const ALL = 'every job'

export class JobEventBus implements JobEvents {
  /** Watchers are bounded by the connections that the server accepts. */
  readonly #emitter = new EventEmitter().setMaxListeners(0)

  publish(event: JobEvent): void {
    this.#emitter.emit(event.job, event)
    this.#emitter.emit(ALL, event)
  }

  follow(job: Id, listener: (event: JobEvent) => void): () => void {
    return this.#subscribe(job, listener)
  }

  followAll(listener: (event: JobEvent) => void): () => void {
    return this.#subscribe(ALL, listener)
  }

  #subscribe(name: string, listener: (event: JobEvent) => void): () => void {
    this.#emitter.on(name, listener)
    return () => void this.#emitter.off(name, listener)
  }
}
