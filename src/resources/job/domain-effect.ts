/** The end of a domain's job for the domain and its names. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { Fqdn, type Id, PhpVersion } from '../../contract/values.ts'
import { reversedName } from '../../lib/domain-name.ts'
import type { Db } from '../../panel/db/database.ts'
import type { RowEnd } from './tenant-effect.ts'

/** What a failed job brings back. */
const Wishes = z.object({ php: PhpVersion.nullable(), aliases: z.array(Fqdn) })

export async function snapshotDomain(tx: Db, id: Id) {
  const row = await tx.selectFrom('domains').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const aliases = await tx
    .selectFrom('domain_names')
    .select('name')
    .where('domain_id', '=', id)
    .where('is_alias', '=', 1)
    .execute()
  return {
    name: row.fqdn,
    status: row.status,
    version: row.version,
    row: { php: row.php, aliases: aliases.map((alias) => alias.name) },
  }
}

export async function endDomain(tx: Db, { id, status, now, row }: RowEnd): Promise<void> {
  if (status === 'purged') {
    await tx.deleteFrom('domains').where('id', '=', id).execute()
    return
  }
  const before = await tx
    .selectFrom('domains')
    .select(['tenant_id', 'deleted_at'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  const inTrash = status === 'deleted'
  const wishes = row === undefined ? undefined : Wishes.parse(row)
  await tx
    .updateTable('domains')
    .set({
      status,
      updated_at: now,
      deleted_at: inTrash ? (before.deleted_at ?? now) : null,
      ...(wishes && { php: wishes.php }),
    })
    .where('id', '=', id)
    .execute()
  if (inTrash) await releaseNames(tx, id, now)
  else if (wishes) await bringBackAliases(tx, { id, tenantId: before.tenant_id, aliases: wishes.aliases, now })
}

async function releaseNames(tx: Db, id: Id, now: string): Promise<void> {
  await tx
    .updateTable('domain_names')
    .set({ deleted_at: now, updated_at: now })
    .where('domain_id', '=', id)
    .where('deleted_at', 'is', null)
    .execute()
}

/** An alias that somebody else took in the meantime stays with the new holder. */
async function bringBackAliases(
  tx: Db,
  { id, tenantId, aliases, now }: { id: Id; tenantId: string; aliases: readonly Fqdn[]; now: string },
): Promise<void> {
  await tx.deleteFrom('domain_names').where('domain_id', '=', id).where('is_alias', '=', 1).execute()
  for (const name of aliases)
    await tx
      .insertInto('domain_names')
      .values({
        id: randomUUID(),
        created_at: now,
        updated_at: now,
        domain_id: id,
        tenant_id: tenantId,
        name,
        reversed: reversedName(name),
        is_alias: 1,
      })
      .onConflict((taken) => taken.doNothing())
      .execute()
}
