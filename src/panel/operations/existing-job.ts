/**
 * Whether a job that an earlier call queued is still the answer to the same call: while it is open, and after it has
 * succeeded as long as nothing has changed what it made.
 */
import type { Kysely, Selectable } from 'kysely'
import { activeJobStates } from '../../contract/job.ts'
import { kinds } from '../../resources/index.ts'
import type { Db } from '../../store/database.ts'
import type { JobColumns } from '../../store/tables/common.ts'
import type { JobTable } from '../../store/tables/work.ts'

const open: readonly string[] = activeJobStates

/** `gone`: it is in the trash as the job left it; the same name may be another thing's by now. */
export type Standing = 'stands' | 'gone' | 'over'

export async function standingOf(tx: Db, jobs: readonly string[]): Promise<Standing> {
  if (jobs.length === 0) return 'over'
  const found = await tx.selectFrom('jobs').selectAll().where('id', 'in', jobs).execute()
  if (found.length < jobs.length) return 'over'
  const all = new Set(await Promise.all(found.map((job) => standingOfOne(tx, job))))
  return all.has('over') ? 'over' : all.has('gone') ? 'gone' : 'stands'
}

async function standingOfOne(tx: Db, job: Selectable<JobTable>): Promise<Standing> {
  if (open.includes(job.state)) return 'stands'
  const table = kinds.find(({ name }) => name === job.resource_kind)?.row?.table
  if (job.state !== 'succeeded' || table === undefined) return 'over'
  // every row that jobs are about has these columns
  const tables = tx as unknown as Kysely<Record<string, JobColumns>>
  const row = await tables
    .selectFrom(table)
    .select(['version', 'updated_at', 'deleted_at'])
    .where('id', '=', job.resource_id)
    .executeTakeFirst()
  // The end of the job was the last that happened to it.
  if (row === undefined || row.version !== job.token || row.updated_at !== job.finished_at) return 'over'
  return row.deleted_at === null ? 'stands' : 'gone'
}
