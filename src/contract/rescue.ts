/**
 * The messages from `wcp emergency` to the root side while the daemon is down, and from the root side to the one process
 * that opens the panel's store, as the panel's user. One JSON request on standard input, one JSON answer on standard
 * output, strict on both ends.
 */
import { z } from 'zod'
import { type ErrorCode, errorTable } from './errors.ts'
import { BrakeKind, StepState } from './job.ts'
import { Id } from './values.ts'
import { AuditHead, DriftReport, Failure } from './wire.ts'

const Text = z.string().max(4000)
/** As typed: the panel's own rules judge them. */
const person = { email: Text, password: Text }

export const RescueRequest = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('reset-password'), ...person }),
  z.strictObject({ do: z.literal('create-admin'), ...person }),
  /** Id or name, as a person typed it. */
  z.strictObject({ do: z.enum(['suspend', 'unsuspend']), tenant: Text }),
  /** `apply`: what differs is put back. */
  z.strictObject({ do: z.literal('render'), apply: z.boolean() }),
  z.strictObject({ do: z.literal('jobs') }),
  /** The store as it was before a newer version changed its schema. */
  z.strictObject({ do: z.literal('roll-back') }),
  /** All fences: the next job of each tenant and site is news, whatever its token. */
  z.strictObject({ do: z.literal('fences') }),
  /** null: all of them. */
  z.strictObject({ do: z.literal('settle'), job: Id.nullable() }),
  /** Root's word to the blast brake; the daemon may run. */
  z.strictObject({
    do: z.literal('approve'),
    kind: BrakeKind,
    count: z.int().min(1).max(100_000),
    minutes: z.int().min(1).max(1440),
  }),
  /** A code for the first setup from the network; the daemon may run. */
  z.strictObject({ do: z.literal('open-setup') }),
  /** Copies what is served; the daemon may run. Name and path as root typed them. */
  z.strictObject({ do: z.literal('export-certificate'), name: Text, directory: Text }),
  /** Only looks, also while the daemon runs. `head`: one that was kept elsewhere. */
  z.strictObject({ do: z.literal('audit'), head: AuditHead.nullable() }),
])
export type RescueRequest = z.infer<typeof RescueRequest>

/** The file that `approve` leaves for the agent: so many more jobs of a kind, from one moment to another. */
export const Approval = z.strictObject({
  id: z.uuid(),
  kind: BrakeKind,
  count: z.int().min(1).max(100_000),
  from: z.iso.datetime(),
  until: z.iso.datetime(),
})
export type Approval = z.infer<typeof Approval>

/** The file that `open-setup` leaves for the agent. `digest`: SHA-256 of the code. */
export const SetupWord = z.strictObject({ digest: z.string().regex(/^[0-9a-f]{64}$/), until: z.iso.datetime() })
export type SetupWord = z.infer<typeof SetupWord>

export const RescueStep = z.strictObject({ name: Text, state: StepState, note: Text.nullable() })
export type RescueStep = z.infer<typeof RescueStep>

/** A job of the journal that was interrupted, or whose end the panel has not confirmed. */
export const RescueJob = z.strictObject({
  id: Id,
  type: z.string(),
  /** Its name; the id when the registry does not know it. */
  tenant: z.string(),
  token: z.int(),
  state: z.enum(['queued', 'running', 'undoing', 'stuck', 'succeeded', 'failed']),
  /** The step it was in; null when it had begun none, or has ended. */
  step: Text.nullable(),
  failure: Text.nullable(),
})
export type RescueJob = z.infer<typeof RescueJob>

/** The report of an emergency command: what it did and what a person does next, a sentence each, and its facts. */
export const RescueReport = z.strictObject({
  did: z.array(Text),
  next: z.array(Text),
  jobs: z.array(RescueJob).exactOptional(),
  steps: z.array(RescueStep).exactOptional(),
  drift: DriftReport.exactOptional(),
  /** Below the panel's address. */
  setup: z.strictObject({ path: z.string(), until: z.iso.datetime() }).exactOptional(),
})
export type RescueReport = z.infer<typeof RescueReport>

const code = z.enum(Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]]) // the keys of a non-empty table
const FieldProblem = z.strictObject({ field: Text, problem: Text, accepted: Text.exactOptional() })
export const RescueProblem = z.strictObject({ code, message: Text, help: Text, fields: z.array(FieldProblem) })
export type RescueProblem = z.infer<typeof RescueProblem>

/** Both where something was done before the rest failed. */
export const RescueAnswer = z.strictObject({ report: RescueReport.nullable(), problem: RescueProblem.nullable() })
export type RescueAnswer = z.infer<typeof RescueAnswer>

/** How a job ended on the root side. */
const JobEnd = z.strictObject({ job: Id, token: z.int(), failure: Failure.nullable() })

const store = {
  /** Absolute path of a SQLite file, or `postgres://…`. */
  where: z.string().max(4096),
  /** Content of `panel.key`. */
  panelKey: z.string().max(200),
}

export const StoreRequest = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('reset-password'), ...store, ...person }),
  z.strictObject({ do: z.literal('create-admin'), ...store, ...person }),
  z.strictObject({ do: z.literal('roll-back'), ...store }),
  /** Queues the tenant's job as the panel would. */
  z.strictObject({
    do: z.literal('begin'),
    ...store,
    verb: z.enum(['suspend', 'unsuspend']),
    tenant: Id,
    /** The highest token that the root side has accepted for the tenant: the new one must be above. */
    seen: z.int(),
    /** Ends that the panel has not confirmed. */
    ends: z.array(JobEnd),
  }),
  z.strictObject({ do: z.literal('end'), ...store, end: JobEnd, steps: z.array(RescueStep) }),
])
export type StoreRequest = z.infer<typeof StoreRequest>

export const StoreAnswer = z.discriminatedUnion('of', [
  z.strictObject({ of: z.literal('problem'), problem: RescueProblem }),
  z.strictObject({ of: z.literal('rolled-back'), did: z.array(Text) }),
  z.strictObject({ of: z.literal('person'), did: z.array(Text), next: z.array(Text) }),
  z.strictObject({
    of: z.literal('begin'),
    job: Id,
    token: z.int().min(1),
    /** Jobs of the tenant that the root side never began, ended to make room. */
    dropped: z.array(Text),
  }),
  z.strictObject({ of: z.literal('end'), isStored: z.boolean() }),
])
export type StoreAnswer = z.infer<typeof StoreAnswer>
