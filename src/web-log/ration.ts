/** How many bytes each tenant may write: a store that is used up by a flood and fills again slowly. What does not fit is counted. */

export interface RationOptions {
  /** Bytes at once. */
  readonly store: number
  /** Bytes that come back in a second. */
  readonly perSecond: number
  /** Milliseconds of a clock that only goes forward. */
  now(): number
}

interface Account {
  left: number
  at: number
  dropped: number
}

export interface Dropped {
  readonly tenant: string
  readonly lines: number
}

export class Ration {
  readonly #options: RationOptions
  readonly #accounts = new Map<string, Account>()

  constructor(options: RationOptions) {
    this.#options = options
  }

  /** False when the tenant's ration is used up: the line is counted instead of written. */
  take(tenant: string, bytes: number): boolean {
    const account = this.#account(tenant)
    if (account.left < bytes) {
      account.dropped++
      return false
    }
    account.left -= bytes
    return true
  }

  /** Lines dropped since the last call, by tenant; who is whole again is forgotten. */
  settle(): readonly Dropped[] {
    const dropped: Dropped[] = []
    for (const tenant of [...this.#accounts.keys()]) {
      const account = this.#account(tenant)
      if (account.dropped > 0) dropped.push({ tenant, lines: account.dropped })
      account.dropped = 0
      if (account.left === this.#options.store) this.#accounts.delete(tenant)
    }
    return dropped
  }

  #account(tenant: string): Account {
    const { store, perSecond, now } = this.#options
    const at = now()
    const account = this.#accounts.get(tenant) ?? { left: store, at, dropped: 0 }
    account.left = Math.min(store, account.left + ((at - account.at) / 1000) * perSecond)
    account.at = at
    this.#accounts.set(tenant, account)
    return account
  }
}
