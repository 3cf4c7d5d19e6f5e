/** The rows of a kind that belongs to a tenant, as jobs see them: where a kind's own rows need no more, this is all. */
import type { Kysely } from 'kysely'
import type { Db } from '../store/database.ts'
import type { OwnedColumns } from '../store/tables/common.ts'
import type { JobRow, WithTenant } from './job-row.ts'

type Row = OwnedColumns & Readonly<Record<string, unknown>>

/** @param wishes columns that a failed job brings back @param name column by which people know one */
export function ownedRow(table: string, name: string, wishes: readonly string[]): JobRow {
  return {
    table,
    withTenant: trashedWithTenant(table),
    async snapshot(tx, id) {
      const row = await owned(tx).selectFrom(table).selectAll().where('id', '=', id).executeTakeFirstOrThrow()
      const before: Row = { ...row }
      const kept = wishes.map((column) => [column, before[column]] as const)
      return { name: String(before[name]), status: row.status, version: row.version, row: Object.fromEntries(kept) }
    },
    async end(tx, { id, status, now, row }) {
      if (status === 'purged') {
        await owned(tx).deleteFrom(table).where('id', '=', id).execute()
        return
      }
      const change = { status, updated_at: now, ...(row !== undefined && Object(row)) }
      await owned(tx).updateTable(table).set(change).where('id', '=', id).execute()
    },
  }
}

/** Rows go into the trash with their tenant and come back with it as they were; what was there before stays there. */
export function trashedWithTenant(table: string): WithTenant {
  return {
    async trash(tx, tenant, now) {
      await owned(tx)
        .updateTable(table)
        .set((eb) => ({ status_before_tenant: eb.ref('status'), status: 'deleted', deleted_at: now, updated_at: now }))
        .where('tenant_id', '=', tenant)
        .where('deleted_at', 'is', null)
        .execute()
    },
    async restore(tx, tenant, now) {
      await owned(tx)
        .updateTable(table)
        .set((eb) => ({
          status: eb.fn.coalesce('status_before_tenant', eb.val('active')),
          status_before_tenant: null,
          deleted_at: null,
          updated_at: now,
        }))
        .where('tenant_id', '=', tenant)
        .where('status_before_tenant', 'is not', null)
        .execute()
    },
  }
}

/** Of a table that only the kind knows by name: every such table has these columns. */
function owned(tx: Db): Kysely<Record<string, OwnedColumns>> {
  return tx as unknown as Kysely<Record<string, OwnedColumns>>
}
