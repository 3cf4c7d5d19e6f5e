/** The audit trail as people read it. Entries are written by the panel's one door, never by an operation. */
import { z } from 'zod'
import type { Id } from '../../contract/values.ts'
import { append } from '../../panel/audit/append.ts'
import { entryOf } from '../../panel/audit/rows.ts'
import { verifyChain } from '../../panel/audit/verify-chain.ts'
import type { Db } from '../../panel/db/database.ts'
import { decodeCursor, type Page, toPage } from '../listing.ts'
import type { AuditEntry, AuditVerdict, NewAuditEntry } from './schema.ts'

export interface AuditQuery {
  readonly cursor?: string | undefined
  readonly limit: number
  readonly action?: string | undefined
  readonly actor?: string | undefined
  readonly outcome?: AuditEntry['outcome'] | undefined
  readonly tenantId?: Id | undefined
}

export interface AuditStore {
  /** Newest first. */
  list(query: AuditQuery): Promise<Page<AuditEntry>>
  /** Adds an entry to the chain, in the transaction of the change it tells of. */
  append(entry: NewAuditEntry): Promise<AuditEntry>
  /** Reads the whole trail. `anchor`: a head that was kept elsewhere and must still be part of it. */
  verify(anchor?: { sequence: number; checksum: string }): Promise<AuditVerdict>
}

/** @param key secret of the chain, the same for the life of the installation */
export function auditStore(db: Db, key: Uint8Array): AuditStore {
  return {
    async list({ cursor, limit, action, actor, outcome, tenantId }) {
      let query = db.selectFrom('audit_logs').selectAll()
      if (action !== undefined) query = query.where('action', '=', action)
      if (actor !== undefined) query = query.where('actor', '=', actor)
      if (outcome !== undefined) query = query.where('outcome', '=', outcome)
      if (tenantId !== undefined) query = query.where('tenant_id', '=', tenantId)
      if (cursor !== undefined) query = query.where('sequence', '<', decodeCursor(cursor, z.int())[0])
      const found = await query
        .orderBy('sequence', 'desc')
        .limit(limit + 1)
        .execute()
      return toPage(found, limit, (row) => [row.sequence, row.id], entryOf)
    },
    append: (entry) => append(db, key, entry),
    verify: (anchor) => verifyChain(db, key, anchor),
  }
}
