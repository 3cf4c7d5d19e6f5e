/**
 * Carries queued jobs to the agent and their news back into the store.
 *
 * The store is the only memory: whatever is queued is sent, whatever is unfinished is sent again after a reconnect, and the
 * agent answers a token that it knows with the result it has. So neither side's restart loses or repeats a job.
 */
import type { Logger } from 'pino'
import type { Id } from '../../contract/values.ts'
import type { RunnableJob } from '../../resources/job/store.ts'
import { jobContracts } from '../../resources/jobs.ts'
import type { AgentLink, AgentListener, Hello, JobMessage } from './agent-link.ts'
import type { JobEventBus } from './job-events.ts'
import type { JobQueue } from './job-queue.ts'

export interface JobRunnerOptions {
  readonly queue: JobQueue
  readonly link: Pick<AgentLink, 'send' | 'readOnly'>
  readonly events: JobEventBus
  readonly log: Logger
  /** Jobs of different tenants under way at once. */
  readonly atOnce: () => number
  /** Silence after which a job counts as stalled. */
  readonly stallAfterMs?: number | undefined
  /** How often silence is looked for and heartbeats are written. */
  readonly tickMs?: number | undefined
}

interface Underway {
  readonly tenant: Id | null
  readonly type: string
  readonly began: number
  heard: number
  beat: boolean
  stalled: boolean
}

export class JobRunner implements AgentListener {
  readonly #options: JobRunnerOptions
  readonly #underway = new Map<Id, Underway>()
  readonly #stallAfterMs: number
  #timer: NodeJS.Timeout | null = null
  #connected = false
  #sending: Promise<void> | null = null
  #again = false

  constructor(options: JobRunnerOptions) {
    this.#options = options
    this.#stallAfterMs = options.stallAfterMs ?? 30_000
  }

