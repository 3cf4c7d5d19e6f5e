/** The effects of a job on the row it is about, when it is queued and when it has ended. All in the transaction of the job. */
import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { JobContract } from '../../contract/job.ts'
import { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { decodeJson } from '../../store/json.ts'
import type { JobColumns } from '../../store/tables/common.ts'
import type { JobTable } from '../../store/tables/work.ts'
import { bringBackHolds, type Held, isHeld, isHeldKind, snapshotHolds } from '../hold/row.ts'
import type { JobRow, RowBefore } from '../job-row.ts'
import { type JobType, jobContracts } from '../jobs.ts'

interface Rows {
  readonly now: string
  /** By kind. */
  readonly rows: ReadonlyMap<string, JobRow>
}

/** Raises the row's version and gives it the status of a queued job. @returns the row as it was, and the new version */
export async function queueRow(
  tx: Db,
  { now, rows }: Rows,
  { kind, status, beside }: Pick<JobContract, 'kind' | 'status' | 'beside'>,
  id: Id,
): Promise<Pick<RowBefore, 'name' | 'status' | 'row'> & { readonly token: number }> {
  const row = rowOf(rows, kind)
  const before = await row.snapshot(tx, id)
  if (beside) return { name: before.name, status: before.status, token: 1, row: {} }
  const token = before.version + 1
  // every row that jobs are about has these columns
  const tables = tx as unknown as Kysely<Record<string, JobColumns>>
  const change = { status: status.queued, version: token, updated_at: now }
  await tables.updateTable(row.table).set(change).where('id', '=', id).execute()
  const held = heldBy(kind, id)
  const holds = held && { holds: await snapshotHolds(tx, held) }
  return { name: before.name, status: before.status, token, row: { ...before.row, ...holds } }
}

/** The end of the job for its row: the status of the contract, and all that hangs on it. */
export async function endRow(
  tx: Db,
  { now, rows }: Rows,
  job: Selectable<JobTable>,
  outcome: 'succeeded' | 'failed',
): Promise<void> {
  const { status, kind, beside }: JobContract = jobContracts[JobTypeName.parse(job.type)]
  if (beside) return
  const wanted = status[outcome]
  const id = Id.parse(job.resource_id)
  const held = heldBy(kind, id)
  const before = decodeJson(job.row_before)
  const isUndone = outcome === 'failed' && wanted === 'previous'
  if (held && isUndone) await bringBackHolds(tx, held, before)
  const end = {
    id,
    status: wanted === 'active' && held && (await isHeld(tx, held)) ? 'suspended' : statusAfter(wanted, job),
    now,
    // A failure that leads back to the row as it was brings back its wishes too, not its status alone.
    row: isUndone ? before : undefined,
  }
  await rowOf(rows, kind).end(tx, end, rows)
}

function heldBy(kind: string, id: Id): Held | null {
  return isHeldKind(kind) ? { kind, id } : null
}

function rowOf(rows: ReadonlyMap<string, JobRow>, kind: string): JobRow {
  const row = rows.get(kind)
  if (row === undefined) throw new Error(`a job is about a "${kind}", which has no rows for jobs`)
  return row
}

function statusAfter(wanted: string, job: Selectable<JobTable>): string {
  if (wanted === 'previous') return job.previous_status
  return isNothingToRestore(wanted, job) ? 'purged' : wanted
}

/** A row that could never be made has no data: it frees its name at once, instead of going to the trash. */
function isNothingToRestore(wanted: string, job: Selectable<JobTable>): boolean {
  return wanted === 'deleted' && job.previous_status === 'error'
}

const JobTypeName = z.enum(Object.keys(jobContracts) as [JobType, ...JobType[]])
