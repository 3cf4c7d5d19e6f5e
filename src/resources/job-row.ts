/** The rows that jobs are about: what a job does to them when it is queued and when it has ended, in its transaction. */
import type { Id } from '../contract/values.ts'
import type { Db } from '../store/database.ts'

export interface RowBefore {
  readonly name: string
  readonly status: string
  readonly version: number
  /** The row's wishes, which a failed job brings back. */
  readonly row: Record<string, unknown>
}

export interface RowEnd {
  readonly id: Id
  readonly status: string
  readonly now: string
  /** The row's wishes to bring back; undefined leaves them. */
  readonly row: unknown
}

export interface JobRow {
  /** Has the columns of `JobColumns`. */
  readonly table: string
  /** The row as it is. */
  snapshot(tx: Db, id: Id): Promise<RowBefore>
  /** The job has ended: the status of its contract, and all that hangs on it. */
  end(tx: Db, end: RowEnd, rows: ReadonlyMap<string, JobRow>): Promise<void>
  /** The fate of a tenant's rows with it; not of the tenant itself. */
  readonly withTenant?: WithTenant
}

export interface WithTenant {
  trash(tx: Db, tenant: Id, now: string): Promise<void>
  restore(tx: Db, tenant: Id, now: string): Promise<void>
  /** A restore has failed: what was taken for it is free again. */
  release?(tx: Db, tenant: Id, now: string): Promise<void>
}
