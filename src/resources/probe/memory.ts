/** What the prober has found of one site and has not written yet. */
import type { Outcome } from './outcome.ts'
import type { ProbeDay, ProbedDns, ProbedTls, ProbeState, RecentProbe } from './schema.ts'
import type { ProbeNews } from './store.ts'

/** So many failures in a row are trouble; fewer are a restart of something. */
export const failuresToTell = 3

const mostRecent = 60

export class SiteMemory {
  #state: ProbeState = 'unknown'
  #failures = 0
  #firstFailure: string | null = null
  #failingSince: string | null
  #problem: string | null = null
  #days = new Map<string, ProbeDay & { total: number }>()
  #recent: RecentProbe[] = []
  /** Milliseconds; 0: never. */
  httpsAt = 0
  dnsAt = 0
  writtenAt = 0
  #https: ProbedTls | null = null
  #dns: ProbedDns | null = null

  /** @param failingSince as it was written before this process began */
  constructor(failingSince: string | null) {
    this.#failingSince = failingSince
  }

  get isUnwritten(): boolean {
    return this.#recent.length > 0 || this.#dns !== null
  }

  /** @returns whether people should know at once */
  note({ state, ms, problem }: Outcome, at: string): boolean {
    const isOther = this.#state !== state && this.#state !== 'unknown'
    this.#state = state
    this.#recent = [{ at, state, ms, problem }, ...this.#recent].slice(0, mostRecent)
    this.#count(at.slice(0, 10), state, ms)
    if (state === 'down') return this.#failed(at, problem)
    const isOver = this.#failingSince !== null
    this.#failures = 0
    this.#failingSince = this.#firstFailure = this.#problem = null
    return isOver || isOther
  }

  noteTls(tls: ProbedTls): void {
    this.#https = tls
  }

  noteDns(dns: ProbedDns): void {
    this.#dns = dns
  }

  /** What is not written yet, which counts as written from now on. */
  take(at: string): ProbeNews {
    const news = {
      state: this.#state,
      checkedAt: this.#recent[0]?.at ?? at,
      failingSince: this.#failingSince,
      problem: this.#problem,
      https: this.#https,
      dns: this.#dns,
      days: [...this.#days.values()].map(({ total, ...day }) => ({ ...day, ms: meanOf(total, day.up + day.closed) })),
      recent: this.#recent,
    }
    this.#recent = []
    this.#days.clear()
    this.#https = this.#dns = null
    return news
  }

  #failed(at: string, problem: string): boolean {
    this.#failures++
    this.#firstFailure ??= at
    this.#problem = problem
    if (this.#failingSince !== null || this.#failures < failuresToTell) return false
    this.#failingSince = this.#firstFailure
    return true
  }

  #count(name: string, state: Outcome['state'], ms: number | null): void {
    const day = this.#days.get(name) ?? { day: name, up: 0, down: 0, closed: 0, ms: 0, total: 0 }
    day[state]++
    if (state !== 'down') day.total += ms ?? 0
    this.#days.set(name, day)
  }
}

function meanOf(total: number, count: number): number {
  return count === 0 ? 0 : Math.round(total / count)
}
