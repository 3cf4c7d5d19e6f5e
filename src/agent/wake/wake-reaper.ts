/** Stops PHP of tenants that nobody asks for. It keeps no state that matters: what runs is asked of the machine each time. */
import type { TenantName } from '../../contract/values.ts'
import type { Log } from '../log.ts'
import type { AwakeFpm, Services } from '../os/services.ts'

export interface ReaperOptions {
  readonly services: Pick<Services, 'awakeFpm' | 'stopFpm'>
  readonly log: Log
  /** A master that answered nobody for this long is stopped; 60 unless told. */
  readonly idleSeconds?: number
  now?(): number
}

const lookEveryMs = 5000

/** As of the first look that saw the pool at rest. */
interface Rest {
  readonly since: number
  readonly work: string
}

export class IdleReaper {
  readonly #options: ReaperOptions
  readonly #resting = new Map<TenantName, Rest>()
  #timer: NodeJS.Timeout | undefined
  #isLooking = false

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

  async #look(): Promise<void> {
    const { services, log, idleSeconds = 60 } = this.#options
    const now = this.#options.now?.() ?? performance.now()
    const awake = await services.awakeFpm()
    this.#note(awake, now)
    for (const [tenant, { since }] of this.#resting) {
      if (now - since < idleSeconds * 1000) continue
      try {
        await services.stopFpm(tenant)
        this.#resting.delete(tenant)
      } catch (error) {
        log.error({ tenant, err: error }, 'idle PHP did not stop')
      }
    }
  }

  #note(awake: readonly AwakeFpm[], now: number): void {
    const before = new Map(this.#resting)
    this.#resting.clear()
    for (const { tenant, isServing, work } of awake) {
      const known = before.get(tenant)
      if (!isServing) this.#resting.set(tenant, known?.work === work ? known : { since: now, work })
    }
  }
}
