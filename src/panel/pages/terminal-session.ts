/** Commands and output of each visitor's terminal page: kept on the server, bounded, gone with the process. */
import type { Id } from '../../contract/values.ts'
import type { ApiCall } from './api-call.ts'

export interface TerminalEntry {
  readonly line: string
  readonly call: ApiCall | null
  /** Output of `wcp`. */
  readonly text: string
  readonly json: string | null
  readonly failed: boolean
  readonly job: string | null
}

const entriesKept = 20
const visitorsKept = 200
const longestText = 20_000

export class TerminalHistory {
  readonly #bySession = new Map<Id, TerminalEntry[]>()

  of(session: Id): readonly TerminalEntry[] {
    return this.#bySession.get(session) ?? []
  }

  add(session: Id, entry: TerminalEntry): void {
    const entries = [...this.of(session), { ...entry, text: cut(entry.text), json: entry.json && cut(entry.json) }]
    this.#bySession.delete(session)
    this.#bySession.set(session, entries.slice(-entriesKept))
    const [oldest] = this.#bySession.keys()
    if (this.#bySession.size > visitorsKept && oldest !== undefined) this.#bySession.delete(oldest)
  }

  clear(session: Id): void {
    this.#bySession.delete(session)
  }
}

function cut(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}\n…` : text
}
