/** Accepted jobs on their way: those of a tenant one after another, its commands beside them. */
import { WcpError } from '../../contract/errors.ts'
import type { PlanReport, RunOutput } from '../../contract/wire.ts'
import { type RunTarget, runOf } from '../kinds/domain/run.ts'
import { provisioners } from '../kinds/index.ts'
import { outputPageBytes, outputText } from '../os/run-as/output-text.ts'
import type { EngineOptions } from './engine-api.ts'
import type { EngineState } from './engine-state.ts'
import { failureOf } from './failure.ts'
import type { JournaledJob } from './journal.ts'
import { Lanes, type Turn } from './lanes.ts'
import type { Mode } from './mode.ts'
import type { Message } from './phases.ts'
import { type PlannedJob, planJobs } from './plan.ts'
import { interrupted, stuckBefore } from './recover.ts'
import { finishedEvent, isJobType, runJob } from './run-job.ts'

/** Of jobs that have ended: so long, and no more than so many that ended longer ago than a brake counts. */
const keptDays = 30
const mostKept = 20_000
const hourMs = 3_600_000
/** After so many accepted jobs what is kept is bounded anew. */
const forgetEach = 1000

/** Of different tenants; each waits for a process and costs the agent nothing meanwhile. */
const besideAtOnce = 64
/** Runs of cron jobs of one tenant: a long one holds up no other at once, and no tenant takes all places. */
const scheduledOfTenant = 4

export interface WorkParts {
  readonly mode: Mode
  readonly judging: Turn
  /** Throws where the database cannot be used. */
  state(): EngineState
}

export class Work {
  readonly #options: EngineOptions
  readonly #mode: Mode
  readonly #judging: Turn
  readonly #state: () => EngineState
  readonly #lanes: Lanes
  /** Jobs that go on beside the others: commands of tenants, which may take an hour. */
  readonly #beside = new Lanes(besideAtOnce)
  /** Commands that nobody waits for: people's go beside them. */
  readonly #scheduled = new Lanes(besideAtOnce, scheduledOfTenant)
  /** Told to end, some of them before they began. */
  readonly #cancelled = new Set<JournaledJob['id']>()
  readonly #running = new Map<string, JournaledJob>()
  /** Stuck jobs whose undoing is tried again: once for all that begin together. */
  readonly #settling = new Map<JournaledJob['id'], Promise<void>>()
  #isRecovering = false
  #open = 0
  #accepted = 0

  constructor(options: EngineOptions, { mode, judging, state }: WorkParts) {
    this.#options = options
    this.#mode = mode
    this.#judging = judging
    this.#state = state
    this.#lanes = new Lanes(options.parallel ?? 4)
  }

  /** Jobs accepted and not ended. */
  get open(): number {
    return this.#open
  }

