/**
 * One line of the root side's audit log. Its MAC, under a key that only root has, covers the MAC of the line before and
 * the line's own bytes: nothing in the log can be changed, taken out or moved unseen.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { type AuditHead, Mac, MirroredEntry, TrailEnd } from '../../contract/wire.ts'

/** Where the log ends: number and MAC of its last line. */
export interface LineEnd {
  readonly seq: number
  readonly mac: string
}

export const noTrail: TrailEnd = { sequence: 0, checksum: '0'.repeat(64) }
export const noLine: LineEnd = { seq: 0, mac: '0'.repeat(64) }

/** Deeds of the root side itself: flat, so that a person can search it. */
export type AuditEvent = { readonly event: AuditEventName } & Readonly<Record<string, string | number | null>>
export type AuditEventName =
  | 'agent.started'
  | 'job.accepted'
  | 'job.refused'
  | 'job.finished'
  | 'brake.held'
  | 'brake.approved'
  | 'setup.closed'
  | 'own-files.asked'
  | 'own-files.failed'
  /** Tokens count anew. */
  | 'epoch.opened'
  /** The panel's trail went on from an entry that is not the last one known here: it was put back, or rewritten. */
  | 'trail.forked'
  /** Entries of the panel's trail that are counted and not copied, up to the one that is named. */
  | 'trail.summed'
  /** The end of this log was not there any more when it was opened. */
  | 'log.cut'

/** The content of a line: a file of the log begins, an entry of the panel's trail, or a deed of the root side. */
export type AuditRecord =
  | { readonly opened: { readonly previous: LineEnd; readonly end: TrailEnd } }
  | { readonly panel: MirroredEntry }
  | { readonly agent: AuditEvent }

const common = { seq: z.int().min(1), at: z.string() }
const End = z.strictObject({ seq: z.int().min(0), mac: Mac })
const Line = z.union([
  z.strictObject({ ...common, opened: z.strictObject({ previous: End, end: TrailEnd }) }),
  z.strictObject({ ...common, panel: MirroredEntry }),
  z.strictObject({ ...common, agent: z.looseObject({ event: z.string() }) }),
])
export type AuditLine = z.output<typeof Line>

/** `,"mac":"<64 digits>"}` */
const tailLength = 8 + 64 + 2

/** @returns the line without its line break, and where the log ends after it. */
export function writeLine(key: Uint8Array, before: LineEnd, at: string, record: AuditRecord): [string, LineEnd] {
  const seq = before.seq + 1
  const body = JSON.stringify({ seq, at, ...record })
  const mac = macOf(key, before, body)
  return [`${body.slice(0, -1)},"mac":"${mac}"}`, { seq, mac }]
}

/** @returns undefined for what is no line: a torn one, or one that somebody wrote by hand. */
export function readLine(
  text: string,
): { readonly line: AuditLine; readonly body: string; readonly mac: string } | undefined {
  const tail = /^,"mac":"([0-9a-f]{64})"\}$/.exec(text.slice(-tailLength))
  if (tail?.[1] === undefined) return undefined
  const body = `${text.slice(0, -tailLength)}}`
  try {
    return { line: Line.parse(JSON.parse(body)), body, mac: tail[1] }
  } catch {
    return undefined
  }
}

export function follows(key: Uint8Array, before: LineEnd, body: string, mac: string): boolean {
  return isSame(mac, macOf(key, before, body))
}

/** A head that is kept elsewhere: the end of the log at a moment, sealed so that nobody but root can have made it. */
export function sealHead(key: Uint8Array, { seq, mac }: LineEnd, at: string): AuditHead {
  return { seq, at, mac, seal: sealOf(key, seq, mac, at) }
}

export function isSealed(key: Uint8Array, { seq, at, mac, seal }: AuditHead): boolean {
  return isSame(seal, sealOf(key, seq, mac, at))
}

function macOf(key: Uint8Array, before: LineEnd, body: string): string {
  return createHmac('sha256', key).update(`${before.mac}\n${body}`).digest('hex')
}

function sealOf(key: Uint8Array, seq: number, mac: string, at: string): string {
  return createHmac('sha256', key).update(`head\n${seq}\n${mac}\n${at}`).digest('hex')
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
