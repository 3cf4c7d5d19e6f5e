import type { Selectable } from 'kysely'
import { z } from 'zod'
import { decodeJson } from '../../store/json.ts'
import type { AuditLogTable } from '../../store/tables/work.ts'
import { stored, storedOrNull } from '../store-tools.ts'
import type { AuditEntry } from './schema.ts'

export const Metadata = z.record(z.string(), z.unknown())

/** An entry as it was appended. Throws when its metadata is no JSON object any more. */
export function entryOf(row: Selectable<AuditLogTable>): AuditEntry {
  return {
    id: stored(row.id),
    sequence: row.sequence,
    at: row.created_at,
    actor: row.actor,
    actorId: storedOrNull(row.actor_id),
    tenantId: storedOrNull(row.tenant_id),
    action: row.action,
    outcome: stored(row.outcome),
    metadata: Metadata.parse(decodeJson(row.metadata)),
    ip: row.ip,
    requestId: row.request_id,
  }
}
