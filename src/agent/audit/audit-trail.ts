/**
 * The entries of the root side's audit log: the panel's entries as they come, and what the root side itself did. The panel
 * may be in an attacker's hands: it can add, within bounds, and take nothing away.
 */
import { WcpError } from '../../contract/errors.ts'
import type { AuditHead, MirroredEntry, MirrorReport, TrailEnd } from '../../contract/wire.ts'
import { Budget } from '../jobs/budget.ts'
import type { Log } from '../log.ts'
import { isAppendOnly } from '../os/append-only.ts'
import { type AuditEvent, noTrail } from './audit-line.ts'
import { AuditLog, type AuditLogOptions } from './audit-log.ts'
import { mirrorShares } from './mirror-shares.ts'
import { verifyAuditLog } from './verify-audit-log.ts'

/**
 * Lines an hour of what the panel asked for and did not get. Each kind has its own, so that one that costs nothing cannot
 * keep another out: an honest panel brings about no `malformed` job at all.
 */
const refusalsAnHour = { malformed: 60, refused: 300, held: 120 } as const
export type Refusal = keyof typeof refusalsAnHour

export interface AuditTrail {
  /** False: nothing can be written until the agent is started again. */
  readonly isOpen: boolean
  /** How far the panel's trail is written here. */
  readonly end: TrailEnd
  head(): AuditHead
  /** Writes it down before it may happen. @throws when it cannot be written: then it must not happen. */
  must(event: AuditEvent): void
  /** Writes down what has happened. What cannot be written now is written before anything else is; until then `must` throws. */
  note(event: AuditEvent): void
  /** Of each kind so many lines are written in an hour; the others are counted, and the next line says how many. */
  refused(kind: Refusal, event: AuditEvent): void
  /** Entries of the panel's trail, the first right after `after`. What is not taken stays with the panel. */
  mirror(after: TrailEnd, entries: readonly MirroredEntry[]): void
  verify(): Promise<MirrorReport>
  close(): void
}

const hourMs = 3_600_000

/** @throws when the log cannot be read or written. */
export function openAuditTrail(options: AuditLogOptions): AuditTrail {
  const file = new AuditLog(options)
  const { log } = options
  const unwritten: AuditEvent[] = []
  const refusals = new Map(Object.entries(refusalsAnHour).map(([kind, lines]) => [kind, aggregate(lines)]))
  const forks = new Budget(10, hourMs)
  const complaints = new Budget(1, hourMs)
  const usedUp = new Budget(20, hourMs)
  const shares = mirrorShares((owner) => {
    if (usedUp.spend() === 0)
      log.warn({ owner }, 'share of the audit log is used up: further entries of the day are counted')
  })

  function flush(): void {
    if (unwritten.length === 0) return
    file.append(unwritten.map((agent) => ({ agent })))
    unwritten.length = 0
  }

  function complain(facts: object, message: string): void {
    if (complaints.spend() === 0) log.error(facts, message)
  }

  const trail: AuditTrail = {
    isOpen: true,
    get end() {
      return file.end
    },
    head: () => file.head(),

    must(event) {
      flush()
      file.append([{ agent: event }])
    },

    note(event) {
      unwritten.push(event)
      try {
        flush()
      } catch (error) {
        log.error({ err: error, event: event.event }, 'audit log cannot be written')
      }
    },

    refused(kind, event) {
      const unwritten = refusals.get(kind)?.()
      if (unwritten !== undefined) trail.note(unwritten === 0 ? event : { ...event, refusedBefore: unwritten })
    },

    mirror(after, entries) {
      try {
        flush()
        if (after.sequence !== file.end.sequence || after.checksum !== file.end.checksum) {
          if (forks.spend() > 0) return complain({ after }, 'audit trail of the panel changes again and again')
          log.error({ known: file.end, after }, 'audit trail of the panel does not go on where it ended')
          file.append([{ agent: forkEvent(file.end, after) }])
        }
        const lines = shares.linesFor(entries)
        if (lines === undefined) return complain({}, 'panel sends more audit entries than are taken in a day')
        file.append(lines)
      } catch (error) {
        complain({ err: error }, 'audit entries of the panel cannot be written')
      }
    },

    async verify() {
      const head = file.head()
      const { last: _, ...verdict } = await verifyAuditLog(options, head)
      return { ...verdict, head, appendOnly: isAppendOnly(options.path) }
    },
    close: () => file.close(),
  }
  return trail
}

/** For an agent whose log cannot be opened: it goes on to answer, and lets nothing new happen. */
export function brokenAuditTrail(reason: string, log: Log): AuditTrail {
  const broken = () => new WcpError('unavailable', `Cannot write the audit log: ${reason}`, { help: mendLog })
  return {
    isOpen: false,
    end: noTrail,
    head: () => {
      throw broken()
    },
    must: () => {
      throw broken()
    },
    note: (event) => log.error({ ...event }, 'event is missing in the audit log'),
    refused: () => {},
    mirror: () => {},
    verify: () => Promise.reject(broken()),
    close: () => {},
  }
}

const mendLog = 'Make room in /var/log/wcp360, or mend what its file system says, and start the daemon again.'

function forkEvent(known: TrailEnd, after: TrailEnd): AuditEvent {
  return { event: 'trail.forked', knownSequence: known.sequence, sequence: after.sequence, checksum: after.checksum }
}

/** @returns for each call how many before it were not written; undefined when this one is not either */
function aggregate(linesAnHour: number): () => number | undefined {
  const lines = new Budget(linesAnHour, hourMs)
  let unwritten = 0
  return () => {
    if (lines.spend() > 0) {
      unwritten++
      return undefined
    }
    const before = unwritten
    unwritten = 0
    return before
  }
}
