/**
 * Stops PHP of tenants that nobody asks for, and, when all customers together come near their ceiling, what rests longest. It
 * keeps no state that matters: what runs is asked of the machine each time.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../log.ts'
import { type Ceiling, type Crowd, isCrowded } from '../os/ceiling.ts'
import type { FpmPool } from '../os/fpm-pool.ts'
import type { AwakeFpm, Services } from '../os/services.ts'

export interface ReaperOptions {
  readonly services: Pick<Services, 'awakeFpm' | 'stopFpm' | 'crowd'>
  readonly log: Log
  readonly ceiling: Ceiling
  /** A master that answered nobody for this long is stopped; 60 unless told. */
  readonly idleSeconds?: number
  now?(): number
  pause?(ms: number): Promise<void>
}

const lookEveryMs = 5000
/** As fresh as this, what was measured, and who was seen at rest, is taken for what is. */
const freshMs = 500
const restFreshMs = 100
/** PHP that has just been woken is not stopped before the request that woke it has come. */
const shortestRestMs = 250
/** Stopped at once for one that wants to start. */
const mostAtOnce = 4
const roomPatienceMs = 5000
const pauseMs = 100
const tellEveryMs = 60_000

/** As of the first look that saw the pool at rest. */
interface Rest {
  readonly since: number
  readonly work: string
  readonly isOutdated: boolean
}

export class IdleReaper {
  readonly #options: ReaperOptions
  readonly #resting = new Map<FpmPool, Rest>()
  #timer: NodeJS.Timeout | undefined
  #isLooking = false
  #lastLook = Number.NEGATIVE_INFINITY
  #turn: Promise<unknown> = Promise.resolve()
  #crowd: { readonly at: number; readonly seen: Crowd; since: number } | undefined
  #lastFull = Number.NEGATIVE_INFINITY
  #lastTold = Number.NEGATIVE_INFINITY
  #stopped = 0

  constructor(options: ReaperOptions) {
    this.#options = options
  }

  begin(everyMs = lookEveryMs): void {
    this.#timer = setInterval(() => void this.look(), everyMs)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** One look at what runs; resolves when what is due has been stopped. */
  async look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      await this.#look()
    } catch (error) {
      this.#options.log.error({ err: error }, 'idle PHP could not be looked for')
    } finally {
      this.#isLooking = false
    }
  }

  /**
   * Whether one more PHP fits below the ceiling, after what rests longest was stopped for it where that was needed. One
   * asks after the other.
   */
  makeRoom(): Promise<boolean> {
    const turn = this.#turn
      .then(() => this.#makeRoom())
      .catch((error) => {
        this.#options.log.error({ err: error }, 'cannot look for room for one more PHP')
        return true
      })
    this.#turn = turn
    return turn
  }

  async #makeRoom(): Promise<boolean> {
    // behind one that waited in vain nobody waits as long again
    const isFutile = this.#now() - this.#lastFull < roomPatienceMs
    const deadline = this.#now() + (isFutile ? 0 : roomPatienceMs)
    while (await this.#isCrowded()) {
      if (await this.#stopLongestIdle()) continue
      if (this.#now() >= deadline) {
        this.#lastFull = this.#now()
        return false
      }
      await (this.#options.pause ?? sleep)(pauseMs)
    }
    if (this.#crowd) this.#crowd.since++
    return true
  }

  async #look(): Promise<void> {
    const { idleSeconds = 60 } = this.#options
    await this.#seeWhatRests()
    const now = this.#now()
    for (const [pool, rest] of [...this.#resting]) {
      if (now - rest.since < idleSeconds * 1000 && !rest.isOutdated) continue
      if (!(await this.#stop(pool))) this.#resting.set(pool, rest) // the next look tries again
    }
    while ((await this.#isCrowded()) && (await this.#stopLongestIdle()));
  }

  async #isCrowded(): Promise<boolean> {
    const now = this.#now()
    if (this.#crowd === undefined || now - this.#crowd.at >= freshMs) {
      this.#crowd = { at: now, seen: await this.#options.services.crowd(), since: 0 }
    }
    return isCrowded(this.#crowd.seen, this.#options.ceiling, this.#crowd.since)
  }

  /** @returns false when nothing could be stopped. */
  async #stopLongestIdle(): Promise<boolean> {
    if (this.#now() - this.#lastLook >= restFreshMs) await this.#seeWhatRests()
    const now = this.#now()
    const due = [...this.#resting].filter(([, { since }]) => now - since >= shortestRestMs)
    due.sort(([, a], [, b]) => a.since - b.since)
    const stopped = await Promise.all(due.slice(0, mostAtOnce).map(([pool]) => this.#stop(pool)))
    this.#crowd = undefined
    this.#tell(stopped.filter(Boolean).length)
    return stopped.includes(true)
  }

  /** Once in a while, however fast they come and go. */
  #tell(count: number): void {
    this.#stopped += count
    if (this.#stopped === 0 || this.#now() - this.#lastTold < tellEveryMs) return
    this.#options.log.warn(
      { stopped: this.#stopped },
      'customers use all they may: PHP that rested longest was stopped',
    )
    this.#lastTold = this.#now()
    this.#stopped = 0
  }

  async #stop(pool: FpmPool): Promise<boolean> {
    const { services, log } = this.#options
    this.#resting.delete(pool)
    try {
      await services.stopFpm(pool)
      return true
    } catch (error) {
      log.error({ tenant: pool, err: error }, 'idle PHP did not stop')
      return false
    }
  }

  async #seeWhatRests(): Promise<void> {
    const awake = await this.#options.services.awakeFpm()
    this.#lastLook = this.#now()
    this.#note(awake, this.#lastLook)
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now()
  }

  #note(awake: readonly AwakeFpm[], now: number): void {
    const before = new Map(this.#resting)
    this.#resting.clear()
    for (const { pool, isServing, work, isOutdated } of awake) {
      const known = before.get(pool)
      const since = known?.work === work ? known.since : now
      if (!isServing) this.#resting.set(pool, { since, work, isOutdated })
    }
  }
}
