/** A tenant's row for its jobs; with it goes and comes what belongs to it. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import type { JobRow, RowBefore, RowEnd } from '../job-row.ts'

/** The wishes that a failed job brings back. */
const Wishes = z.object({ packageId: Id, resellerId: Id.nullable().exactOptional() })

export const tenantRow: JobRow = { table: 'tenants', snapshot, end }

async function snapshot(tx: Db, id: Id): Promise<RowBefore> {
  const row = await tx.selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  return {
    name: row.name,
    status: row.status,
    version: row.version,
    row: { packageId: row.package_id, resellerId: row.reseller_id },
  }
}

async function end(tx: Db, { id, status, now, row }: RowEnd, rows: ReadonlyMap<string, JobRow>): Promise<void> {
  if (status === 'purged') {
    await tx.deleteFrom('tenants').where('id', '=', id).execute()
    return
  }
  const { status: was, deleted_at: deletedAt } = await tx
    .selectFrom('tenants')
    .select(['status', 'deleted_at'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const inTrash = status === 'deleted'
  await tx
    .updateTable('tenants')
    .set({
      status,
      updated_at: now,
      // A restore or a purge that failed leaves the day of the deletion as it was.
      deleted_at: inTrash ? (deletedAt ?? now) : null,
      ...(row !== undefined && wishes(row)),
    })
    .where('id', '=', id)
    .execute()
  for (const { withTenant } of rows.values()) {
    if (inTrash && deletedAt === null) await withTenant?.trash(tx, id, now)
    else if (inTrash && was === 'restoring') await withTenant?.release?.(tx, id, now)
    else if (!inTrash && deletedAt !== null) await withTenant?.restore(tx, id, now)
  }
}

/** A package belongs to who the tenant belongs to: they go back together. */
function wishes(row: unknown) {
  const { packageId, resellerId } = Wishes.parse(row)
  return { package_id: packageId, ...(resellerId !== undefined && { reseller_id: resellerId }) }
}
