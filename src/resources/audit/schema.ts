/** An entry of the audit trail: who asked for what, and how it ended. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { MirrorReport } from '../../contract/wire.ts'
import { Count, Time } from '../answers.ts'

export const AuditEntry = z.strictObject({
  id: Id,
  sequence: z.int(),
  at: Time,
  /** E-mail address, `root`, `panel`, or `nobody` before a login. */
  actor: z.string(),
  actorId: Id.nullable(),
  tenantId: Id.nullable(),
  /** Name of the operation, or `auth.…`. */
  action: z.string(),
  outcome: z.enum(['ok', 'refused', 'failed']),
  /** The input without its secrets, ids of what came of it, error code. */
  metadata: z.record(z.string(), z.unknown()),
  ip: z.string().nullable(),
  requestId: z.string().nullable(),
})
export type AuditEntry = z.output<typeof AuditEntry>

/** An entry as lists answer it, with the words that other systems have for three of its fields. */
export const ListedEntry = AuditEntry.extend({
  /** As `actorId`. */
  actorUserId: Id.nullable(),
  /** As `action`. */
  actionCode: z.string(),
  /** As `ip`. */
  ipAddress: z.string().nullable(),
})

export function listed(entry: AuditEntry): z.output<typeof ListedEntry> {
  return { ...entry, actorUserId: entry.actorId, actionCode: entry.action, ipAddress: entry.ip }
}

/** The writer's part of an entry; sequence and checksum come from the chain. */
export type NewAuditEntry = Omit<AuditEntry, 'sequence'>

export const AuditProblem = z.strictObject({
  sequence: z.int(),
  problem: z.enum(['changed', 'missing', 'truncated', 'head']),
  message: z.string(),
})
export type AuditProblem = z.output<typeof AuditProblem>

/** Of the trail in the panel's store. */
export const ChainVerdict = z.strictObject({
  ok: z.boolean(),
  entries: Count,
  /** Sequence and checksum of the newest entry, to be kept elsewhere. */
  head: z.strictObject({ sequence: Count, checksum: z.string() }),
  /** The first 100. */
  problems: z.array(AuditProblem),
})
export type ChainVerdict = z.output<typeof ChainVerdict>

export const AuditVerdict = ChainVerdict.extend({
  /** The root side's log; null when it could not be asked. */
  mirror: MirrorReport.omit({ checkpoints: true }).nullable(),
  /** Why not. */
  mirrorProblem: z.string().nullable(),
})
export type AuditVerdict = z.output<typeof AuditVerdict>
