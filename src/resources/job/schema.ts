/** A job: one change to the machine, from the wish to its end. */
import { z } from 'zod'
import { JobState, StepState } from '../../contract/job.ts'
import { Id } from '../../contract/values.ts'
import { Failure } from '../../contract/wire.ts'
import { Time } from '../answers.ts'

export const Job = z.strictObject({
  id: Id,
  /** `kind.verb` */
  type: z.string(),
  state: JobState,
  /** null after the tenant was purged. */
  tenantId: Id.nullable(),
  tenantName: z.string().nullable(),
  kind: z.string(),
  resourceId: Id,
  /** Name of what it is about when the job was queued. */
  resourceName: z.string(),
  /** E-mail address of who asked, or `root`, or `panel`. */
  actor: z.string(),
  attempts: z.int(),
  failure: Failure.nullable(),
  createdAt: Time,
  startedAt: Time.nullable(),
  heartbeatAt: Time.nullable(),
  finishedAt: Time.nullable(),
})
export type Job = z.output<typeof Job>

export const JobStep = z.strictObject({
  position: z.int(),
  name: z.string(),
  /** null: its turn has not come. */
  state: StepState.nullable(),
  note: z.string().nullable(),
  startedAt: Time.nullable(),
  finishedAt: Time.nullable(),
})
export type JobStep = z.output<typeof JobStep>

/** Operation and input, without secrets, of the call that a job came from. */
export const JobRequest = z.strictObject({ operation: z.string(), input: z.record(z.string(), z.unknown()) })
export type JobRequest = z.output<typeof JobRequest>

export const JobDetail = Job.extend({
  steps: z.array(JobStep),
  log: z.array(z.string()),
  request: JobRequest.nullable(),
})
export type JobDetail = z.output<typeof JobDetail>
