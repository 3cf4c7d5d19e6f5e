/**
 * A store that was put back from a backup: the root side has written down an entry of its audit trail that it does not
 * have. What it had forgotten must not count again, and what the root side has accepted since must not be in the way.
 */
import type { Kysely } from 'kysely'
import { jobTables } from '../../resources/index.ts'
import type { Db } from '../../store/database.ts'
import type { JobColumns } from '../../store/tables/common.ts'
import { isOurs } from '../audit/mirror.ts'
import type { Hello } from '../jobs/agent-link.ts'

/** To be awaited before any job is sent. @returns whether the store was one */
export async function settlePutBackStore(db: Db, { trail, fence }: Pick<Hello, 'trail' | 'fence'>): Promise<boolean> {
  if (trail === null || (await isOurs(db, trail))) return false
  await db.transaction().execute((tx) => forgetSince(tx, fence))
  return true
}

/**
 * Sessions, half sign-ins, one-time links and API keys end: some had ended before, and nobody knows which. Versions are
 * raised to the highest token of the root side, which takes none twice, so that the next job of any row is news there.
 * Nothing else is changed.
 */
export async function forgetSince(tx: Db, fence: number): Promise<void> {
  for (const table of ['sessions', 'login_challenges', 'one_time_links', 'api_keys'] as const)
    await tx.deleteFrom(table).execute()
  // every row that jobs are about has a version
  const tables = tx as unknown as Kysely<Record<string, JobColumns>>
  for (const table of jobTables)
    await tables.updateTable(table).set({ version: fence }).where('version', '<', fence).execute()
}
