/**
 * The life of one job on the machine: resolve, then for each step check, capture, apply, verify; when one fails, undo in
 * reverse. The journal is always ahead of the effect, so that a crash anywhere is continued from here by the same code.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { WcpError } from '../../contract/errors.ts'
import type { AgentMessage, Failure } from '../../contract/wire.ts'
import { type JobType, jobContracts } from '../../resources/jobs.ts'
import type { AuditEvent } from '../audit/audit-line.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import { provisioners } from '../kinds/index.ts'
import type { AnyProvisioner, World } from '../kinds/provisioner.ts'
import type { Log } from '../log.ts'
import { errorCode } from '../os/error-code.ts'
import { RunLeft } from '../os/run-as/run-left.ts'
import type { Json, Step } from '../steps/step.ts'
import { Captures } from './captures.ts'
import { failureOf } from './failure.ts'
import type { Journal, JournaledJob } from './journal.ts'
import type { Turn } from './lanes.ts'

export interface Workshop {
  readonly world: World
  readonly journal: Journal
  readonly log: Log
  readonly audit: AuditTrail
  emit(message: AgentMessage): void
  /** Judging and reserving, one job after the other: two jobs never take the same name. */
  readonly judging: Turn
  readonly heartbeatMs: number
  /** Of this program. */
  readonly version: string
}

/** The journal cannot be read or written: nothing more may be changed, and only a restart helps. */
export class JournalBroken extends Error {
  override readonly name = 'JournalBroken'
}

/** Brings a job that was accepted, or interrupted, to its end. Throws only `JournalBroken`. */
export async function runJob(job: JournaledJob, shop: Workshop): Promise<void> {
  const beat = setInterval(() => shop.emit({ t: 'heartbeat', job: job.id }), shop.heartbeatMs)
  try {
    await toItsEnd(job, shop)
  } catch (cause) {
    if (cause instanceof RunLeft) return // it stays as it is in the journal, and is found again at the next start
    throw new JournalBroken(`the journal failed in job ${job.id}`, { cause })
  } finally {
    clearInterval(beat)
  }
}

async function toItsEnd(job: JournaledJob, shop: Workshop): Promise<void> {
  const provisioner = provisionerOf(job.type)
  const target = job.state === 'queued' ? await begin(job, provisioner, shop) : journaledTarget(job)
  if (target === refused) return
  const steps = provisioner.steps(target, shop.world.machine)
  shop.emit({ t: 'accepted', job: job.id, steps: steps.map((step) => step.name) })
  const run: Run = { job, provisioner, target, steps, shop }
  const isUndoing = job.state === 'undoing' || job.state === 'stuck'
  const failure = isUndoing ? (job.failure ?? failureOf(undefined, null)) : await forward(run)
  if (failure === null) return succeed(run)
  await backward(run, failure)
}

interface Run {
  readonly job: JournaledJob
  readonly provisioner: AnyProvisioner
  readonly target: Json
  readonly steps: readonly Step[]
  readonly shop: Workshop
}

const refused = Symbol('refused')

/** The target once it is journaled; or the job has ended before it began. */
async function begin(job: JournaledJob, provisioner: AnyProvisioner, shop: Workshop): Promise<Json | typeof refused> {
  const { world, journal } = shop
  try {
    return await shop.judging.take(async () => {
      const payload = provisioner.contract.payload.parse(job.payload)
      const target = await provisioner.target(payload, world)
      await journal.begin(job, target, shop.version, () => provisioner.reserve(world.registry, target))
      return target
    })
  } catch (error) {
    if (isBroken(error)) throw error
    if (!(error instanceof WcpError))
      shop.log.error({ err: error, job: job.id, type: job.type }, 'job could not be prepared')
    await end(job, failureOf(error, null), shop, () => {})
    return refused
  }
}

/** @returns why a step failed; null when every fact holds. */
async function forward({ job, steps, shop }: Run): Promise<Failure | null> {
  const { machine } = shop.world
  const captures = new Captures(job, steps, shop.journal)
  if (captures.foreign !== undefined) return failureOf(unknownStep(job, captures.foreign), captures.foreign)
  for (const [index, step] of steps.entries()) {
    const tell = (state: 'running' | 'done' | 'unchanged' | 'failed', note: string | null = null) =>
      shop.emit({ t: 'step', job: job.id, index, name: step.name, state, note })
    try {
      const difference = await step.check(machine)
      if (difference === undefined) {
        tell(captures.before(index) === undefined ? 'unchanged' : 'done')
        continue
      }
      tell('running', difference.action)
      const known = captures.before(index) // may be null, which is a capture too
      const before = known === undefined ? await captures.add(index, await step.capture(machine)) : known
      await step.apply(machine, before)
      const left = await step.check(machine)
      if (left !== undefined) throw new WcpError('machine_failed', `Cannot see that "${step.name}" holds now`)
      tell('done')
    } catch (error) {
      if (isBroken(error) || error instanceof RunLeft) throw error
      const failure = failureOf(error, step.name)
      shop.log.warn({ err: error, job: job.id, step: step.name }, 'step failed')
      tell('failed', failure.message)
      return failure
    }
  }
  return null
}