  get running(): readonly JournaledJob[] {
    return [...this.#running.values()]
  }

  /** A new job was accepted and waits for its turn. */
  start(job: JournaledJob): void {
    this.#add(job)
    this.#accepted++
    if (this.#accepted % forgetEach === 0) this.#forget()
  }

  /** Settles what a crash left. */
  async recover(): Promise<void> {
    this.#forget()
    const jobs = interrupted(this.#state().journal)
    for (const job of jobs) this.#options.log.warn({ job: job.id, type: job.type, state: job.state }, 'job is resumed')
    this.#isRecovering = true
    for (const job of jobs) this.#add(job)
    await this.#lanes.idle()
    this.#isRecovering = false
  }

  plan(jobs: readonly PlannedJob[]): Promise<PlanReport> {
    return planJobs(jobs, this.#state().workshop.world, this.#judging)
  }

  /** Ends what the job runs, if it is one that can be ended. */
  stop(id: JournaledJob['id']): void {
    const job = this.#state().journal.job(id)
    if (job === undefined || !isRun(job)) return
    const { machine, log } = this.#options
    const isBegun = this.#running.has(id)
    if (job.state === 'queued' && isBegun) setTimeout(() => this.stop(id), 100).unref() // it is being judged
    if (job.state === 'queued' && !isBegun) this.#cancelled.add(id)
    if (job.state !== 'running' || !isBegun) return
    machine.services.stopRun(runOf(job.target as RunTarget, machine)).catch((err) => {
      log.error({ err, job: id }, 'command could not be ended')
    })
  }

  async output({ job: id, after }: Pick<Message<'output'>, 'job' | 'after'>): Promise<RunOutput> {
    const job = this.#state().journal.job(id)
    if (job === undefined || !isRun(job)) throw new WcpError('not_found', `Cannot find a command of job "${id}"`)
    if (job.target === null) return { text: '', from: after, next: after }
    const { tenant, run } = job.target as RunTarget // what its provisioner made
    return outputText(await this.#options.machine.services.runOutput(tenant.name, run, after, outputPageBytes))
  }

  /** The journal failed: what was begun stays as it is and is settled at the next start. */
  fail(error: unknown): void {
    this.#options.log.error({ err: error }, 'journal cannot be used, nothing more will be changed')
    const reason = this.#mode.stop('its journal cannot be written; it must be started again')
    if (!this.#isRecovering) this.#options.broken?.(reason)
  }

  async close(): Promise<void> {
    const lanes = [this.#lanes.close(), this.#beside.close(), this.#scheduled.close()]
    await this.#options.machine.services.leaveRuns()
    await Promise.all(lanes)
  }

  #add(job: JournaledJob): void {
    this.#open++
    // A job being undone is over soon, and nothing of the tenant may go before it.
    const isBeside = isRun(job) && (job.state === 'queued' || job.state === 'running')
    const lanes = isBeside ? this.#besideOf(job) : this.#lanes
    lanes.add(job.tenant, () => this.#work(job).finally(() => this.#open--))
  }

  #besideOf({ type }: JournaledJob): Lanes {
    return type === 'cron.run' ? this.#scheduled : this.#beside
  }

  async #work(job: JournaledJob): Promise<void> {
    if (this.#mode.isStopping) return
    const { journal, workshop } = this.#state()
    this.#running.set(job.id, job)
    try {
      const before = stuckBefore(journal, job)
      if (before !== undefined) await this.#settle(before)
      const still = stuckBefore(journal, job)
      if (this.#cancelled.delete(job.id) && job.state === 'queued') await this.#refuse(job, cancelledError())
      else if (still === undefined) await runJob(job, workshop)
      else await this.#refuseBehind(still, job)
    } catch (error) {
      this.fail(error)
    } finally {
      this.#running.delete(job.id)
    }
  }

  async #settle(stuck: JournaledJob): Promise<void> {
    const known = this.#settling.get(stuck.id)
    if (known !== undefined) return known
    const settling = runJob(stuck, this.#state().workshop).finally(() => this.#settling.delete(stuck.id))
    this.#settling.set(stuck.id, settling)
    return settling
  }

  async #refuseBehind(stuck: JournaledJob, job: JournaledJob): Promise<void> {
    const message = `Cannot begin: "${stuck.type}" of this tenant was interrupted and could not be undone`
    const error = new WcpError('conflict', message, {
      help: stuck.failure?.help ?? 'Look into the log of the root side.',
    })
    await this.#refuse(job, error)
  }

  async #refuse(job: JournaledJob, error: WcpError): Promise<void> {
    const failure = failureOf(error, null)
    this.#options.audit.note(finishedEvent(job, failure))
    await this.#state().journal.finish(job, failure, () => {})
    this.#options.emit({ t: 'finished', job: job.id, token: job.token, failure })
  }

  #forget(): void {
    const now = this.#options.machine.now().getTime()
    const before = (hours: number) => new Date(now - hours * hourMs).toISOString()
    this.#state().journal.forget({ before: before(keptDays * 24), beyond: { before: before(2), most: mostKept } })
  }
}

function isRun({ type }: JournaledJob): boolean {
  return isJobType(type) && provisioners[type].contract.beside === true
}

function cancelledError(): WcpError {
  return new WcpError('conflict', 'Cannot run the command: it was cancelled before it began')
}
