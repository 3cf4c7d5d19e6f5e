/** The order of work: so many jobs at a time for a tenant, first come first served; several tenants at once, up to a limit. */
export class Lanes {
  readonly #limit: number
  readonly #ofLane: number
  readonly #waiting = new Map<string, (() => Promise<void>)[]>()
  /** How many run of each lane that is not empty. */
  readonly #busy = new Map<string, number>()
  #running = 0
  #isClosed = false
  #whenIdle: (() => void)[] = []

  /** @param limit of all lanes together @param ofLane of each; in one of several, work ends in any order */
  constructor(limit: number, ofLane = 1) {
    this.#limit = limit
    this.#ofLane = ofLane
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
    if (this.#running === 0 && this.#waiting.size === 0) return Promise.resolve()
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
      while (queue.length > 0 && (this.#busy.get(lane) ?? 0) < this.#ofLane) {
        if (this.#running >= this.#limit) return
        const work = queue.shift()
        if (queue.length === 0) this.#waiting.delete(lane)
        if (work !== undefined) this.#work(lane, work)
      }
    }
  }

  async #work(lane: string, work: () => Promise<void>): Promise<void> {
    this.#count(lane, 1)
    try {
      await work()
    } finally {
      this.#count(lane, -1)
      this.#begin()
      if (this.#running === 0 && this.#waiting.size === 0) for (const tell of this.#whenIdle.splice(0)) tell()
    }
  }

  #count(lane: string, by: 1 | -1): void {
    this.#running += by
    const now = (this.#busy.get(lane) ?? 0) + by
    if (now === 0) this.#busy.delete(lane)
    else this.#busy.set(lane, now)
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
