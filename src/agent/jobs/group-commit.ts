/**
 * Writes of several jobs as one transaction, so that they wait for the disk once and not one after the other. Each is
 * told of its end when it is on the disk, as if it had been alone.
 */
import type { Database } from '../../program/native-sqlite.ts'

interface Waiting {
  readonly write: () => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class GroupCommit {
  readonly #database: Database
  #waiting: Waiting[] = []

  constructor(database: Database) {
    this.#database = database
  }

  /** Resolves when what `write` wrote is on the disk. One that throws is taken back and told so; the others stay. */
  add(write: () => void): Promise<void> {
    if (this.#waiting.length === 0) setImmediate(() => this.flush())
    return new Promise((resolve, reject) => this.#waiting.push({ write, resolve, reject }))
  }

  /** Writes the pending batch. */
  flush(): void {
    const group = this.#waiting
    this.#waiting = []
    if (group.length === 0) return
    try {
      const ends = this.#database.transaction(() => group.map((one) => this.#savepoint(one)))()
      for (const tell of ends) tell()
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }

  /** @returns what to tell once the whole is on the disk */
  #savepoint({ write, resolve, reject }: Waiting): () => void {
    try {
      this.#database.transaction(write)() // within another one: a savepoint
      return resolve
    } catch (error) {
      if (!this.#database.inTransaction) throw error // SQLite gave up the whole: disk full, I/O error
      return () => reject(error)
    }
  }
}
