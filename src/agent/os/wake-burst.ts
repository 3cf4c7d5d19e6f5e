/**
 * PHP that wakes is not held to a small package: until its first answer the tenant has a whole processor, for so much
 * processor time as it has saved up by sleeping. Waking again and again therefore gains nothing (`refillMs` a second).
 */
import type { TenantLimits, TenantName } from '../../contract/values.ts'

/** Hundredths of one processor, as in `TenantLimits`. */
const whole = 100
/** Of processor time: about what PHP and the first page of a large application take on a slow machine. */
export const mostCreditMs = 4000
/** The whole credit in five minutes. */
const refillMs = mostCreditMs / 300
/** A burst for less is not worth two changes of a unit. */
const leastCreditMs = 250
const lookEveryMs = 200
/** A first request that is over by then, or has never come. */
const firstAnswerMs = 3000
const longestMs = 20_000

export interface BurstMachine {
  /** Brings the tenant's slice to `limitsOf`. */
  apply(tenant: TenantName): Promise<void>
  /** Processor time of everything in the slice so far. */
  cpuMs(tenant: TenantName): number
  isServing(tenant: TenantName): boolean
  /** Told before a quota is raised and after it is lowered, for an agent that starts after a crash in between. */
  note(tenant: TenantName, isRaised: boolean): void
  sleep(ms: number): Promise<unknown>
  now(): number
  failed(tenant: TenantName, error: unknown): void
}

interface Credit {
  /** Below nothing by what was used between two looks. */
  readonly ms: number
  readonly at: number
}

export class WakeBursts {
  readonly #machine: BurstMachine
  readonly #credits = new Map<TenantName, Credit>()
  readonly #raised = new Set<TenantName>()

  constructor(machine: BurstMachine) {
    this.#machine = machine
  }

  /** The share of the package's limits that the slice gets now. */
  limitsOf(tenant: TenantName, limits: TenantLimits): TenantLimits {
    return this.#raised.has(tenant) && isSmall(limits) ? { ...limits, cpuPct: whole } : limits
  }

  /** Before the tenant's PHP is started; the burst ends by itself. */
  async begin(tenant: TenantName, limits: TenantLimits): Promise<void> {
    const credit = this.#creditOf(tenant)
    if (!isSmall(limits) || this.#raised.has(tenant) || credit < leastCreditMs) return await this.#machine.apply(tenant)
    const before = this.#machine.cpuMs(tenant)
    this.#machine.note(tenant, true)
    this.#raised.add(tenant)
    await this.#machine.apply(tenant)
    void this.#watch(tenant, before, credit)
  }

  async #watch(tenant: TenantName, before: number, credit: number): Promise<void> {
    const machine = this.#machine
    const began = machine.now()
    const used = () => Math.max(0, machine.cpuMs(tenant) - before)
    const isOver = (elapsed: number) =>
      used() >= credit || elapsed >= longestMs || (elapsed >= firstAnswerMs && !machine.isServing(tenant))
    while (!isOver(machine.now() - began)) await machine.sleep(lookEveryMs)
    this.#credits.set(tenant, { ms: credit - used(), at: machine.now() })
    this.#raised.delete(tenant)
    try {
      await machine.apply(tenant)
      machine.note(tenant, false)
    } catch (error) {
      machine.failed(tenant, error)
    }
  }

  #creditOf(tenant: TenantName): number {
    const known = this.#credits.get(tenant)
    if (known === undefined) return mostCreditMs
    return Math.min(mostCreditMs, known.ms + ((this.#machine.now() - known.at) / 1000) * refillMs)
  }
}

function isSmall({ cpuPct }: TenantLimits): boolean {
  return cpuPct !== null && cpuPct < whole
}
