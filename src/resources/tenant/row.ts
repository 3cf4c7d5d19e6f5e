/** The end of a tenant's job for the tenant and for all domains of it. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'

/** What a failed job brings back. */
const Wishes = z.object({ packageId: Id, resellerId: Id.nullable().exactOptional() })

export async function snapshotTenant(tx: Db, id: Id) {
  const row = await tx.selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  return {
    name: row.name,
    status: row.status,
    version: row.version,
    row: { packageId: row.package_id, resellerId: row.reseller_id },
  }
}

export interface RowEnd {
  readonly id: Id
  readonly status: string
  readonly now: string
  /** The row's wishes to bring back; undefined leaves them. */
  readonly row: unknown
}

export async function endTenant(tx: Db, { id, status, now, row }: RowEnd): Promise<void> {
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
  if (inTrash && deletedAt === null) await trashDomains(tx, id, now)
  else if (inTrash && was === 'restoring') await releaseNames(tx, id, now)
  else if (!inTrash && deletedAt !== null) await restoreDomains(tx, id, now)
}

/** A package belongs to who the tenant belongs to: they go back together. */
function wishes(row: unknown) {
  const { packageId, resellerId } = Wishes.parse(row)
  return { package_id: packageId, ...(resellerId !== undefined && { reseller_id: resellerId }) }
}

async function trashDomains(tx: Db, tenantId: Id, now: string): Promise<void> {
  await tx
    .updateTable('domains')
    .set((eb) => ({ status_before_tenant: eb.ref('status'), status: 'deleted', deleted_at: now, updated_at: now }))
    .where('tenant_id', '=', tenantId)
    .where('deleted_at', 'is', null)
    .execute()
  await releaseNames(tx, tenantId, now)
}

async function releaseNames(tx: Db, tenantId: Id, now: string): Promise<void> {
  await tx
    .updateTable('domain_names')
    .set({ deleted_at: now, updated_at: now })
    .where('tenant_id', '=', tenantId)
    .where('deleted_at', 'is', null)
    .execute()
}

/** Their names were taken again when the restore was queued. */
async function restoreDomains(tx: Db, tenantId: Id, now: string): Promise<void> {
  await tx
    .updateTable('domains')
    .set((eb) => ({
      status: eb.fn.coalesce('status_before_tenant', eb.val('active')),
      status_before_tenant: null,
      deleted_at: null,
      updated_at: now,
    }))
    .where('tenant_id', '=', tenantId)
    .where('status_before_tenant', 'is not', null)
    .execute()
}
