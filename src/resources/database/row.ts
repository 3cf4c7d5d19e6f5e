/** A database's row for its jobs: in the trash since its deletion has succeeded, and its name taken while it is not. */
import type { Db } from '../../store/database.ts'
import type { JobRow, RowEnd } from '../job-row.ts'
import { ownedRow } from '../owned-row.ts'

const owned = ownedRow('databases', 'name', ['deleted_at'])

export const databaseRow: JobRow = {
  ...owned,
  async end(tx: Db, end: RowEnd, rows) {
    await owned.end(tx, end, rows)
    if (end.status !== 'deleted' || end.row !== undefined) return
    await tx.updateTable('databases').set({ deleted_at: end.now }).where('id', '=', end.id).execute()
  },
}
