/** How much the databases of tenants occupy, by what their servers say of it: no file of a server's is looked at. */
import type { DatabaseSizes } from '../../contract/usage.ts'
import type { Machine } from '../os/machine.ts'
import type { MeasuredTenant } from './measured-tenant.ts'

/** Of one answer; tenants that come after them are asked for again. */
const mostSizes = 1500
const longestMs = 60_000

/** Tenant by tenant: a server that does not answer is asked once, and its databases are of a size that nobody knows. */
export async function databaseSizes(
  { databases: servers }: Pick<Machine, 'databases'>,
  tenants: readonly MeasuredTenant[],
  signal: AbortSignal,
): Promise<DatabaseSizes> {
  const until = performance.now() + longestMs
  const silent = new Set<string>()
  const measured: DatabaseSizes = []
  let count = 0
  for (const { id: tenant, databases } of tenants) {
    const isOver = signal.aborted || performance.now() > until || count + databases.length > mostSizes
    if (isOver && measured.length > 0) break
    const sizes = []
    for (const { id: database, engine, name } of databases) {
      const bytes = silent.has(engine) ? null : await servers[engine].size(name).catch(() => undefined)
      if (bytes === undefined) silent.add(engine)
      sizes.push({ database, bytes: bytes ?? null })
    }
    count += sizes.length
    measured.push({ tenant, databases: sizes })
  }
  return measured
}