  /** Watches over what an earlier life of the panel has left under way, too. */
  async start(): Promise<void> {
    for (const job of await this.#options.queue.unfinished()) this.#note(job)
    this.#timer = setInterval(() => void this.#tick(), this.#options.tickMs ?? 5_000)
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    this.#connected = false
    await this.#sending
  }

  /** Something was queued. Never fails and never waits. */
  wake(): void {
    if (!this.#connected) return
    if (this.#sending) this.#again = true
    else
      this.#sending = this.#sendQueued().then(
        () => this.#sent(),
        (err) => this.#sent(err),
      )
  }

  async connected(hello: Hello): Promise<void> {
    const before = new Map(this.#underway)
    this.#underway.clear() // what was sent and never accepted is queued still, and sent again
    for (const job of await this.#options.queue.unfinished()) {
      this.#note(job, before.get(job.id)?.began)
      if (!hello.running.includes(job.id)) this.#send(job)
    }
    this.#connected = true
    this.wake()
  }

  gone(): void {
    this.#connected = false
  }

  heard(job: Id): void {
    const known = this.#underway.get(job)
    if (known) known.heard = performance.now()
  }

  async told(message: JobMessage): Promise<void> {
    if (message.t !== 'finished' && !(await this.#isOurs(message.job))) return
    const known = this.#underway.get(message.job)
    switch (message.t) {
      case 'accepted':
        await this.#recovered(message.job)
        return await this.#accepted(message)
      case 'step':
        return await this.#step(message)
      case 'log':
        await this.#options.queue.log(message.job, message.line)
        return this.#options.events.publish({ kind: 'log', job: message.job, line: message.line })
      case 'heartbeat':
        if (known) known.beat = true
        return await this.#recovered(message.job)
      case 'finished':
        return await this.#finished(message)
    }
  }

  /** A store that was brought back from a backup does not know every job that the agent has. */
  async #isOurs(job: Id): Promise<boolean> {
    if (this.#underway.has(job)) return true
    const stored = await this.#options.queue.find(job)
    if (stored) this.#note(stored)
    else this.#options.log.warn({ job }, 'the agent tells of an unknown job')
    return stored !== undefined
  }

  async #accepted({ job, steps }: Extract<JobMessage, { t: 'accepted' }>): Promise<void> {
    if (!(await this.#options.queue.accepted(job, steps))) return
    this.#options.events.publish({ kind: 'steps', job, names: steps })
    this.#options.events.publish({ kind: 'state', job, state: 'running', failure: null })
  }

  async #step({ t: _, job, ...step }: Extract<JobMessage, { t: 'step' }>): Promise<void> {
    await this.#recovered(job)
    await this.#options.queue.step(job, step)
    this.#options.events.publish({ kind: 'step', job, ...step })
  }

  async #finished({ job, token, failure }: Extract<JobMessage, { t: 'finished' }>): Promise<void> {
    const isNews = await this.#options.queue.finished(job, token, failure)
    this.#options.link.send({ t: 'ack', job })
    this.#underway.delete(job)
    if (isNews) {
      const state = failure === null ? 'succeeded' : 'failed'
      if (failure) this.#options.log.warn({ job, step: failure.step, code: failure.code }, 'a job failed')
      this.#options.events.publish({ kind: 'state', job, state, failure })
    }
    this.wake()
  }

  /** The agent's late word leads a stalled job back, unless it has been at it for longer than its type may take. */
  async #recovered(job: Id): Promise<void> {
    const known = this.#underway.get(job)
    if (!known?.stalled || this.#isOverdue(known)) return
    known.stalled = false
    await this.#options.queue.heartbeats([job])
    this.#options.events.publish({ kind: 'state', job, state: 'running', failure: null })
  }

  async #sendQueued(): Promise<void> {
    const room = this.#options.atOnce() - this.#underway.size
    if (room <= 0 || this.#options.link.readOnly !== null) return
    const busy = new Set([...this.#underway.values()].map(({ tenant }) => tenant))
    const runnable = await this.#options.queue.runnable(this.#options.atOnce() + busy.size)
    for (const job of runnable.filter(({ tenantId }) => !busy.has(tenantId)).slice(0, room)) {
      if (!(await this.#options.queue.delivered(job.id))) continue
      this.#note(job)
      this.#send(job)
    }
  }

  #sent(err?: unknown): void {
    if (err) this.#options.log.error({ err }, 'queued jobs could not be sent')
    this.#sending = null
    if (!this.#again) return
    this.#again = false
    this.wake()
  }

  #send({ id, type, token, payload }: RunnableJob): void {
    this.#options.link.send({ t: 'job', job: id, type, token, payload: { ...payload } })
  }

  #note({ id, tenantId: tenant, type, state }: RunnableJob, began = performance.now()): void {
    const heard = performance.now()
    this.#underway.set(id, { tenant, type, began, heard, beat: false, stalled: state === 'stalled' })
  }

  async #tick(): Promise<void> {
    try {
      const beating = [...this.#underway].filter(([, { beat, stalled }]) => beat && !stalled).map(([job]) => job)
      for (const job of beating) Object.assign(this.#underway.get(job) ?? {}, { beat: false })
      if (beating.length > 0) await this.#options.queue.heartbeats(beating)
      for (const [job, known] of this.#underway) await this.#watch(job, known)
    } catch (err) {
      this.#options.log.error({ err }, 'jobs could not be watched')
    }
    this.wake()
  }

  async #watch(job: Id, known: Underway): Promise<void> {
    const silentMs = performance.now() - known.heard
    if (known.stalled || (silentMs < this.#stallAfterMs && !this.#isOverdue(known))) return
    if (!(await this.#options.queue.stalled(job))) return
    known.stalled = true
    this.#options.log.error({ job, type: known.type, silentMs: Math.round(silentMs) }, 'a job has stalled')
    this.#options.events.publish({ kind: 'state', job, state: 'stalled', failure: null })
  }

  #isOverdue({ type, began }: Underway): boolean {
    const contracts: Readonly<Record<string, { timeoutSeconds: number }>> = jobContracts
    return performance.now() - began > (contracts[type]?.timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000
  }
}
