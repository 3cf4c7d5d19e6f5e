/** One job; while it runs, the response stays open and its steps are appended as they happen. No script, no reload. */
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { activeJobStates, JobState } from '../../contract/job.ts'
import type { Id } from '../../contract/values.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import { path, query } from '../../lib/safe-url.ts'
import { shownHost } from '../../lib/shown-host.ts'
import { deed, type Texts } from '../../lib/texts.ts'
import { jobBadge, jobFacts } from '../../resources/job/kind.ts'
import { JobDetail, type JobStep } from '../../resources/job/schema.ts'
import { besideTypes } from '../../resources/jobs.ts'
import type { JobEvent } from '../jobs/job-events.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { jobEnd } from './job-end.ts'
import type { PageKit } from './page-kit.ts'
import { detailPath, listPath } from './places.ts'
import { StepRows } from './step-rows.ts'
import { tryAgain } from './try-again.ts'
import { renderPartial } from './view.ts'

/** After this the page ends with a link to go on; no job of ours takes as long. */
const watchMs = 300_000
/** Something is sent at least this often, so that nothing between takes the connection for dead. */
const quietMs = 10_000

const printedEveryMs = 300
/** A page is no place for more. */
const mostPrinted = 2 * 1024 * 1024

const Printed = z.object({ text: z.string(), next: z.int(), state: JobState, isCut: z.boolean().default(false) })
type Printed = z.output<typeof Printed>

interface Route {
  Params: { ref: string }
}

export function jobRoutes(app: FastifyInstance, kit: PageKit): void {
  app.get<Route>(
    '/jobs/:ref',
    { config: { access: 'session' }, handlerTimeout: watchMs + quietMs },
    async (request, reply) => {
      const first = await readJob(kit, request, request.params.ref)
      if (!isActive(first)) {
        const { id } = first
        const printed = isRun(first) ? await readOutput(kit, request, id, 0) : null
        return kit.send(request, reply, {
          template: 'job/detail',
          title: titleOf(kit.textsOf(request), first),
          model: { ...pageModel(kit, request, first, id), output: printed },
        })
      }
      const csrf = kit.deps.auth.formToken(request, reply)
      // Followed before it is read again: nothing that happens between can be missed.
      const feed = new JobFeed((listener) => kit.deps.jobEvents.follow(first.id, listener))
      const stream = Readable.from(live(kit, request, csrf, first, feed))
      stream.once('close', () => feed.end())
      return reply.type('text/html; charset=utf-8').header('x-accel-buffering', 'no').send(stream)
    },
  )
}

async function* live(
  kit: PageKit,
  request: FastifyRequest,
  csrf: string,
  first: JobDetail,
  feed: JobFeed,
): AsyncGenerator<string> {
  const t = kit.textsOf(request)
  try {
    const job = await readJob(kit, request, first.id)
    const model = pageModel(kit, request, job, first.id)
    const output = isRun(job) ? { text: '', isCut: false } : null
    const page = { template: 'job/detail', title: titleOf(t, job), model: { ...model, output }, isLive: true }
    const [top = '', middle = '', ...rest] = kit.page(request, page, csrf).split(/<!-- (?:live|printed|end) -->/)
    const rows = new StepRows(t)
    yield top + job.steps.map((step) => rows.known(step)).join('')
    if (output !== null) {
      const [close = '', bottom = ''] = rest
      yield rows.close() + middle
      yield* printing(kit, request, job.id)
      const last = await readJob(kit, request, first.id)
      yield close + renderPartial(t, 'job-end', { end: jobEnd(t, last, tryAgain(kit, request, last)) }) + bottom
      return
    }
    const [bottom = ''] = rest
    const deadline = performance.now() + watchMs
    let state: string = job.state
    while (performance.now() < deadline && activeJobStates.some((active) => active === state)) {
      const event = await feed.next(Math.min(quietMs, deadline - performance.now()))
      if (event === null) {
        // The store is the truth; news may have been lost with the agent's connection.
        state = (await readJob(kit, request, first.id)).state
        yield '\n'
      } else if (event.kind === 'state') {
        state = event.state
      } else if (event.kind === 'step') {
        yield rows.happened(event)
      }
    }
    const last = await readJob(kit, request, first.id)
    yield rows.close() +
      middle +
      renderPartial(t, 'job-end', { end: jobEnd(t, last, tryAgain(kit, request, last)) }) +
      bottom
  } finally {
    feed.end()
  }
}

/** The output of a command, as it comes, until the job has ended. */
async function* printing(kit: PageKit, request: FastifyRequest, job: Id): AsyncGenerator<string> {
  const deadline = performance.now() + watchMs
  let sent = 0
  for (let after = 0; ; ) {
    const page = await readOutput(kit, request, job, after)
    after = page.next
    sent += page.text.length
    yield page.text === '' ? '' : renderPartial(kit.textsOf(request), 'printed', page)
    if (page.text !== '' && sent < mostPrinted) continue
    if (!isActive(page) || performance.now() > deadline || sent >= mostPrinted) return
    await pause(printedEveryMs)
  }
}

async function readOutput(kit: PageKit, request: FastifyRequest, job: Id, after: number): Promise<Printed> {
  try {
    const { value } = await kit.run(request, 'job.output', { job, after })
    const { text, next, state } = Printed.parse(value)
    return { text, next, state, isCut: after === 0 && text.length > 400_000 }
  } catch (error) {
    // Without the root side, or the right to it, the page is what the panel itself has.
    if (!(error instanceof WcpError)) throw error
    return { text: '', next: after, state: 'failed', isCut: false }
  }
}

async function readJob(kit: PageKit, request: FastifyRequest, ref: string): Promise<JobDetail> {
  const { value } = await kit.run(request, 'job.get', { job: ref })
  return JobDetail.parse(value)
}

function isRun({ type }: JobDetail): boolean {
  return besideTypes.includes(type)
}

function isActive(job: Pick<JobDetail, 'state'>): boolean {
  return job.state === 'queued' || job.state === 'running'
}

function titleOf(t: Texts, { type, resourceName }: JobDetail): string {
  return deed(t, type, shownHost(resourceName))
}

function pageModel(kit: PageKit, request: FastifyRequest, job: JobDetail, id: string): object {
  const t = kit.textsOf(request)
  const isLive = isActive(job)
  const operation = kit.operation('job.get')
  const isUnsent = job.state === 'stalled' && job.startedAt === null && job.attempts === 0
  const cancel = (job.state === 'queued' || isUnsent) && kit.may(request, 'job.cancel')
  const stop = isLive && isRun(job) && kit.may(request, 'job.stop')
  return {
    head: {
      title: titleOf(t, job),
      status: isLive ? null : jobBadge(job.state),
      crumbs: [{ title: t.kinds.job?.many ?? '', href: listPath('job') }],
      actions: [
        ...(stop ? [{ title: t.job.stop, href: `/do/job.stop${query({ job: id })}` }] : []),
        ...(cancel && !stop ? [{ title: t.job.cancel, href: `/do/job.cancel${query({ job: id })}` }] : []),
      ],
    },
    live: isLive,
    steps: isLive ? [] : job.steps.filter((step): step is JobStep & { state: string } => step.state !== null),
    log: job.log,
    quiet: job.state === 'cancelled' ? t.job.cancelled : t.job.noSteps,
    end: jobEnd(t, job, tryAgain(kit, request, job)),
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
