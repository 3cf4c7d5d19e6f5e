/** The wakes that are under way: one question for all requests of a host, and what each of them is told. */
import type { WakeAnswer, WakeRefusal } from '../contract/wake.ts'

export interface Reply {
  readonly status: 200 | 404 | 503
  readonly headers: Readonly<Record<string, string>>
}

/** nginx sends the request it holds to the named location that leads to PHP. */
const replay: Reply = { status: 200, headers: { 'X-Accel-Redirect': '@php' } }

const statusOf: Record<WakeRefusal, 404 | 503> = { unknown: 404, static: 404, suspended: 503, failed: 503, busy: 503 }

function refusal(reason: WakeRefusal, retryAfter: number): Reply {
  const status = statusOf[reason]
  return { status, headers: status === 503 ? { 'Retry-After': String(retryAfter) } : {} }
}

export interface WakesOptions {
  /** Sends the question; into the void while no agent is connected. */
  ask(host: string): void
  /** For the agent to come back and answer. */
  readonly patienceMs: number
  /** Hosts asked for at once; more are told to come again. */
  readonly maxHosts: number
  /** One name for all hosts of a tenant. */
  tenantOf(host: string): string
  /** Hosts of one tenant at once, and requests that wait for it: what it may take of the table. */
  readonly ofTenant: { readonly maxHosts: number; readonly maxRequests: number }
}

interface Waiting {
  readonly tellAll: ((reply: Reply) => void)[]
  readonly timer: NodeJS.Timeout
  readonly tenant: string
}

interface Share {
  hosts: number
  requests: number
}

export class Wakes {
  readonly #options: WakesOptions
  readonly #waiting = new Map<string, Waiting>()
  readonly #shares = new Map<string, Share>()

  constructor(options: WakesOptions) {
    this.#options = options
  }

  request(host: string): Promise<Reply> {
    const { ofTenant, maxHosts, patienceMs, ask, tenantOf } = this.#options
    const known = this.#waiting.get(host)
    const tenant = known?.tenant ?? tenantOf(host)
    const share = this.#shares.get(tenant) ?? { hosts: 0, requests: 0 }
    const isFull = !known && (this.#waiting.size >= maxHosts || share.hosts >= ofTenant.maxHosts)
    if (isFull || share.requests >= ofTenant.maxRequests) return Promise.resolve(refusal('busy', 2))
    share.requests++
    return new Promise((resolve) => {
      if (known) return void known.tellAll.push(resolve)
      share.hosts++
      this.#shares.set(tenant, share)
      const timer = setTimeout(() => this.#tell(host, refusal('busy', 5)), patienceMs)
      this.#waiting.set(host, { tellAll: [resolve], timer, tenant })
      ask(host)
    })
  }

  answer(answer: WakeAnswer): void {
    if ('ok' in answer) this.#tell(answer.ok, replay)
    else this.#tell(answer.refused, refusal(answer.reason, answer.retryAfter))
  }

  /** The agent is there (again): it has forgotten what another one was asked. */
  askAgain(): void {
    for (const host of this.#waiting.keys()) this.#options.ask(host)
  }

  #tell(host: string, reply: Reply): void {
    const waiting = this.#waiting.get(host)
    if (!waiting) return // an answer after its time
    this.#waiting.delete(host)
    clearTimeout(waiting.timer)
    const share = this.#shares.get(waiting.tenant)
    if (share) {
      share.requests -= waiting.tellAll.length
      if (--share.hosts === 0) this.#shares.delete(waiting.tenant)
    }
    for (const tell of waiting.tellAll) tell(reply)
  }
}
