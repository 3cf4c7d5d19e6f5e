/** Counts what may happen so often in a while, by a clock that only goes forward (F14). */
export class Budget {
  readonly #limit: number
  readonly #windowMs: number
  readonly #clock: () => number
  #moments: number[] = []

  constructor(limit: number, windowMs: number, clock: () => number = () => performance.now()) {
    this.#limit = limit
    this.#windowMs = windowMs
    this.#clock = clock
  }

  /** Milliseconds until there is room again; 0 when it was spent just now. */
  spend(): number {
    const now = this.#clock()
    this.#moments = this.#moments.filter((moment) => moment > now - this.#windowMs)
    if (this.#moments.length >= this.#limit) return Math.max(1, (this.#moments[0] ?? now) + this.#windowMs - now)
    this.#moments.push(now)
    return 0
  }
}
