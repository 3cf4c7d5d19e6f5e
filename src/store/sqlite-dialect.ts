/** SQLite for the panel: durable, strict about foreign keys, one writer. */
import { setTimeout as pause } from 'node:timers/promises'
import { CompiledQuery, type DatabaseConnection, type Driver, SqliteAdapter, SqliteDialect, SqliteDriver } from 'kysely'
import { type Database, openDatabase, statementsOf } from '../program/native-sqlite.ts'

export function sqliteDialect(path: string): SqliteDialect {
  const database = openDatabase(path)
  for (const pragma of [
    'journal_mode = WAL',
    // FULL also syncs the WAL at each commit: an accepted job survives a power cut.
    'synchronous = FULL',
    'foreign_keys = ON',
    // Deleted rows are overwritten, so that no secret lingers in free pages.
    'secure_delete = ON',
    'trusted_schema = OFF',
    'temp_store = MEMORY',
    'journal_size_limit = 67108864',
    // SQLite would wait inside the call, and nothing else would happen in this process: the driver waits instead.
    'busy_timeout = 0',
  ])
    database.pragma(pragma)
  database.pragma('cell_size_check = ON')
  return new OneConnectionDialect(database)
}

class OneConnectionDialect extends SqliteDialect {
  readonly #database: Database

  constructor(database: Database) {
    super({ database })
    this.#database = database
  }

  override createDriver(): Driver {
    return new PatientDriver(this.#database)
  }

  override createAdapter(): SqliteAdapter {
    return new OwnTurnsAdapter()
  }
}

/** Kysely must not keep turns itself: the driver gives its own up while another process has the store. */
class OwnTurnsAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

/** How long a statement or a transaction waits for a store that another process is writing to. */
const patienceMs = 5000
const pauseMs = 20

/**
 * One connection, one user of it at a time. A transaction takes the write lock at its begin: what it counted stays true
 * until it ends. Whoever has to wait for that lock lets the readers go first.
 */
class PatientDriver extends SqliteDriver {
  readonly #database: Database
  readonly #turns = new Turns()
  readonly #stretch = new Stretch()
  #connection: DatabaseConnection | undefined

  constructor(database: Database) {
    super({ database: { prepare: statementsOf(database), close: () => database.close() } })
    this.#database = database
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    this.#connection ??= this.#patient(await super.acquireConnection())
    await this.#stretch.end()
    await this.#turns.take()
    return this.#connection
  }

  override async releaseConnection(): Promise<void> {
    this.#turns.pass()
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  /** After SQLITE_FULL and SQLITE_IOERR it is rolled back already (sqlite.org/lang_transaction.html): once more would hide why. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.inTransaction) await super.rollbackTransaction(connection)
  }

  #patient(inner: DatabaseConnection): DatabaseConnection {
    return {
      executeQuery: <R>(query: CompiledQuery) => this.#patiently(() => inner.executeQuery<R>(query)),
      streamQuery: <R>(query: CompiledQuery, size: number) => inner.streamQuery<R>(query, size),
    }
  }

  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (!isBusy(error) || this.#database.inTransaction || performance.now() > deadline) throw error
      }
      this.#turns.pass()
      await pause(pauseMs)
      await this.#turns.take()
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')
}

/** So long statements may follow each other before whoever came meanwhile is heard. */
const stretchMs = 8

/**
 * Work that the process does without looking at its sockets and timers. SQLite answers within the call, so that a chain of
 * statements, however long, is one stretch: between two of them it is ended where it has become too long.
 */
class Stretch {
  #since: number | null = null

  end(): Promise<void> | void {
    const now = performance.now()
    if (this.#since !== null && now - this.#since >= stretchMs)
      return new Promise((resolve) => void setImmediate(resolve))
    if (this.#since !== null) return
    this.#since = now
    setImmediate(() => {
      this.#since = null
    })
  }
}

/** Lets one in after the other, in the order they came. */
class Turns {
  readonly #waiting: (() => void)[] = []
  #isTaken = false

  take(): Promise<void> | void {
    if (!this.#isTaken) {
      this.#isTaken = true
      return
    }
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  pass(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#isTaken = false
  }
}
