/** An application's row for its jobs: the database that is made with it is there when it is, and else was never. */
import type { Db } from '../../store/database.ts'
import type { JobRow, RowEnd } from '../job-row.ts'
import { ownedRow } from '../owned-row.ts'

const owned = ownedRow('apps', 'title', [])

export const appRow: JobRow = {
  ...owned,
  async end(tx: Db, end: RowEnd, rows) {
    await owned.end(tx, end, rows)
    const own = tx.selectFrom('apps').select('database_id').where('id', '=', end.id)
    if (end.status === 'active') {
      const change = { status: 'active', updated_at: end.now }
      await tx.updateTable('databases').set(change).where('id', 'in', own).where('status', '=', 'pending').execute()
    }
    if (end.status === 'error')
      await tx.deleteFrom('databases').where('id', 'in', own).where('status', '=', 'pending').execute()
  },
}
