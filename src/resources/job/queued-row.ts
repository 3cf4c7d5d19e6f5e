/** The order of a row and its job as types: the wishes of a row change only in the change that is handed to `enqueue`. */
import type { Id } from '../../contract/values.ts'

declare const isQueued: unique symbol

/** A row whose job is queued in this transaction; what a failure leads back to is kept. Made by `JobStore.enqueue` alone. */
export interface QueuedRow<Kind extends string = string> {
  readonly id: Id
  readonly [isQueued]: Kind
}

type KindOf<JobType extends string> = JobType extends `${infer Kind}.${string}` ? Kind : never

export type RowChange<JobType extends string> = (row: QueuedRow<KindOf<JobType>>) => Promise<void>
