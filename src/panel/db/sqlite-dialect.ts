/** SQLite for the panel: durable, strict about foreign keys, one writer. */
import { CompiledQuery, type DatabaseConnection, type Driver, SqliteDialect, SqliteDriver } from 'kysely'
import { openDatabase } from '../../lib/native-sqlite.ts'

export function sqliteDialect(path: string): SqliteDialect {
  const database = openDatabase(path)
  for (const pragma of [
    'journal_mode = WAL',
    // FULL also syncs the WAL at each commit: an accepted job survives a power cut.
    'synchronous = FULL',
    'foreign_keys = ON',
    'busy_timeout = 5000',
    // Deleted rows are overwritten, so that no secret lingers in free pages.
    'secure_delete = ON',
    'trusted_schema = OFF',
    'temp_store = MEMORY',
    'journal_size_limit = 67108864',
  ])
    database.pragma(pragma)
  database.pragma('cell_size_check = ON')
  return new ImmediateSqliteDialect({ database })
}

class ImmediateSqliteDialect extends SqliteDialect {
  readonly #config: ConstructorParameters<typeof SqliteDialect>[0]

  constructor(config: ConstructorParameters<typeof SqliteDialect>[0]) {
    super(config)
    this.#config = config
  }

  override createDriver(): Driver {
    return new ImmediateSqliteDriver(this.#config)
  }
}

/** A transaction takes the write lock at its begin: what it counted stays true until it ends. */
class ImmediateSqliteDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
}
