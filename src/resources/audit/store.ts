/** The audit trail as people read it. Entries are written by the panel's one door, never by an operation. */
import { type SqlBool, sql } from 'kysely'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import type { Page } from '../listing.ts'
import { lastFirst, readPage } from '../read-page.ts'
import { containing } from '../store-tools.ts'
import { append } from './append.ts'
import { entryOf } from './rows.ts'
import type { AuditEntry, ChainVerdict, NewAuditEntry } from './schema.ts'
import { type AuditAnchor, verifyChain } from './verify-chain.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly audit: AuditStore
  }
}

export interface AuditQuery {
  readonly cursor?: string | undefined
  readonly limit: number
  readonly action?: string | undefined
  readonly actor?: string | undefined
  readonly actorUserId?: Id | undefined
  readonly ipAddress?: string | undefined
  readonly outcome?: AuditEntry['outcome'] | undefined
  /** From this moment on, and before this one; ISO 8601. */
  readonly since?: string | undefined
  readonly until?: string | undefined
  /** Text anywhere in an entry. */
  readonly search?: string | undefined
  readonly tenantId?: Id | undefined
}

export interface AuditStore {
  /** Newest first. */
  list(query: AuditQuery): Promise<Page<AuditEntry>>
  /** Adds an entry to the chain, in the transaction of the change it tells of. */
  append(entry: NewAuditEntry): Promise<AuditEntry>
  /** An entry of this id is there. */
  has(id: Id): Promise<boolean>
  /**
   * Reads the whole trail, a hundred entries at a time.
   * @param anchors entries as they were kept elsewhere, which must still be part of it
   * @param rest awaited after each hundred; only others' turn unless told
   */
  verify(anchors: readonly AuditAnchor[], rest?: () => Promise<unknown>): Promise<ChainVerdict>
}

/** Spelled out, as SQLite uses a partial index only for the very words of its condition. */
const isRefused = sql<SqlBool>`outcome <> 'ok'`

/** @param key secret of the chain, the same for the life of the installation */
export function auditStore(db: Db, key: Uint8Array, appended: () => void = () => {}): AuditStore {
  return {
    async list({ cursor, limit, action, actor, actorUserId, ipAddress, outcome, tenantId, since, until, search }) {
      let query = db.selectFrom('audit_logs').selectAll()
      if (action !== undefined) query = query.where('action', '=', action)
      if (actor !== undefined) query = query.where('actor', '=', actor)
      if (actorUserId !== undefined) query = query.where('actor_id', '=', actorUserId)
      if (ipAddress !== undefined) query = query.where('ip', '=', ipAddress)
      if (outcome !== undefined) query = query.where('outcome', '=', outcome)
      if (outcome !== undefined && outcome !== 'ok') query = query.where(isRefused)
      if (tenantId !== undefined) query = query.where('tenant_id', '=', tenantId)
      if (since !== undefined) query = query.where('created_at', '>=', since)
      if (until !== undefined) query = query.where('created_at', '<', until)
      if (search) {
        const pattern = containing(search)
        query = query.where((eb) =>
          eb.or(
            (['actor', 'action', 'ip', 'request_id', 'metadata'] as const).map(
              (column) => sql<boolean>`lower(cast(${eb.ref(column)} as text)) like ${pattern} escape '\\'`,
            ),
          ),
        )
      }
      return readPage(query, { cursor, limit }, lastFirst('audit_logs'), (rows) => rows.map(entryOf))
    },
    async append(entry) {
      const written = await append(db, key, entry)
      appended()
      return written
    },
    async has(id) {
      const found = await db.selectFrom('audit_logs').select('id').where('id', '=', id).executeTakeFirst()
      return found !== undefined
    },
    verify: (anchors, rest) => verifyChain(db, key, anchors, rest),
  }
}
