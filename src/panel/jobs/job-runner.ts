/**
 * Carries queued jobs to the agent and their news back into the store.
 *
 * The store is the only memory: whatever is queued is sent, whatever is unfinished is sent again after a reconnect, and the
 * agent answers a token that it knows with the result it has. So neither side's restart loses or repeats a job.
 */
import type { Logger } from 'pino'
import type { Id } from '../../contract/values.ts'
import type { RunnableJob } from '../../resources/job/store.ts'
import { besideTypes, jobContracts } from '../../resources/jobs.ts'
import type { AgentLink, AgentListener, Hello, JobMessage } from './agent-link.ts'
import type { JobEvent, JobEventBus } from './job-events.ts'
import type { JobQueue } from './job-queue.ts'

export interface JobRunnerOptions {
  readonly queue: JobQueue
  readonly link: Pick<AgentLink, 'send' | 'readOnly' | 'answers'>
  readonly events: JobEventBus
  readonly log: Logger
  /** Jobs of different tenants under way at once. */
  readonly atOnce: () => number
  /** Silence, or waiting for an agent, after which a job counts as stalled. */
  readonly stallAfterMs?: number | undefined
  /** How long a job that the brake holds is not sent again. */
  readonly holdMs?: number | undefined
  /** How often silence is looked for and heartbeats are written. */
  readonly tickMs?: number | undefined
}

/** Waiting jobs looked at in one turn while no agent answers. */
const mostWatched = 500

/** Jobs that go beside the others, in one turn of sending. */
const besideInTurn = 64

interface Underway {
  readonly tenant: Id | null
  readonly type: string
  began: number
  /** The agent has accepted it. */
  isBegun: boolean
  heard: number
  beat: boolean
  stalled: boolean
}

/** Messages that are stored together. */
interface Batch {
  readonly queue: JobQueue
  /** Messages that wait until they are. */
  readonly afterwards: (() => void)[]
}

export class JobRunner implements Omit<AgentListener, 'audited'> {
  readonly #options: JobRunnerOptions
  readonly #underway = new Map<Id, Underway>()
  /** Jobs that the root side's brake holds back, and until when they are not sent again. */
  readonly #held = new Map<Id, Pick<Underway, 'tenant' | 'type'> & { readonly until: number }>()
  readonly #stallAfterMs: number
  readonly #holdMs: number
  /** No agent has answered since. */
  #isUnanswered = true
  /** Since when jobs wait for an agent that answers, by their ids. */
  #waiting: ReadonlyMap<Id, number> = new Map()
  #timer: NodeJS.Timeout | null = null
  #connected = false
  #sending: Promise<void> | null = null
  #again = false

