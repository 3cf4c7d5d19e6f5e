/** Reports of how jobs ended: at once, again at each connection, and until the panel confirms them. */
import type { AgentMessage } from '../../contract/wire.ts'
import type { Journal, JournaledJob } from './journal.ts'

/** Ends that are told again before the first of them has to be confirmed. */
const endsAtOnce = 200

export class Ends {
  readonly #journal: () => Journal
  readonly #emit: (message: AgentMessage) => void
  /** Told again at this connection and not confirmed yet. */
  readonly #awaited = new Set<JournaledJob['id']>()

  constructor(journal: () => Journal, emit: (message: AgentMessage) => void) {
    this.#journal = journal
    this.#emit = emit
  }

  tell(job: JournaledJob): void {
    const hasEnded = job.state === 'succeeded' || job.state === 'failed' || job.state === 'stuck'
    if (!hasEnded) return
    this.#emit({ t: 'finished', job: job.id, token: job.token, failure: job.failure })
  }

  /** A new connection stands: what was told on the last one may be lost. */
  forgetAwaited(): void {
    this.#awaited.clear()
  }

  /** The next ones follow when these are confirmed: however many there are, the line and the memory stay bounded. */
  tellUntold(): void {
    for (const job of this.#journal().untold(endsAtOnce)) {
      this.#awaited.add(job.id)
      this.tell(job)
    }
  }

  acknowledged(job: JournaledJob['id']): void {
    if (this.#awaited.delete(job) && this.#awaited.size === 0) this.tellUntold()
  }
}
