/** Reloads of the web server, paced: whoever wants one while another is due shares it. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Pace {
  /** A reload waits so long for others that want one. */
  readonly gatherMs: number
  /** From the end of one to the next: workers of the one before have time to end. */
  readonly restMs: number
}

const usual: Pace = { gatherMs: 50, restMs: 2000 }

/** A reload rests this many times as long as the one before it took. */
const restTimes = 4

export class Reloads {
  readonly #reload: () => Promise<void>
  readonly #pace: Pace
  #running: Promise<void> = Promise.resolve()
  #due: Promise<void> | undefined
  #restUntil = 0

  constructor(reload: () => Promise<void>, pace: Pace = usual) {
    this.#reload = reload
    this.#pace = pace
  }

  /** Resolves when a reload that began after this call has ended; rejects as it does. */
  ask(): Promise<void> {
    this.#due ??= this.#next(this.#running)
    return this.#due
  }

  async #next(before: Promise<void>): Promise<void> {
    await before.catch(() => {})
    await sleep(Math.max(this.#pace.gatherMs, this.#restUntil - performance.now()))
    this.#running = this.#due ?? Promise.resolve()
    this.#due = undefined
    const began = performance.now()
    try {
      await this.#reload()
    } finally {
      const took = performance.now() - began
      this.#restUntil = performance.now() + Math.max(this.#pace.restMs, restTimes * took)
    }
  }
}
