/** What a job does to the row it is about: when it is queued, and when it has ended. All in the transaction of the job. */
import type { Selectable } from 'kysely'
import { z } from 'zod'
import type { JobContract } from '../../contract/job.ts'
import { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { decodeJson } from '../../store/json.ts'
import type { JobTable } from '../../store/tables/work.ts'
import { endDomain, snapshotDomain } from '../domain/row.ts'
import { type JobType, jobContracts } from '../jobs.ts'
import { endTenant, snapshotTenant } from '../tenant/row.ts'

/** Raises the row's version and gives it the status of a queued job. @returns the row as it was, and the new version */
export async function queueRow(
  tx: Db,
  now: string,
  { kind, status }: Pick<JobContract, 'kind' | 'status'>,
  id: Id,
): Promise<{ name: string; status: string; token: number; row: Record<string, unknown> }> {
  const before = kind === 'tenant' ? await snapshotTenant(tx, id) : await snapshotDomain(tx, id)
  const token = before.version + 1
  await tx
    .updateTable(kind === 'tenant' ? 'tenants' : 'domains')
    .set({ status: status.queued, version: token, updated_at: now })
    .where('id', '=', id)
    .execute()
  return { name: before.name, status: before.status, token, row: before.row }
}

/** The end of the job for its row: the status of the contract, and all that hangs on it. */
export async function endRow(
  tx: Db,
  now: string,
  job: Selectable<JobTable>,
  outcome: 'succeeded' | 'failed',
): Promise<void> {
  const { status, kind } = jobContracts[JobTypeName.parse(job.type)]
  const wanted = status[outcome]
  const to = wanted === 'previous' ? job.previous_status : isNothingToRestore(wanted, job) ? 'purged' : wanted
  const end = {
    id: Id.parse(job.resource_id),
    status: to,
    now,
    // A failure that leads back to the row as it was brings back its wishes too, not its status alone.
    row: outcome === 'failed' && wanted === 'previous' ? decodeJson(job.row_before) : undefined,
  }
  await (kind === 'tenant' ? endTenant(tx, end) : endDomain(tx, end))
}

/** What could never be made has no data: it leaves its name at once, and not to the trash. */
function isNothingToRestore(wanted: string, job: Selectable<JobTable>): boolean {
  return wanted === 'deleted' && job.previous_status === 'error'
}

const JobTypeName = z.enum(Object.keys(jobContracts) as [JobType, ...JobType[]])
