/** A domain's row and its names for its jobs. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { SiteSettings } from '../../contract/site-settings.ts'
import { Fqdn, HttpsPolicy, type Id, PhpVersion } from '../../contract/values.ts'
import { reversedName } from '../../lib/domain-name.ts'
import type { Db } from '../../store/database.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import type { JobRow, RowBefore, RowEnd } from '../job-row.ts'
import { trashedWithTenant } from '../owned-row.ts'
import { DomainSettings } from './schema.ts'

/** The wishes that a failed job brings back; `waiting`: aliases that were not held then, each with the name that is to be proven. */
const Wishes = z.object({
  php: PhpVersion.nullable(),
  /** Absent in what 0.1.0 wrote. */
  https: HttpsPolicy.exactOptional(),
  /** Absent in what a version before wire 11 wrote: nothing was chosen. */
  site: SiteSettings.default({}),
  aliases: z.array(Fqdn),
  waiting: z.array(z.object({ name: Fqdn, proof: Fqdn })).default([]),
})
type Wishes = z.output<typeof Wishes>

const owned = trashedWithTenant('domains')

/** A domain's names are free while it is in the trash; they were taken again when the restore was queued. */
export const domainRow: JobRow = {
  table: 'domains',
  snapshot,
  end,
  withTenant: {
    async trash(tx, tenant, now) {
      await owned.trash(tx, tenant, now)
      await releaseNames(tx, { tenant_id: tenant }, now)
    },
    restore: owned.restore,
    release: (tx, tenant, now) => releaseNames(tx, { tenant_id: tenant }, now),
  },
}

async function snapshot(tx: Db, id: Id): Promise<RowBefore> {
  const row = await tx.selectFrom('domains').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const aliases = await tx
    .selectFrom('domain_names')
    .leftJoin('domain_proofs', 'domain_proofs.id', 'domain_names.proof_id')
    .select(['domain_names.name', 'domain_proofs.name as proof'])
    .where('domain_id', '=', id)
    .where('is_alias', '=', 1)
    .execute()
  return {
    name: row.fqdn,
    status: row.status,
    version: row.version,
    row: {
      php: row.php,
      ...DomainSettings.parse(decodeJson(row.settings)),
      aliases: aliases.filter(({ proof }) => proof === null).map(({ name }) => name),
      waiting: aliases.filter(({ proof }) => proof !== null),
    },
  }
}

async function end(tx: Db, { id, status, now, row }: RowEnd): Promise<void> {
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
      ...(wishes?.https !== undefined && { settings: encodeJson({ https: wishes.https, site: wishes.site }) }),
    })
    .where('id', '=', id)
    .execute()
  if (inTrash) await releaseNames(tx, { domain_id: id }, now)
  else if (wishes) await bringBackAliases(tx, { id, tenantId: before.tenant_id, wishes, now })
}

async function releaseNames(tx: Db, of: { tenant_id: Id } | { domain_id: Id }, now: string): Promise<void> {
  await tx
    .updateTable('domain_names')
    .set({ deleted_at: now, updated_at: now })
    .where((eb) => eb.and(of))
    .where('deleted_at', 'is', null)
    .execute()
}

/** An alias that somebody else took in the meantime stays with the new holder. */
async function bringBackAliases(
  tx: Db,
  { id, tenantId, wishes, now }: { id: Id; tenantId: string; wishes: Wishes; now: string },
): Promise<void> {
  await tx.deleteFrom('domain_names').where('domain_id', '=', id).where('is_alias', '=', 1).execute()
  const common = { created_at: now, updated_at: now, tenant_id: tenantId }
  const insert = (name: Fqdn, proofId: string | null) =>
    tx
      .insertInto('domain_names')
      .values({
        id: randomUUID(),
        ...common,
        domain_id: id,
        name,
        reversed: reversedName(name),
        is_alias: 1,
        proof_id: proofId,
      })
      .onConflict((taken) => taken.doNothing())
      .execute()
  for (const name of wishes.aliases) await insert(name, null)
  for (const { name, proof } of wishes.waiting) {
    const next = new Date(Date.parse(now) + failedPauseMs).toISOString()
    await tx
      .insertInto('domain_proofs')
      .values({ id: randomUUID(), ...common, name: proof, tries: 0, next_try_at: next })
      .onConflict((known) => known.columns(['tenant_id', 'name']).doNothing())
      .execute()
    const asked = tx
      .selectFrom('domain_proofs')
      .select('id')
      .where('tenant_id', '=', tenantId)
      .where('name', '=', proof)
    await insert(name, (await asked.executeTakeFirstOrThrow()).id)
  }
}

/** A name whose proof was there and that the machine could not take waits so long for the next look. */
const failedPauseMs = 3_600_000
