/** The database servers of the machine, whether or not they run. */
import type { DatabaseEngine } from '../../../contract/database.ts'
import type { Layout } from '../layout.ts'
import type { DatabaseServer } from './database-server.ts'
import { mariadb } from './mariadb.ts'
import { postgresql } from './postgresql.ts'

export function databaseServers({
  mariadbSocket,
  postgresqlSocket,
}: Layout): Readonly<Record<DatabaseEngine, DatabaseServer>> {
  return { mariadb: mariadb(mariadbSocket), postgresql: postgresql(postgresqlSocket) }
}