  constructor(options: JobRunnerOptions) {
    this.#options = options
    this.#stallAfterMs = options.stallAfterMs ?? 30_000
    this.#holdMs = options.holdMs ?? 30_000
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
      // An agent that only inspects would refuse it, and its journal may hold the job: its end is for that to tell.
      if (hello.readOnly === null && !hello.running.includes(job.id)) this.#send(job)
    }
    this.#connected = true
    this.wake()
  }

  gone(): void {
    this.#connected = false
    this.#isUnanswered = true
  }

  heard(job: Id): void {
    const known = this.#underway.get(job)
    if (known) known.heard = performance.now()
  }

  /** Stored in one transaction; only then people, the agent and this runner's memory learn of it. */
  async told(messages: readonly JobMessage[]): Promise<void> {
    const effects = await this.#options.queue.together(async (queue) => {
      const batch: Batch = { queue, afterwards: [] }
      for (const message of withoutOvertaken(messages)) await this.#store(message, batch)
      return batch.afterwards
    })
    for (const effect of effects) effect()
    if (messages.some(({ t }) => t === 'finished')) this.wake()
  }

  async #store(message: JobMessage, batch: Batch): Promise<void> {
    if (message.t === 'finished') return await this.#finished(message, batch)
    if (!(await this.#isOurs(message.job, batch))) return
    switch (message.t) {
      case 'accepted':
        if (this.#underway.get(message.job)?.isBegun) await this.#recovered(message.job, batch)
        return await this.#accepted(message, batch)
      case 'step':
        return await this.#step(message, batch)
      case 'log':
        await batch.queue.log(message.job, message.line)
        return this.#publish(batch, { kind: 'log', job: message.job, line: message.line })
      case 'held':
        return await this.#hold(message, batch)
      case 'heartbeat':
        Object.assign(this.#underway.get(message.job) ?? {}, { beat: true })
        return await this.#recovered(message.job, batch)
    }
  }

  /** A store that was brought back from a backup does not know every job that the agent has. */
  async #isOurs(job: Id, { queue }: Batch): Promise<boolean> {
    if (this.#underway.has(job)) return true
    const stored = await queue.find(job)
    if (stored) this.#note(stored)
    else this.#options.log.warn({ job }, 'the agent tells of an unknown job')
    return stored !== undefined
  }

  async #accepted({ job, steps }: Extract<JobMessage, { t: 'accepted' }>, batch: Batch): Promise<void> {
    batch.afterwards.push(() => this.#held.delete(job))
    if (!(await batch.queue.accepted(job, steps))) return
    const known = this.#underway.get(job)
    const begun = { began: performance.now(), isBegun: true, stalled: false }
    batch.afterwards.push(() => Object.assign(known ?? {}, begun))
    this.#publish(batch, { kind: 'steps', job, names: steps })
    this.#publish(batch, { kind: 'state', job, state: 'running', failure: null })
  }

  /** It stays queued, can be cancelled, and is sent again in a while; people are told once why. */
  async #hold({ job, reason }: Extract<JobMessage, { t: 'held' }>, batch: Batch): Promise<void> {
    const known = this.#underway.get(job)
    if (!(await batch.queue.held(job))) return
    if (known?.stalled) this.#publish(batch, { kind: 'state', job, state: 'queued', failure: null })
    if (!this.#held.has(job)) {
      await batch.queue.log(job, reason)
      this.#publish(batch, { kind: 'log', job, line: reason })
    }
    batch.afterwards.push(() => {
      this.#underway.delete(job)
      const { tenant, type } = known ?? { tenant: null, type: '' }
      this.#held.set(job, { tenant, type, until: performance.now() + this.#holdMs })
    })
  }

  async #step({ t: _, job, ...step }: Extract<JobMessage, { t: 'step' }>, batch: Batch): Promise<void> {
    await this.#recovered(job, batch)
    await batch.queue.step(job, step)
    this.#publish(batch, { kind: 'step', job, ...step })
  }

  async #finished({ job, token, failure }: Extract<JobMessage, { t: 'finished' }>, batch: Batch): Promise<void> {
    const isNews = await batch.queue.finished(job, token, failure)
    batch.afterwards.push(() => {
      this.#options.link.send({ t: 'ack', job })
      this.#underway.delete(job)
      this.#held.delete(job)
    })
    if (!isNews) return
    const state = failure === null ? 'succeeded' : 'failed'
    if (failure) this.#options.log.warn({ job, step: failure.step, code: failure.code }, 'a job failed')
    this.#publish(batch, { kind: 'state', job, state, failure })
  }

  /** The agent's late word leads a stalled job back, unless it has been at it for longer than its type may take. */
  async #recovered(job: Id, batch: Batch): Promise<void> {
    const known = this.#underway.get(job)
    if (!known?.stalled || this.#isOverdue(known)) return
    await batch.queue.heartbeats([job])
    batch.afterwards.push(() => {
      known.stalled = false
    })
    this.#publish(batch, { kind: 'state', job, state: 'running', failure: null })
  }

  #publish({ afterwards }: Batch, event: JobEvent): void {
    afterwards.push(() => this.#options.events.publish(event))
  }

  async #sendQueued(): Promise<void> {
    if (!(await this.#isAnswered())) return
    const now = performance.now()
    const isInTurn = ({ type }: { readonly type: string }) => !isBeside(type)
    const inTurn = [...this.#underway.values()].filter(isInTurn)
    const room = Math.max(0, this.#options.atOnce() - inTurn.length)
    const held = [...this.#held].filter(([, { until }]) => until > now)
    const known = new Set([...this.#underway.keys(), ...held.map(([job]) => job)])
    const busy = new Set([...inTurn, ...held.map(([, one]) => one).filter(isInTurn)].map(({ tenant }) => tenant))
    const most = this.#options.atOnce() + known.size + besideInTurn
    let isMore = false
    const delivered = await this.#options.queue.together(async (queue) => {
      const runnable = await queue.runnable(most)
      isMore = runnable.length === most
      const beside = runnable.filter(({ id, type }) => isBeside(type) && !known.has(id))
      const turns = runnable.filter((job) => isInTurn(job) && !busy.has(job.tenantId))
      const jobs: RunnableJob[] = []
      for (const job of [...beside, ...turns.slice(0, room)]) if (await queue.delivered(job.id)) jobs.push(job)
      return jobs
    })
    for (const job of delivered) {
      this.#note(job)
      this.#send(job)
    }
    if (isMore && delivered.length > 0) this.#again = true
  }

  /** Asked before each sending: what a frozen agent was sent could not be cancelled. */
  async #isAnswered(): Promise<boolean> {
    const { link, queue, events } = this.#options
    if (link.readOnly !== null || !(await link.answers())) {
      this.#isUnanswered = true
      return false
    }
    if (this.#isUnanswered)
      for (const job of await queue.requeued()) events.publish({ kind: 'state', job, state: 'queued', failure: null })
    this.#isUnanswered = false
    this.#waiting = new Map()
    return true
  }

  #sent(err?: unknown): void {
    if (err) this.#options.log.error({ err }, 'queued jobs could not be sent')
    this.#sending = null
    if (!this.#again) return
    this.#again = false
    this.wake()
  }

  #send({ id, type, token, epoch, isStaff, resellerId, payload }: RunnableJob): void {
    const from = { epoch, staff: isStaff, reseller: resellerId }
    this.#options.link.send({ t: 'job', job: id, type, token, ...from, payload: { ...payload } })
  }

  #note({ id, tenantId: tenant, type, state, isBegun }: RunnableJob, began = performance.now()): void {
    const heard = performance.now()
    this.#underway.set(id, { tenant, type, began, isBegun, heard, beat: false, stalled: state === 'stalled' })
  }

  async #tick(): Promise<void> {
    try {
      const beating = [...this.#underway].filter(([, { beat, stalled }]) => beat && !stalled).map(([job]) => job)
      for (const job of beating) Object.assign(this.#underway.get(job) ?? {}, { beat: false })
      for (const [job, { until }] of this.#held)
        if (performance.now() - until > 10 * this.#holdMs) this.#held.delete(job) // cancelled meanwhile
      if (beating.length > 0) await this.#options.queue.heartbeats(beating)
      for (const [job, known] of this.#underway) await this.#watch(job, known)
      if (this.#isUnanswered) await this.#watchWaiting()
    } catch (err) {
      this.#options.log.error({ err }, 'jobs could not be watched')
    }
    this.wake()
  }

  async #watch(job: Id, known: Underway): Promise<void> {
    if (!this.#isUnanswered && isBeside(known.type) && !known.isBegun) {
      known.heard = performance.now() // its tenant's commands go before it
      return
    }
    const silentMs = performance.now() - known.heard
    if (known.stalled || (silentMs < this.#stallAfterMs && !this.#isOverdue(known))) return
    known.stalled = await this.#stall(job, known.type, silentMs)
  }

  /** Jobs that would be sent, while no agent answers. */
  async #watchWaiting(): Promise<void> {
    const now = performance.now()
    const runnable = await this.#options.queue.runnable(mostWatched)
    const unsent = runnable.filter(({ id }) => !this.#underway.has(id) && !this.#held.has(id))
    this.#waiting = new Map(unsent.map(({ id }) => [id, this.#waiting.get(id) ?? now]))
    for (const { id, type } of unsent) {
      const waitedMs = now - (this.#waiting.get(id) ?? now)
      if (waitedMs >= this.#stallAfterMs) await this.#stall(id, type, waitedMs)
    }
  }

  async #stall(job: Id, type: string, silentMs: number): Promise<boolean> {
    if (!(await this.#options.queue.stalled(job))) return false
    this.#options.log.error({ job, type, silentMs: Math.round(silentMs) }, 'a job has stalled')
    this.#options.events.publish({ kind: 'state', job, state: 'stalled', failure: null })
    return true
  }

  #isOverdue({ type, began }: Underway): boolean {
    const contracts: Readonly<Record<string, { timeoutSeconds: number }>> = jobContracts
    return performance.now() - began > (contracts[type]?.timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000
  }
}

function isBeside(type: string): boolean {
  return besideTypes.includes(type)
}

/** Without states of a step that a later message of the same batch tells anew. */
function withoutOvertaken(messages: readonly JobMessage[]): readonly JobMessage[] {
  const place = (message: JobMessage) => (message.t === 'step' ? `${message.job} ${message.index}` : message)
  const last = new Map(messages.map((message) => [place(message), message]))
  return messages.filter((message) => last.get(place(message)) === message)
}
