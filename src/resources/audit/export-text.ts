/** The audit trail as text for other programs. */
import { csv, escaped } from '../../lib/csv.ts'
import type { AuditEntry } from './schema.ts'

/** One entry a line. What is no plain text is escaped, so that a line is a line for every reader (C31). */
export function asJsonLines(entries: readonly AuditEntry[]): string {
  return entries.map((entry) => `${escaped(JSON.stringify(entry))}\n`).join('')
}

const columns = [
  'sequence',
  'at',
  'actor',
  'actorId',
  'tenantId',
  'action',
  'outcome',
  'metadata',
  'ip',
  'requestId',
] as const

/** With a header. */
export function asCsv(entries: readonly AuditEntry[]): string {
  return csv(columns, entries)
}
