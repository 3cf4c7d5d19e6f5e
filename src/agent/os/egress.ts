/**
 * Where processes of tenants may connect to: one table of nftables that the root side owns, by uid, the same with and
 * without systemd. A table that somebody has removed or changed is put back; a machine that cannot have it says so.
 */
import { existsSync } from 'node:fs'
import type { EgressPolicy } from '../../contract/values.ts'
import type { DriftReport } from '../../contract/wire.ts'
import type { Log } from '../log.ts'
import { exec, execOk } from './exec.ts'
import { type Resolvers, resolvers } from './outside-addresses.ts'

export interface EgressOptions {
  /** The text for `nft -f`, which replaces the table as a whole. */
  render(policies: ReadonlyMap<number, EgressPolicy>, resolvers: Resolvers): string
  readonly log: Log
  /** False below another root: the machine's rules are not a test's. */
  readonly isAllowed: boolean
}

/** For a process beside the agent, which alone owns the rules, and for tests. */
export function foreignEgress(log: Log): Egress {
  return new Egress({ render: () => '', log, isAllowed: false })
}

const nft = '/usr/sbin/nft'
const table = ['inet', 'wcp360'] as const
const lookEveryMs = 10_000
const unfiltered =
  'Addresses of the cloud provider, services of this machine and outgoing mail are open to PHP of customers'

export class Egress {
  readonly #options: EgressOptions
  readonly #policies = new Map<number, EgressPolicy>()
  #inForce: string | undefined
  #missing: string | undefined
  #turn: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined

  constructor(options: EgressOptions) {
    this.#options = options
  }

  get isInForce(): boolean {
    return this.#inForce !== undefined
  }

  /** For the health page; empty when the rules are in force. */
  get missing(): readonly string[] {
    return this.#missing === undefined ? [] : [this.#missing]
  }

  /** Writes all rules, and looks from now on whether they are still there. */
  async begin(): Promise<void> {
    await this.#inTurn(() => this.#put())
    if (!this.#options.isAllowed) return
    this.#timer = setInterval(() => void this.look(), lookEveryMs)
    this.#timer.unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** Of all tenants at once, at a start. */
  async load(policies: Iterable<readonly [uid: number, policy: EgressPolicy]>): Promise<void> {
    for (const [uid, policy] of policies) this.#note(uid, policy)
    if (this.#policies.size > 0) await this.#inTurn(() => this.#put())
  }

  /** From now on, for what runs as well. */
  async set(uid: number, policy: EgressPolicy): Promise<void> {
    if ((this.#policies.get(uid) ?? 'default') === policy) return
    this.#note(uid, policy)
    await this.#inTurn(() => this.#put())
  }

  /** Puts the rules back when somebody has removed or changed them. */
  async look(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#inForce !== undefined && (await readTable()) === this.#inForce) return
      if (this.#inForce !== undefined)
        this.#options.log.warn({}, 'rules about where tenants may connect to were changed by somebody else: put back')
      await this.#put()
    })
  }

  /** What `look` would put back; nothing where no rules are in force, which `missing` tells. */
  async drift(): Promise<DriftReport> {
    await this.#turn // nobody is writing it
    if (this.#inForce === undefined) return []
    const found = await readTable()
    if (found === this.#inForce) return []
    const action = found === undefined ? 'create' : 'change'
    const step = 'rules about where processes of tenants may connect to'
    return [{ resource: `nftables: table ${table.join(' ')}`, changes: [{ step, action, diff: null }] }]
  }

  #note(uid: number, policy: EgressPolicy): void {
    if (policy === 'default') this.#policies.delete(uid)
    else this.#policies.set(uid, policy)
  }

  async #put(): Promise<void> {
    if (!this.#options.isAllowed || !existsSync(nft)) {
      this.#missing = `${unfiltered}: ${existsSync(nft) ? 'this is no server' : 'nftables is not installed'}.`
      return
    }
    const input = this.#options.render(this.#policies, resolvers())
    try {
      await execOk(nft, ['--check', '--file', '-'], { input })
      await execOk(nft, ['--file', '-'], { input })
      this.#inForce = await readTable()
      this.#missing = undefined
    } catch (error) {
      const wasInForce = this.#inForce !== undefined
      this.#inForce = undefined
      if (wasInForce || this.#missing === undefined)
        this.#options.log.warn({ err: error }, 'rules about where tenants may connect to were not taken')
      this.#missing = `${unfiltered}: this machine does not take rules of nftables.`
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch((error) =>
      this.#options.log.error({ err: error }, 'rules about connections were not looked at'),
    )
    return this.#turn
  }
}

/** As the kernel has it, without what connections leave in it for a moment. */
async function readTable(): Promise<string | undefined> {
  const { code, stdout } = await exec(nft, ['--json', 'list', 'table', ...table], { outputLimit: 8 * 1024 * 1024 })
  if (code !== 0) return undefined
  const dynamic = (key: string, value: unknown) => (key === 'handle' ? undefined : withoutElements(value))
  return JSON.stringify(JSON.parse(stdout), dynamic)
}

function withoutElements(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('flags' in value)) return value
  const { elem: _, ...rest } = value as { elem?: unknown } // a set, as libnftables-json(5) has it
  return rest
}
