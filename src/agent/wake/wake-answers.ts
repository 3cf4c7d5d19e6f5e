/** Decides what the waker is told: one start for all names of a master, so many starts at once, and never above the ceiling. */
import { Fqdn } from '../../contract/values.ts'
import type { WakeAnswer, WakeRefusal, WakeRefused } from '../../contract/wake.ts'
import type { HostLookup } from '../jobs/engine-api.ts'
import type { Log } from '../log.ts'
import { type FpmPool, poolOf } from '../os/fpm-pool.ts'
import type { FpmStart, Services } from '../os/services.ts'

export interface WakeOptions {
  readonly services: Pick<Services, 'startFpm'>
  lookup(host: Fqdn): HostLookup
  /** False when one more PHP would not fit and nothing that rests can be stopped for it. */
  makeRoom(): Promise<boolean>
  readonly log: Log
  /** Starts of different tenants at once: a crowd of cold sites must not take the machine; 4 unless told. */
  readonly parallel?: number
  /** A start that takes longer lets the next one begin; 5000 unless told. */
  readonly slowAfterMs?: number
  /** The present moment in milliseconds; a test's own in tests. */
  now?(): number
}

/** Seconds between tries of a PHP that does not start: doubled each time, this at most. */
const longestPauseSeconds = 60

/** Questions under way; the waker asks once for a host, a waker in wrong hands must not grow the root side. */
const mostWaiting = 2000
/** Of those, about the names of one tenant. */
const mostOfTenant = 64
/** Starts that went on beside the slots. */
const mostSlow = 12

interface Setback {
  readonly times: number
  readonly notBefore: number
}

interface Wake {
  readonly over: Promise<WakeAnswer>
  questions: number
}

/** Answers the waker's questions; knows nothing of sockets. */
export class WakeAnswers {
  readonly #options: WakeOptions
  readonly #setbacks = new Map<FpmPool, Setback>()
  readonly #wakes = new Map<FpmPool, Wake>()
  readonly #queue: (() => void)[] = []
  #waiting = 0
  #slow = 0
  #free: number

  constructor(options: WakeOptions) {
    this.#options = options
    this.#free = options.parallel ?? 4
  }

  async answer(wake: string): Promise<WakeAnswer> {
    const early = this.#judge(wake)
    if ('refused' in early) return early
    const pool = poolOfStart(early)
    const known = this.#wakes.get(pool)
    if (this.#waiting >= mostWaiting || (known?.questions ?? 0) >= mostOfTenant) return refused(wake, 'busy', 2)
    this.#waiting++
    try {
      return known ? await this.#join(wake, known) : await this.#begin(wake, pool)
    } finally {
      this.#waiting--
    }
  }

  async #begin(wake: string, pool: FpmPool): Promise<WakeAnswer> {
    const over = this.#inTurn(wake).finally(() => this.#wakes.delete(pool))
    this.#wakes.set(pool, { over, questions: 1 })
    return await over
  }

  /** Another name of a tenant that is being woken takes no slot of its own. */
  async #join(wake: string, known: Wake): Promise<WakeAnswer> {
    known.questions++
    const first = await known.over
    const found = this.#judge(wake)
    if ('refused' in found) return found
    if ('ok' in first) return { ok: wake }
    // the first name may have been taken away or suspended on its own
    return first.reason === 'busy'
      ? refused(wake, 'busy', first.retryAfter)
      : await this.#begin(wake, poolOfStart(found))
  }

  async #inTurn(wake: string): Promise<WakeAnswer> {
    await this.#enter()
    let leave = () => this.#leave()
    const timer = setTimeout(() => {
      if (this.#slow >= mostSlow) return
      this.#slow++
      this.#leave()
      leave = () => void this.#slow--
    }, this.#options.slowAfterMs ?? 5000)
    try {
      // While it waited, the tenant may have been suspended or deleted.
      const start = this.#judge(wake)
      if ('refused' in start) return start
      return (await this.#options.makeRoom()) ? await this.#start(wake, start) : refused(wake, 'busy', 5)
    } finally {
      clearTimeout(timer)
      leave()
    }
  }

  #judge(wake: string): FpmStart | WakeRefused {
    const host = Fqdn.safeParse(wake)
    const found = host.success ? this.#options.lookup(host.data) : { kind: 'unknown' as const }
    if (found.kind !== 'php') return refused(wake, found.kind, found.kind === 'suspended' ? 3600 : 0)
    const wait = this.#secondsToWait(poolOfStart(found.start))
    return wait > 0 ? refused(wake, 'failed', wait) : found.start
  }

  async #start(wake: string, start: FpmStart): Promise<WakeAnswer> {
    try {
      await this.#options.services.startFpm(start)
      this.#setbacks.delete(poolOfStart(start))
      return { ok: wake }
    } catch (error) {
      return refused(wake, 'failed', this.#setBack(start, error))
    }
  }

  #secondsToWait(pool: FpmPool): number {
    const setback = this.#setbacks.get(pool)
    return setback ? Math.max(0, Math.ceil((setback.notBefore - this.#now()) / 1000)) : 0
  }

  #setBack(start: FpmStart, error: unknown): number {
    const pool = poolOfStart(start)
    const times = (this.#setbacks.get(pool)?.times ?? 0) + 1
    const seconds = Math.min(2 ** times, longestPauseSeconds)
    this.#setbacks.set(pool, { times, notBefore: this.#now() + seconds * 1000 })
    this.#options.log.error({ tenant: start.name, times, seconds, err: error }, 'PHP did not start')
    return seconds
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now()
  }

  #enter(): Promise<void> | void {
    if (this.#free-- > 0) return
    return new Promise((resolve) => void this.#queue.push(resolve))
  }

  #leave(): void {
    this.#free++
    this.#queue.shift()?.()
  }
}

function poolOfStart({ name, apart }: FpmStart): FpmPool {
  return poolOf(name, apart)
}

function refused(host: string, reason: WakeRefusal, retryAfter: number): WakeRefused {
  return { refused: host, reason, retryAfter }
}
