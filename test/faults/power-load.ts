/** Customers come and go: several hands that create, suspend, bring back, delete and restore, all at once. */
import type { Client } from './power-client.ts'
import type { Dice } from './power-dice.ts'
import type { Deed, Hosting, Verb } from './power-hosting.ts'

export const tenants = Array.from({ length: 12 }, (_, index) => `load${String(index).padStart(2, '0')}`)
const domainsEach = 3

export const domainName = (tenant: string, index: number) => `${'abc'[index]}-${tenant}.example.org`

export class Load {
  readonly #client: Client
  readonly #dice: Dice
  /** What the client believes; the truth may be ahead of it. */
  readonly #believed: Hosting
  readonly #hands: Promise<void>[]
  readonly #inHand = new Set<string>()
  #isOver = false

  constructor(client: Client, dice: Dice, believed: Hosting, hands: number) {
    this.#client = client
    this.#dice = dice
    this.#believed = believed
    this.#hands = Array.from({ length: hands }, () => this.#work())
  }

  /** Names that a hand is at now. */
  inFlight(): number {
    return this.#inHand.size
  }

  /** No new requests; resolves when the last answer or error is in. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#hands)
  }

  async #work(): Promise<void> {
    while (!this.#isOver) {
      const next = this.#choose()
      if (next === undefined) await new Promise((resolve) => setTimeout(resolve, 50))
      else await this.#do(next)
    }
  }

  async #do({ deed, tenant, withDomain }: Choice): Promise<void> {
    this.#inHand.add(deed.name)
    const outcome = await this.#client.submit(deed, tenant, withDomain)
    if (outcome.kind === 'acknowledged') {
      const ends = await Promise.all(outcome.jobs.map((job) => this.#client.end(job)))
      if (ends[0] !== undefined) this.#believed.apply(deed, tenant, ends[0] === 'succeeded')
      if (ends[1] !== undefined && withDomain !== undefined)
        this.#believed.apply({ kind: 'domain', verb: 'create', name: withDomain }, tenant, ends[1] === 'succeeded')
    }
    this.#inHand.delete(deed.name)
    if (outcome.kind === 'unknown') await new Promise((resolve) => setTimeout(resolve, 1_000)) // it is away, or boots
  }

  /** Mostly what can be done; now and then anything at all, also to what another hand is at. */
  #choose(): Choice | undefined {
    const isWild = this.#dice.chance(0.08)
    const tenant = this.#dice.oneOf(tenants.filter((name) => isWild || !this.#inHand.has(name)))
    if (tenant === undefined) return undefined
    const status = this.#believed.tenants.get(tenant)
    const mayHaveDomains = status === 'active' || status === 'suspended'
    if (mayHaveDomains && this.#dice.chance(0.65)) return this.#domainDeed(tenant, isWild)
    const verb = this.#verb(status, isWild)
    const withDomain = verb === 'create' && status === undefined ? { withDomain: domainName(tenant, 0) } : {}
    return { deed: { kind: 'tenant', verb, name: tenant }, tenant, ...withDomain }
  }

  #domainDeed(tenant: string, isWild: boolean): Choice | undefined {
    const name = domainName(tenant, this.#dice.between(0, domainsEach - 1))
    if (this.#inHand.has(name) && !isWild) return undefined
    const verb = this.#verb(this.#believed.domains.get(name)?.status, isWild)
    return { deed: { kind: 'domain', verb, name }, tenant }
  }

  #verb(status: string | undefined, isWild: boolean): Verb {
    if (isWild) return this.#dice.oneOf(verbs) ?? 'create'
    if (status === undefined || status === 'error') return 'create'
    if (status === 'deleted') return 'restore'
    // The root side allows so many deletions in an hour, and then no more.
    if (this.#dice.chance(0.2)) return 'delete'
    return status === 'suspended' ? 'unsuspend' : 'suspend'
  }
}

const verbs: readonly Verb[] = ['create', 'suspend', 'unsuspend', 'delete', 'restore']

interface Choice {
  readonly deed: Deed
  readonly tenant: string
  readonly withDomain?: string
}
