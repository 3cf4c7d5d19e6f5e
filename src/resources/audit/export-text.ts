/** The audit trail as text for other programs. */
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

/** RFC 4180, with a header. A value that a spreadsheet would take for a formula gets an apostrophe before it. */
export function asCsv(entries: readonly AuditEntry[]): string {
  const rows = entries.map((entry) => columns.map((column) => field(entry[column])))
  return [columns, ...rows].map((row) => `${row.join(',')}\r\n`).join('')
}

function field(value: unknown): string {
  if (value === null) return ''
  const text = escaped(typeof value === 'string' ? value : JSON.stringify(value))
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text
  return /[",]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** As JSON writes them. */
function escaped(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (one) =>
    one.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}
