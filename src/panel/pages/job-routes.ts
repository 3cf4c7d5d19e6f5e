/** One job; while it runs, the response stays open and its steps are appended as they happen. No script, no reload. */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { activeJobStates } from '../../contract/job.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import { path, query } from '../../lib/safe-url.ts'
import { jobBadge, jobFacts } from '../../resources/job/kind.ts'
import { JobDetail, type JobStep } from '../../resources/job/schema.ts'
import type { JobEvent } from '../jobs/job-events.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { jobEnd } from './job-end.ts'
import { detailPath, listPath } from './places.ts'
import type { Site } from './site.ts'
import { StepRows } from './step-rows.ts'
import { renderPartial } from './view.ts'

/** After this the page ends with a link to go on; no job of ours takes as long. */
const watchMs = 300_000
/** Something is sent at least this often, so that nothing between takes the connection for dead. */
const quietMs = 10_000

interface Route {
  Params: { ref: string }
}

export function jobRoutes(app: FastifyInstance, site: Site): void {
  app.get<Route>(
    '/jobs/:ref',
    { config: { access: 'session' }, handlerTimeout: watchMs + quietMs },
    async (request, reply) => {
      const first = await readJob(site, request, request.params.ref)
      if (!isActive(first)) {
        const { id } = first
        return site.send(request, reply, {
          template: 'job/detail',
          title: first.type,
          model: pageModel(site, request, first, id),
        })
      }
      const csrf = site.deps.auth.formToken(request, reply)
      // Followed before it is read again: nothing that happens between can be missed.
      const feed = new JobFeed((listener) => site.deps.jobEvents.follow(first.id, listener))
      const stream = Readable.from(live(site, request, csrf, first, feed))
      stream.once('close', () => feed.end())
      return reply.type('text/html; charset=utf-8').header('x-accel-buffering', 'no').send(stream)
    },
  )
}

async function* live(
  site: Site,
  request: FastifyRequest,
  csrf: string,
  first: JobDetail,
  feed: JobFeed,
): AsyncGenerator<string> {
  try {
    const job = await readJob(site, request, first.id)
    const model = pageModel(site, request, job, first.id)
    const html = site.page(request, { template: 'job/detail', title: job.type, model, isLive: true }, csrf)
    const [top = '', middle = '', bottom = ''] = html.split(/<!-- (?:live|end) -->/)
    const rows = new StepRows()
    yield top + job.steps.map((step) => rows.known(step)).join('')
    const deadline = performance.now() + watchMs
    let state: string = job.state
    while (performance.now() < deadline && activeJobStates.some((active) => active === state)) {
      const event = await feed.next(Math.min(quietMs, deadline - performance.now()))
      if (event === null) {
        // The store is the truth; news may have been lost with the agent's connection.
        state = (await readJob(site, request, first.id)).state
        yield '\n'
      } else if (event.kind === 'state') {
        state = event.state
      } else if (event.kind === 'step') {
        yield rows.happened(event)
      }
    }
    const last = await readJob(site, request, first.id)
    yield rows.close() + middle + renderPartial('job-end', { end: jobEnd(site.t, last) }) + bottom
  } finally {
    feed.end()
  }
}

async function readJob(site: Site, request: FastifyRequest, ref: string): Promise<JobDetail> {
  const { value } = await site.run(request, 'job.get', { job: ref })
  return JobDetail.parse(value)
}

function isActive(job: JobDetail): boolean {
  return job.state === 'queued' || job.state === 'running'
}

function pageModel(site: Site, request: FastifyRequest, job: JobDetail, id: string): object {
  const { t } = site
  const isLive = isActive(job)
  const operation = site.operation('job.get')
  const cancel = job.state === 'queued' && site.may(request, 'job.cancel')
  return {
    head: {
      title: `${job.type} ${job.resourceName}`,
      status: isLive ? null : jobBadge(job.state),
      crumbs: [{ title: t.kinds.job?.many ?? '', href: listPath('job') }],
      actions: cancel ? [{ title: t.job.cancel, href: `/do/job.cancel${query({ job: id })}` }] : [],
    },
    live: isLive,
    steps: isLive ? [] : job.steps.filter((step): step is JobStep & { state: string } => step.state !== null),
    log: job.log,
    quiet: job.state === 'cancelled' ? t.job.cancelled : t.job.noSteps,
    end: jobEnd(t, job),
    facts: jobFacts(t, job, detailPath(job.kind, job.resourceId)),
    again: path`/jobs/${id}`,
    command: { line: toCommandLine(operation, { job: id }), call: apiCallText(apiCall(operation, { job: id })) },
  }
}

/** A job's events as something to wait for; bounded, because the store is the truth anyway. */
class JobFeed {
  readonly #waiting: JobEvent[] = []
  readonly #stop: () => void
  #wake: (() => void) | undefined
  #isOver = false

  constructor(follow: (listener: (event: JobEvent) => void) => () => void) {
    this.#stop = follow((event) => {
      if (this.#waiting.length < 1000) this.#waiting.push(event)
      this.#wake?.()
    })
  }

  /** null: nothing came in time. */
  async next(withinMs: number): Promise<JobEvent | null> {
    if (this.#waiting.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, withinMs))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = undefined
    }
    return this.#waiting.shift() ?? null
  }

  end(): void {
    this.#isOver = true
    this.#stop()
    this.#wake?.()
  }
}
