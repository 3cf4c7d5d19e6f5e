/** Follows jobs to their end, a line a step. */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { errorTable, WcpError } from '../contract/errors.ts'
import { JobState, jobTransitions, StepState } from '../contract/job.ts'
import { Failure } from '../contract/wire.ts'
import { apiRoot } from '../lib/http-call.ts'
import { type Output, paint, plain } from '../lib/print.ts'
import { besideTypes } from '../resources/jobs.ts'
import { type CallPanel, isUnanswered } from './client.ts'
import { type Patience, steadyCall } from './steady-call.ts'

export interface Watching {
  readonly call: CallPanel
  readonly output: Output
  readonly patience?: Patience
  readonly self: string
  readonly onInterrupt: (hint: string) => void
}

/** The fields read of `job.get`. */
const WatchedJob = z.looseObject({
  id: z.string(),
  type: z.string(),
  state: JobState,
  startedAt: z.string().nullable(),
  failure: Failure.nullable(),
  steps: z.array(
    z.looseObject({ position: z.int(), name: z.string(), state: StepState.nullable(), note: z.string().nullable() }),
  ),
})
type WatchedJob = z.infer<typeof WatchedJob>

/** The fields read of `job.output`. */
const Printed = z.looseObject({ text: z.string(), from: z.int(), next: z.int() })

const pollMs = 200

const signs: Readonly<Record<StepState, string>> = { running: '…', done: '✓', unchanged: '=', failed: '✗', undone: '↶' }

/** One after the other, as the queue runs them. @returns the first exit code that is not 0. */
export async function watchJobs(ids: readonly string[], terminal: Watching): Promise<number> {
  const codes: number[] = []
  for (const id of ids) codes.push(await watchJob(id, terminal))
  return codes.find((code) => code !== 0) ?? 0
}

/** @returns 0 when it succeeded, otherwise the exit code of the error table. */
export async function watchJob(id: string, watching: Watching): Promise<number> {
  const { output, self, onInterrupt } = watching
  const how = `${self} job watch ${id}`
  output.err(paint(output, 'dim', `job ${id}\n`))
  onInterrupt(`The job goes on; watch it with "${how}".`)
  const call = steadyCall(watching, true)
  const shown = new Map<number, StepState>()
  let printed = 0
  for (let previous: JobState | undefined; ; await sleep(pollMs)) {
    const job = await look(id, call).catch((error: unknown) => outOfSight(id, how, error))
    if (isRun(job)) printed = await printOutput(id, printed, { call, output })
    for (const step of job.steps) {
      if (step.state === null || step.state === 'running' || shown.get(step.position) === step.state) continue
      shown.set(step.position, step.state)
      output.err(`  ${signs[step.state]} ${plain(step.name)}${step.note === null ? '' : `: ${plain(step.note)}`}\n`)
    }
    if (job.state === 'stalled' && previous !== 'stalled')
      output.err(`stalled: ${job.startedAt === null ? notTaken(id, self) : notHeard} Still watching.\n`)
    previous = job.state
    if (jobTransitions[job.state].length === 0) return ending(job, output)
  }
}

const notHeard = 'the root side does not tell how it goes; "systemctl restart wcpd" makes it end or undo the job.'

function notTaken(id: string, self: string): string {
  return `the root side does not take it, and will when it answers again; see "systemctl status wcpd". "${self} job cancel ${id}" cancels it unless it was sent.`
}

function isRun({ type }: WatchedJob): boolean {
  return besideTypes.includes(type)
}

/** The command's output since the last look, unchanged. @returns where to go on */
async function printOutput(
  id: string,
  after: number,
  { call, output }: Pick<Watching, 'call' | 'output'>,
): Promise<number> {
  const path = `${apiRoot}/jobs/${encodeURIComponent(id)}/output`
  for (let at = after; ; ) {
    const page = Printed.parse((await patiently(() => call({ method: 'GET', target: `${path}?after=${at}` }))).body)
    if (page.from > at) output.err(`${page.from - at} bytes of output are not kept\n`)
    output.out(page.text)
    if (page.text === '') return page.next
    at = page.next
  }
}

/** When the panel answers "too many requests", waits as long as it says. */
async function look(id: string, call: CallPanel): Promise<WatchedJob> {
  const target = `${apiRoot}/jobs/${encodeURIComponent(id)}`
  return WatchedJob.parse((await patiently(() => call({ method: 'GET', target }))).body)
}

async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof WcpError) || error.code !== 'too_many_requests') throw error
      await sleep(Number(error.details.retryAfterSeconds ?? 1) * 1000)
    }
  }
}

function outOfSight(id: string, how: string, error: unknown): never {
  if (!isUnanswered(error)) throw error
  throw new WcpError('unavailable', `Cannot see how job ${id} goes on: the panel does not answer`, {
    cause: error,
    help: `It is kept and goes on with the panel; watch it with "${how}".`,
  })
}

function ending({ state, failure, type }: WatchedJob, output: Output): number {
  if (state === 'succeeded') {
    output.err(paint(output, 'green', `${type} succeeded\n`))
    return 0
  }
  if (failure === null) {
    output.err(`${type} was ${state}\n`)
    return errorTable.conflict.exit
  }
  output.err(`${paint(output, 'red', 'error')}: ${plain(failure.message)}\n`)
  if (failure.step !== null) output.err(`  step: ${plain(failure.step)}\n`)
  output.err(`${paint(output, 'dim', plain(failure.help))}\n`)
  return errorTable[isErrorCode(failure.code) ? failure.code : 'machine_failed'].exit
}

function isErrorCode(code: string): code is keyof typeof errorTable {
  return Object.hasOwn(errorTable, code)
}
