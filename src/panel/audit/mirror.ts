/**
 * Hands the audit trail to the root side, which keeps a copy that this process cannot rewrite. The root side says how far
 * it has come; what comes after is sent, in order, however long it had to wait.
 */
import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { fitsFrame } from '../../contract/frame.ts'
import type { AgentMessage, MirroredEntry, PanelMessage, TrailEnd } from '../../contract/wire.ts'
import { canonicalJson, firstChecksum } from '../../resources/audit/chain.ts'
import { entryOf } from '../../resources/audit/rows.ts'
import { stored, storedOrNull } from '../../resources/store-tools.ts'
import type { Db } from '../../store/database.ts'
import { isBusyStore } from '../../store/store-trouble.ts'
import type { AuditLogTable } from '../../store/tables/work.ts'

type Audited = Extract<AgentMessage, { t: 'audited' }>

export interface AuditMirrorOptions {
  readonly db: Db
  readonly send: (message: PanelMessage) => boolean
  readonly log: Logger
  /** Nothing was taken: so long is waited before it is sent again. */
  readonly retryMs?: number
}

export interface AuditMirror {
  /** An entry was appended; it may not be committed yet. */
  appended(): void
  audited(message: Audited): void
  gone(): void
  /** First what was appended is sent, while the root side takes it: after a stop it knows the trail to its end. */
  close(): Promise<void>
}

const atOnce = 100
/** Longer than any transaction of a request takes as a rule; one that takes longer is found by the next entry or report. */
const settleMs = 100
/** The root side answers in milliseconds; what it does not take now, it takes after the next start. */
const mostAtCloseMs = 2000

export function auditMirror({ db, send, log, retryMs = 30_000 }: AuditMirrorOptions): AuditMirror {
  /** null: the root side has not said where it stands, or what was sent is not answered yet. */
  let reached: TrailEnd | null = null
  let sentAfter: number | null = null
  let timer: NodeJS.Timeout | null = null
  let work: Promise<void> = Promise.resolve()
  let isClosed = false
  /** Nothing more can be sent for now; only who closes waits for it. */
  let rest = () => {}

  function soon(delayMs: number): void {
    if (isClosed || reached === null) return
    timer ??= setTimeout(() => {
      timer = null
      work = work.then(sendNext).catch(tryAgain)
    }, delayMs)
  }

  function forgetTimer(): void {
    if (timer) clearTimeout(timer)
    timer = null
  }

  /** A store that somebody else is writing to is no trouble worth a line. */
  function tryAgain(err: unknown): void {
    if (!isBusyStore(err)) log.error({ err }, 'the audit trail could not be sent')
    soon(isBusyStore(err) ? settleMs : retryMs)
    if (!isBusyStore(err)) rest()
  }

  async function sendNext(): Promise<void> {
    if (reached === null) return
    const after = await confirmed(reached)
    const entries = await entriesAfter(db, after.sequence)
    if (entries.length === 0) return rest()
    reached = null
    sentAfter = after.sequence
    send({ t: 'audit', after, entries })
  }

  /** The root side's end where it is one of this trail; else this trail was put back, and goes on from what it knows itself. */
  async function confirmed(end: TrailEnd): Promise<TrailEnd> {
    if (await isOurs(db, end)) {
      await db
        .updateTable('audit_heads')
        .set({ mirrored: end.sequence })
        .where('mirrored', '!=', end.sequence)
        .execute()
      return end
    }
    const own = await mirroredEnd(db)
    log.error({ rootSide: end.sequence, own: own.sequence }, 'the root side has another audit trail than the store')
    return own
  }

  return {
    appended: () => soon(settleMs),
    audited({ end }) {
      const isStuck = sentAfter !== null && end.sequence === sentAfter
      sentAfter = null
      reached = end
      soon(isStuck ? retryMs : 0)
      if (isStuck) rest()
    },
    gone() {
      reached = null
      sentAfter = null
      rest()
    },
    async close() {
      const atRest = Promise.withResolvers<void>()
      rest = atRest.resolve
      const isAway = reached === null && sentAfter === null
      forgetTimer()
      soon(0)
      if (!isAway) await Promise.race([atRest.promise, pause(mostAtCloseMs, undefined, { ref: false })])
      isClosed = true
      forgetTimer()
      await work
    },
  }
}

/** Whether the trail has this entry; an empty trail is everybody's. */
export async function isOurs(db: Db, { sequence, checksum }: TrailEnd): Promise<boolean> {
  if (sequence === 0) return true
  const row = await db.selectFrom('audit_logs').select('checksum').where('sequence', '=', sequence).executeTakeFirst()
  return row?.checksum === checksum
}

async function mirroredEnd(db: Db): Promise<TrailEnd> {
  const head = await db.selectFrom('audit_heads').select('mirrored').executeTakeFirst()
  const sequence = head?.mirrored ?? 0
  const row = await db.selectFrom('audit_logs').select('checksum').where('sequence', '=', sequence).executeTakeFirst()
  return row === undefined ? { sequence: 0, checksum: firstChecksum } : { sequence, checksum: row.checksum }
}

/** As many as one message holds. */
async function entriesAfter(db: Db, sequence: number): Promise<MirroredEntry[]> {
  const rows = await db
    .selectFrom('audit_logs')
    .selectAll()
    .where('sequence', '>', sequence)
    .orderBy('sequence')
    .limit(atOnce)
    .execute()
  const entries = rows.map(mirrored)
  while (!fitsFrame(entries)) entries.splice(Math.ceil(entries.length / 2))
  return entries
}

/** Cut to what a message takes; the checksum is that of the whole entry. */
function mirrored(row: Parameters<typeof entryOf>[0] & Pick<AuditLogTable, 'checksum'>): MirroredEntry {
  const metadata = canonicalJson(metadataOf(row))
  return {
    sequence: row.sequence,
    checksum: row.checksum,
    id: stored(row.id),
    at: row.created_at,
    actor: row.actor.slice(0, 254),
    actorId: storedOrNull(row.actor_id),
    tenantId: storedOrNull(row.tenant_id),
    action: row.action.slice(0, 60),
    outcome: stored(row.outcome),
    metadata: metadata.length <= 8192 ? metadata : digestOf(metadata),
    ip: row.ip?.slice(0, 64) ?? null,
    requestId: row.request_id?.slice(0, 100) ?? null,
  }
}

function metadataOf(row: Parameters<typeof entryOf>[0]): unknown {
  try {
    return entryOf(row).metadata
  } catch {
    return { unreadable: true } // somebody changed the row: "audit verify" says which
  }
}

function digestOf(text: string): string {
  return JSON.stringify({ sha256: createHash('sha256').update(text).digest('hex'), bytes: Buffer.byteLength(text) })
}
