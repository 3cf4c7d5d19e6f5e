/** The order of work: one job at a time for a tenant, first come first served; several tenants at once, up to a limit. */
export class Lanes {
  readonly #limit: number
  readonly #waiting = new Map<string, (() => Promise<void>)[]>()
  readonly #busy = new Set<string>()
  #isClosed = false
  #whenIdle: (() => void)[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Begins at once when it may. Work must not throw. */
  add(lane: string, work: () => Promise<void>): void {
    if (this.#isClosed) return
    const queue = this.#waiting.get(lane) ?? []
    queue.push(work)
    this.#waiting.set(lane, queue)
    this.#begin()
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    if (this.#busy.size === 0 && this.#waiting.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  /** Running jobs go on; waiting ones are given up and begin after the next start. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#waiting.clear()
    return this.idle()
  }

  #begin(): void {
    for (const [lane, queue] of this.#waiting) {
      if (this.#busy.size >= this.#limit) return
      if (this.#busy.has(lane)) continue
      const work = queue.shift()
      if (queue.length === 0) this.#waiting.delete(lane)
      if (work !== undefined) this.#work(lane, work)
    }
  }

  async #work(lane: string, work: () => Promise<void>): Promise<void> {
    this.#busy.add(lane)
    try {
      await work()
    } finally {
      this.#busy.delete(lane)
      this.#begin()
      if (this.#busy.size === 0 && this.#waiting.size === 0) for (const tell of this.#whenIdle.splice(0)) tell()
    }
  }
}

/** Lets one caller in after the other. */
export class Turn {
  #last: Promise<unknown> = Promise.resolve()

  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work)
    this.#last = mine.catch(() => {})
    return mine
  }
}
