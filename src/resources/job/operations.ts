/** Jobs: what the machine was asked to do, is doing and has done. */
import { z } from 'zod'
import { asWcpError, WcpError } from '../../contract/errors.ts'
import { JobState, jobTransitions } from '../../contract/job.ts'
import { Id } from '../../contract/values.ts'
import type { RunOutput } from '../../contract/wire.ts'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { refuseBelowHolds } from '../hold/hold.ts'
import { isHeldKind } from '../hold/row.ts'
import { besideTypes, type JobType, jobTypes } from '../jobs.ts'
import { listInput, pageOf } from '../listing.ts'
import { conflict } from '../refusals.ts'
import { holds } from '../rights.ts'
import { TenantRef } from '../tenant/schema.ts'
import { scopeOf, visibleTenant } from '../visibility.ts'
import { Job, JobDetail } from './schema.ts'

const target = { job: Id.describe('Id of the job') }

export const list = defineOperation({
  name: 'job.list',
  summary: 'List jobs, the newest first',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /jobs',
  positional: [],
  columns: ['id', 'type', 'resourceName', 'state', 'actor', 'createdAt', 'finishedAt'],
  input: () =>
    z.strictObject({
      state: JobState.optional().describe('Jobs in this state only'),
      type: z
        .enum(jobTypes, { error: `one of ${jobTypes.join(', ')}` })
        .optional()
        .describe('Jobs of this type only'),
      tenant: TenantRef.optional().describe('Jobs of this tenant only'),
      resource: Id.optional().describe('Jobs of the tenant or domain with this id only'),
      ...listInput,
    }),
  output: () => pageOf(Job),
  async run(context, { tenant, resource, ...query }) {
    const named = tenant === undefined ? undefined : (await visibleTenant(context, tenant)).id
    return context.jobs.list({ ...query, scope: scopeOf(context.actor), tenantId: named, resourceId: resource })
  },
})

export const get = defineOperation({
  name: 'job.get',
  summary: 'Show a job with its steps and its log',
  description: '"request" is the call that it came from, for those who may make it.',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /jobs/{job}',
  positional: ['job'],
  input: () => z.strictObject(target),
  output: () => JobDetail,
  async run({ jobs, actor }, input) {
    const { request, ...job } = await jobs.get(input.job, { scope: scopeOf(actor) })
    // Who may not ask for it learns nothing of how others did.
    return { ...job, request: request !== null && holds(actor, request.operation) ? request : null }
  },
})

export const output = defineOperation({
  name: 'job.output',
  summary: 'Show what the command of a job prints',
  description:
    'Text from a place on; "next" is where to go on, also while it runs. Control characters are taken out, and of a long output the newest megabytes are kept: "from" tells where the text begins.',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /jobs/{job}/output',
  positional: ['job'],
  document: 'text',
  input: () =>
    z.strictObject({
      ...target,
      after: z.coerce.number().int().min(0).default(0).describe('Place to begin at'),
    }),
  output: () => z.strictObject({ text: z.string(), from: z.int(), next: z.int(), state: JobState }),
  async run({ jobs, actor, machine }, { job: id, after }) {
    // before its output: what is printed until its end is there when its end is
    const { id: job, type, state } = await jobs.get(id, { scope: scopeOf(actor) })
    if (!besideTypes.includes(type))
      conflict(`show the output of job ${job}`, `"${type}" runs no command`, 'Look at its steps.')
    const output = await outputFrom(machine, job, after).catch((error) => {
      // It is on its way: the root side has not heard of it yet.
      if (isActive(state) && asWcpError(error).code === 'not_found') return { text: '', from: after, next: after }
      throw error
    })
    return { ...output, state }
  },
})

/** Cancelling one is lifting it. */
const suspensions: ReadonlySet<string> = new Set<JobType>(['tenant.suspend', 'domain.suspend'])

export const cancel = defineOperation({
  name: 'job.cancel',
  summary: 'Cancel a job that has not begun',
  description:
    'Only while it waits in the queue, or has stalled because the root side never took it. A new tenant or domain whose making was cancelled stays as one that failed.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /jobs/{job}/cancel',
  positional: ['job'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const { jobs, actor } = context
    const job = await jobs.get(input.job, { scope: scopeOf(actor) })
    if (suspensions.has(job.type) && isHeldKind(job.kind))
      await refuseBelowHolds(context, `cancel job ${job.id}`, { kind: job.kind, id: job.resourceId })
    if (!(await jobs.cancelled(job.id)))
      conflict(
        `cancel job ${job.id}`,
        job.startedAt === null && isActive(job.state) ? 'it has been handed over' : `it is ${job.state}`,
        'Wait for its end.',
      )
    return { id: job.id }
  },
})

export const stop = defineOperation({
  name: 'job.stop',
  summary: 'End the command of a job',
  description:
    'Its processes get a few seconds to end by themselves. The job then has failed, and says that it was cancelled.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /jobs/{job}/stop',
  positional: ['job'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run({ jobs, actor, machine }, input) {
    const job = await jobs.get(input.job, { scope: scopeOf(actor) })
    if (!besideTypes.includes(job.type))
      conflict(`stop job ${job.id}`, `"${job.type}" runs no command`, 'Wait for its end.')
    if (await jobs.cancelled(job.id)) return { id: job.id }
    if (!isActive(job.state)) conflict(`stop job ${job.id}`, `it is ${job.state}`, 'There is nothing to do.')
    if (!machine.stop(job.id)) throw new WcpError('unavailable', 'Cannot reach the root side: it is not connected')
    return { id: job.id }
  },
})

function isActive(state: JobState): boolean {
  return jobTransitions[state].length > 0
}

const mostPages = 8

/** Several pages of the root side's in one answer. */
async function outputFrom(machine: Context['machine'], job: Id, after: number): Promise<RunOutput> {
  let whole = await machine.output(job, after)
  for (let pages = 1; pages < mostPages && whole.text !== ''; pages++) {
    const more = await machine.output(job, whole.next)
    if (more.text === '' || more.from !== whole.next) break
    whole = { text: whole.text + more.text, from: whole.from, next: more.next }
  }
  return whole
}
