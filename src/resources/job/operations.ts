/** Jobs: what the machine was asked to do, is doing and has done. */
import { z } from 'zod'
import { JobState } from '../../contract/job.ts'
import { Id } from '../../contract/values.ts'
import { Done } from '../answers.ts'
import { defineOperation } from '../context.ts'
import { refuseBelowHolds } from '../hold/hold.ts'
import { isHeldKind } from '../hold/row.ts'
import { type JobType, jobTypes } from '../jobs.ts'
import { listInput, pageOf } from '../listing.ts'
import { conflict } from '../refusals.ts'
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
  input: z.strictObject({
    state: JobState.optional().describe('Jobs in this state only'),
    type: z
      .enum(jobTypes, { error: `one of ${jobTypes.join(', ')}` })
      .optional()
      .describe('Jobs of this type only'),
    tenant: TenantRef.optional().describe('Jobs of this tenant only'),
    resource: Id.optional().describe('Jobs of the tenant or domain with this id only'),
    ...listInput,
  }),
  output: pageOf(Job),
  async run(context, { tenant, resource, ...query }) {
    const named = tenant === undefined ? undefined : (await visibleTenant(context, tenant)).id
    return context.jobs.list({ ...query, scope: scopeOf(context.actor), tenantId: named, resourceId: resource })
  },
})

export const get = defineOperation({
  name: 'job.get',
  summary: 'Show a job with its steps and its log',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'GET /jobs/{job}',
  positional: ['job'],
  input: z.strictObject(target),
  output: JobDetail,
  run: ({ jobs, actor }, input) => jobs.get(input.job, { scope: scopeOf(actor) }),
})

/** Cancelling one is lifting it. */
const suspensions: ReadonlySet<string> = new Set<JobType>(['tenant.suspend', 'domain.suspend'])

export const cancel = defineOperation({
  name: 'job.cancel',
  summary: 'Cancel a job that has not begun',
  description:
    'Only while it waits in the queue. A new tenant or domain whose making was cancelled stays as one that failed.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'] },
  http: 'POST /jobs/{job}/cancel',
  positional: ['job'],
  input: z.strictObject(target),
  output: Done,
  async run(context, input) {
    const { jobs, actor } = context
    const job = await jobs.get(input.job, { scope: scopeOf(actor) })
    if (suspensions.has(job.type) && isHeldKind(job.kind))
      await refuseBelowHolds(context, `cancel job ${job.id}`, { kind: job.kind, id: job.resourceId })
    if (!(await jobs.cancelled(job.id)))
      conflict(
        `cancel job ${job.id}`,
        job.state === 'queued' ? 'it has been handed over' : `it is ${job.state}`,
        'Wait for its end.',
      )
    return { id: job.id }
  },
})
