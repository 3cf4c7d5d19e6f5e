/** Adds an entry to the audit trail. */

import type { Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import { decodeJson, encodeJson, storable } from '../../store/json.ts'
import { checksumOf, firstChecksum, sealOf } from './chain.ts'
import { Metadata } from './rows.ts'
import type { AuditEntry, NewAuditEntry } from './schema.ts'

/** The one row of `audit_heads`. */
export const headId = '5b0f6d1e-6a3c-4c3e-8a55-7d8f3f0a0001'

/** In the transaction of the change it tells of; one writer after the other, so that the sequence has no gap. */
export async function append(tx: Db, key: Uint8Array, entry: NewAuditEntry): Promise<AuditEntry> {
  await storeLock(tx, 'audit')
  const head = await tx.selectFrom('audit_heads').select(['sequence', 'checksum']).executeTakeFirst()
  const sequence = (head?.sequence ?? 0) + 1
  // As it will be read back: a checksum over anything else would not hold.
  const kept = {
    ...entry,
    sequence,
    actor: storable(entry.actor),
    action: storable(entry.action),
    ip: entry.ip === null ? null : storable(entry.ip),
    requestId: entry.requestId === null ? null : storable(entry.requestId),
    metadata: Metadata.parse(decodeJson(encodeJson(entry.metadata))),
  }
  const checksum = checksumOf(key, head?.checksum ?? firstChecksum, kept)
  await tx
    .insertInto('audit_logs')
    .values({
      id: kept.id,
      created_at: kept.at,
      updated_at: kept.at,
      sequence,
      actor: kept.actor,
      actor_id: kept.actorId,
      tenant_id: kept.tenantId,
      action: kept.action,
      outcome: kept.outcome,
      metadata: encodeJson(kept.metadata),
      ip: kept.ip,
      request_id: kept.requestId,
      checksum,
    })
    .execute()
  const end = { updated_at: kept.at, sequence, checksum, seal: sealOf(key, sequence, checksum) }
  await tx
    .insertInto('audit_heads')
    .values({ id: headId, created_at: kept.at, ...end })
    .onConflict((row) => row.column('id').doUpdateSet(end))
    .execute()
  return kept
}
