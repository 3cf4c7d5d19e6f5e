/** One object per thing the root side can be asked; panel and agent share it, and it holds no code but its payload's schema. */
import { z } from 'zod'
import { Id } from './values.ts'

/** The effect of a job on the status of the row it is about. `previous`: back to what it was before the job was queued. */
export interface StatusEffect {
  readonly queued: string
  readonly succeeded: string | 'previous'
  readonly failed: string | 'previous'
}

/** Kinds of jobs that the root side accepts only so often in an hour without root's approval. Every job is of one kind. */
export const brakeKinds = ['deletes', 'restores', 'creates', 'suspensions', 'changes', 'runs'] as const
export const BrakeKind = z.enum(brakeKinds)
export type BrakeKind = z.infer<typeof BrakeKind>

export interface JobContract<T extends string = string, P extends z.ZodObject = z.ZodObject> {
  /** `kind.verb`. */
  readonly type: T
  /** Ids, closed enums and validated scalars only (B5); strict, without defaults or coercion (B4). */
  readonly payload: P
  /** Of the row that it is about. */
  readonly kind: string
  /** Never retried by itself. */
  readonly destructive: boolean
  /** The hourly budget of the root side that it counts against. */
  readonly brake: BrakeKind
  /** Longest time without an end before the job counts as stalled, seconds. */
  readonly timeoutSeconds: number
  readonly status: StatusEffect
  /**
   * Goes on beside the other jobs of its row and tenant: it changes and locks nothing, and waits only for its likes. The
   * payload key `run` holds an id of its own, which is fenced and is the job's. It can be cancelled while it runs.
   */
  readonly beside?: true
}

/** Payload keys every job has: `tenant` orders jobs, and the key that is named as its kind holds the id that is fenced and locked. */
export interface JobTarget {
  readonly tenant: Id
  readonly [key: string]: unknown
}

export function defineJob<const T extends string, P extends z.ZodObject>(
  contract: JobContract<T, P>,
): JobContract<T, P> {
  return Object.freeze(contract)
}

/** Its row is made by it: there is nothing yet that another job could be changing. */
export function isMaking({ status }: Pick<JobContract, 'status'>): boolean {
  return status.queued === 'pending'
}

/** The one parser of payloads, for either side. */
export function parsePayload(
  { payload }: Pick<JobContract, 'payload'>,
  given: unknown,
): z.ZodSafeParseResult<JobTarget> {
  // a test holds that every contract's payload names its tenant and what it is about
  return payload.safeParse(given) as unknown as z.ZodSafeParseResult<JobTarget>
}

/** The row a payload is about: the one that is locked and versioned. */
export function resourceOf(contract: Pick<JobContract, 'kind'>, payload: JobTarget): Id {
  return Id.parse(payload[contract.kind])
}

/** The id that the root side fences: of the row, or of the job alone. */
export function fencedOf(contract: Pick<JobContract, 'kind' | 'beside'>, payload: JobTarget): Id {
  return contract.beside ? Id.parse(payload.run) : resourceOf(contract, payload)
}

/**
 * The life of a job, one table for both sides and for the pages.
 * `queued` → `running` at the agent's acceptance → an end; `stalled` when heartbeats stop, from which only the agent's late
 * word leads on: nobody else knows how the machine was left. Also `stalled` when no agent accepts it in time: back to
 * `queued` when one answers again, and to `cancelled` if it was never sent.
 */
export const jobTransitions = {
  queued: ['running', 'failed', 'stalled', 'cancelled'],
  running: ['succeeded', 'failed', 'stalled'],
  stalled: ['queued', 'running', 'succeeded', 'failed', 'cancelled'],
  succeeded: [],
  failed: [],
  cancelled: [],
} as const satisfies Record<string, readonly string[]>

export type JobState = keyof typeof jobTransitions
export const JobState = z.enum(Object.keys(jobTransitions) as [JobState, ...JobState[]])
export const activeJobStates = ['queued', 'running', 'stalled'] as const satisfies readonly JobState[]

export function mayBecome(from: JobState, to: JobState): boolean {
  return (jobTransitions[from] as readonly JobState[]).includes(to)
}

/** Where one step of a job stands. */
export const StepState = z.enum(['running', 'done', 'unchanged', 'failed', 'undone'])
export type StepState = z.infer<typeof StepState>