/**
 * Undoes what was captured, last first, and stops at the first that cannot be undone: the machine is then exactly as
 * after that step, which is known, and not a mixture.
 */
async function backward(run: Run, failure: Failure): Promise<void> {
  const { job, steps, shop, provisioner, target } = run
  if (job.state !== 'stuck') shop.journal.undoing(job, failure)
  for (const { index, name, before } of new Captures(job, steps, shop.journal).lastFirst()) {
    const step = steps[index]
    try {
      if (step === undefined) throw unknownStep(job, name)
      await undoPatiently(step, before, run)
      shop.emit({ t: 'step', job: job.id, index, name, state: 'undone', note: null })
    } catch (error) {
      if (isBroken(error)) throw error
      return leaveStuck(run, failure, name, error)
    }
  }
  await end(job, failure, shop, () => provisioner.release(shop.world.registry, target))
}

function unknownStep({ began_with: version }: JournaledJob, name: string): WcpError {
  return new WcpError('internal', `Cannot find step "${name}" in this version`, {
    help: `Start version ${version ?? '0.1.0'} again, which began the job, and let it end.`,
  })
}

async function undoPatiently(step: Step, before: Json, { shop, job }: Run): Promise<void> {
  for (const waitMs of [100, 500]) {
    try {
      return await step.undo(shop.world.machine, before)
    } catch (error) {
      if (isBroken(error)) throw error
      shop.emit({ t: 'log', job: job.id, line: `Undoing "${step.name}" failed and is tried again` })
      await pause(waitMs)
    }
  }
  return step.undo(shop.world.machine, before)
}

function leaveStuck({ job, shop }: Run, failure: Failure, step: string, error: unknown): void {
  shop.log.error({ err: error, job: job.id, step }, 'step could not be undone')
  const also = failureOf(error, step).message
  const whole = {
    ...failure,
    message: `${failure.message}; and then undoing failed: ${also}`.slice(0, 3900),
    help: 'Mend the cause; undoing is tried again before the next job of this tenant and at the next start.',
  }
  if (job.state === 'stuck') return
  shop.audit.note(finishedEvent(job, whole))
  shop.journal.stuck(job, whole)
  shop.emit({ t: 'finished', job: job.id, token: job.token, failure: whole })
}

function succeed({ job, provisioner, target, shop }: Run): Promise<void> {
  return end(job, null, shop, () => provisioner.settle(shop.world.registry, target))
}

async function end(job: JournaledJob, failure: Failure | null, shop: Workshop, settle: () => void): Promise<void> {
  // Before: after a crash it is written twice, never not at all.
  shop.audit.note(finishedEvent(job, failure))
  await shop.journal.finish(job, failure, settle)
  shop.log.info({ job: job.id, type: job.type, failure: failure?.message ?? null }, 'job ended')
  shop.emit({ t: 'finished', job: job.id, token: job.token, failure })
}

export function finishedEvent({ id, type, token }: JournaledJob, failure: Failure | null): AuditEvent {
  const problem = failure === null ? null : failure.message.slice(0, 500)
  return { event: 'job.finished', job: id, type, token, code: failure?.code ?? null, problem }
}

function journaledTarget(job: JournaledJob): Json {
  return job.target as Json // what `begin` wrote as JSON
}

function provisionerOf(type: string): AnyProvisioner {
  if (!isJobType(type)) throw new Error(`the journal holds a job of the unknown type "${type}"`)
  return provisioners[type]
}

export function isJobType(type: string): type is JobType {
  return Object.hasOwn(jobContracts, type)
}

/** Errors of SQLite itself; a broken constraint is a refusal, not a broken journal. */
function isBroken(error: unknown): boolean {
  const code = errorCode(error)
  return code?.startsWith('SQLITE_') === true && !code.startsWith('SQLITE_CONSTRAINT')
}
