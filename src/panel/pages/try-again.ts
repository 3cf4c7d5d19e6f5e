/** The call that a failed job came from, as its form, filled as it was sent. */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Action } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import { Job, JobDetail } from '../../resources/job/schema.ts'
import { valuesFrom } from './form-values.ts'
import type { PageKit } from './page-kit.ts'

const endedInVain = ['failed', 'cancelled']

export function tryAgain(kit: PageKit, request: FastifyRequest, { state, request: call }: JobDetail): Action[] {
  if (call === null || !endedInVain.includes(state) || !kit.may(request, call.operation)) return []
  const values = valuesFrom(kit.operation(call.operation), call.input)
  return [{ title: kit.textsOf(request).job.tryAgain, href: `/do/${call.operation}${query(values)}` }]
}

const JobPage = z.object({ items: z.array(Job) })

/** Of a thing in error: the newest job about it that failed. */
export async function tryAgainWith(kit: PageKit, request: FastifyRequest, resource: string): Promise<Action[]> {
  if (!kit.may(request, 'job.list') || !kit.may(request, 'job.get')) return []
  const { value } = await kit.run(request, 'job.list', { resource, state: 'failed', limit: 1 })
  const [job] = JobPage.parse(value).items
  if (job === undefined) return []
  return tryAgain(kit, request, JobDetail.parse((await kit.run(request, 'job.get', { job: job.id })).value))
}
