/** Stops PHP of tenants that nobody asks for. It keeps no state that matters: what runs is asked of the machine each time. */
import type { TenantName } from '../contract/values.ts'
import type { Log } from './engine-api.ts'
import type { Services } from './os/services.ts'

export interface ReaperOptions {
  readonly services: Pick<Services, 'awakeFpm' | 'stopFpm'>
  readonly log: Log
  /** A master without a worker for this long is stopped; 60 unless told. */
  readonly idleSeconds?: number
  now?(): number
}

/** PHP keeps an idle worker for 10 s, so a request is never missed between two looks. */
const lookEveryMs = 5000

export class IdleReaper {
  readonly #options: ReaperOptions
  readonly #idleSince = new Map<TenantName, number>()
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
    const idle = new Set(awake.filter((one) => one.idle).map((one) => one.tenant))
    for (const tenant of this.#idleSince.keys()) if (!idle.has(tenant)) this.#idleSince.delete(tenant)
    for (const tenant of idle) {
      const since = this.#idleSince.get(tenant)
      if (since === undefined) this.#idleSince.set(tenant, now)
      if (now - (since ?? now) < idleSeconds * 1000) continue
      try {
        await services.stopFpm(tenant)
        this.#idleSince.delete(tenant)
      } catch (error) {
        log.error({ tenant, err: error }, 'idle PHP did not stop')
      }
    }
  }
}
