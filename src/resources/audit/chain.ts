/**
 * The chain that makes the audit trail tamper-evident: each entry's checksum is an HMAC over the checksum before it and
 * the entry in one canonical writing. Without the key nothing in it can be changed, removed or moved unseen; the sealed
 * head shows a cut end, and a head that was kept elsewhere also shows a trail that was put back as a whole.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { NewAuditEntry } from './schema.ts'

/** Of what stands before the first entry. */
export const firstChecksum = '0'.repeat(64)

export interface Chained extends NewAuditEntry {
  readonly sequence: number
}

export function checksumOf(key: Uint8Array, previous: string, entry: Chained): string {
  const { id, sequence, at, actor, actorId, tenantId, action, outcome, metadata, ip, requestId } = entry
  const fields = { id, sequence, at, actor, actorId, tenantId, action, outcome, metadata, ip, requestId }
  return createHmac('sha256', key)
    .update(`${previous}\n${canonicalJson(fields)}`)
    .digest('hex')
}

export function sealOf(key: Uint8Array, sequence: number, checksum: string): string {
  return createHmac('sha256', key).update(`head\n${sequence}\n${checksum}`).digest('hex')
}

export function sameChecksum(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}

/** JSON with the keys of every object in one order, as PostgreSQL's jsonb does not keep them. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  )
}
