/** The machine that steps act on: places, files, processes. Tests put another root, or a fake `Services`, in its place. */
import type { DatabaseEngine } from '../../contract/database.ts'
import type { SystemAccounts } from './accounts.ts'
import type { DatabaseServer } from './databases/database-server.ts'
import type { Files } from './files.ts'
import type { Layout } from './layout.ts'
import type { Services } from './services.ts'

export interface Machine {
  readonly places: Layout
  readonly files: Files
  readonly services: Services
  readonly databases: Readonly<Record<DatabaseEngine, DatabaseServer>>
  /** Numeric ids of the accounts that own what is not a tenant's. `webGid`: of document roots; `workersGid`: of keys. */
  readonly accounts: {
    readonly panelUid: number
    readonly panelGid: number
    readonly webGid: number
    readonly workersGid: number
  }
  /** The present moment; a test's own in tests. */
  now(): Date
}

export function machineAccounts({ panel, webGid, workers }: SystemAccounts): Machine['accounts'] {
  return { panelUid: panel.uid, panelGid: panel.gid, webGid, workersGid: workers.gid }
}
