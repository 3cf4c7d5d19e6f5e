/** The audit trail as people read it. Entries are written by the panel's one door, never by an operation. */
import type { Id } from '../../contract/values.ts'
import type { Page } from '../listing.ts'
import type { AuditEntry, AuditVerdict } from './schema.ts'

export interface AuditQuery {
  readonly cursor?: string | undefined
  readonly limit: number
  readonly action?: string | undefined
  readonly actor?: string | undefined
  readonly outcome?: AuditEntry['outcome'] | undefined
  readonly tenantId?: Id | undefined
}

/** What the writer says; sequence and checksum come from the chain. */
export type NewAuditEntry = Omit<AuditEntry, 'sequence'>

export interface AuditStore {
  /** Newest first. */
  list(query: AuditQuery): Promise<Page<AuditEntry>>
  /** Adds an entry to the chain, in the transaction of the change it tells of. */
  append(entry: NewAuditEntry): Promise<AuditEntry>
  /** Reads the whole trail. `anchor`: a head that was kept elsewhere and must still be part of it. */
  verify(anchor?: { sequence: number; checksum: string }): Promise<AuditVerdict>
}
