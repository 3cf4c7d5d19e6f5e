/**
 * The blast brake (B12): how much a panel in wrong hands can break before a person sees it. Above a budget of an hour a job
 * waits until the hour has passed or root has approved more. Root's word is a file in root's own directory, which no
 * message can write.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type BrakeKind, brakeKinds } from '../../contract/job.ts'
import { Approval } from '../../contract/rescue.ts'
import type { BrakeState } from '../../contract/wire.ts'
import { type JobType, jobContracts } from '../../resources/jobs.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import type { Log } from '../log.ts'
import type { Journal } from './journal.ts'
import { type RationedLog, rationedLog } from './rationed-log.ts'

/** Jobs of a kind that are accepted within an hour without root's word. */
export type Budgets = Readonly<Record<BrakeKind, number>>

export interface BrakeOptions {
  readonly journal: () => Journal
  readonly budgets: () => Budgets
  /** Root's own directory. */
  readonly approvals: string
  readonly audit: AuditTrail
  readonly log: Log
  readonly now: () => Date
}

const hourMs = 3_600_000
/** A job that was not asked for again in this time does not wait any more: the panel asks every half minute. */
const forgottenMs = 120_000
const mostWaiting = 1000

export class Brake {
  readonly #options: BrakeOptions
  /** Jobs that were held, and when they were asked for last, by a clock that only goes forward. */
  readonly #waiting = new Map<string, { readonly kind: BrakeKind; readonly asked: number }>()
  readonly #seen = new Set<string>()
  readonly #log: RationedLog

  constructor(options: BrakeOptions) {
    this.#options = options
    this.#log = rationedLog(options.log)
  }

  /** @returns why the job has to wait; undefined when it may go. */
  holds(kind: BrakeKind, job: { readonly id: string; readonly type: string }): string | undefined {
    const { used, limit, approved } = this.#count(kind)
    if (used < limit || approved > 0) {
      this.#waiting.delete(job.id)
      return undefined
    }
    if (!this.#waiting.has(job.id)) {
      this.#log('error', { job: job.id, type: job.type, kind, limit }, 'brake holds a job')
      this.#options.audit.refused('held', { event: 'brake.held', job: job.id, type: job.type, kind, limit })
    }
    this.#waiting.delete(job.id)
    if (this.#waiting.size < mostWaiting) this.#waiting.set(job.id, { kind, asked: performance.now() })
    return `Waits: the root side takes ${limit} ${kind} in an hour. Check that they are wanted; then root lets more through with "wcp approve ${kind}".`
  }

  states(): BrakeState[] {
    const fresh = performance.now() - forgottenMs
    for (const [job, { asked }] of this.#waiting) if (asked < fresh) this.#waiting.delete(job)
    const waiting = Map.groupBy(this.#waiting.values(), (one) => one.kind)
    return brakeKinds.map((kind) => ({ kind, ...this.#count(kind), waiting: waiting.get(kind)?.length ?? 0 }))
  }

  /** `approved`: how many more root lets through now. */
  #count(kind: BrakeKind): Pick<BrakeState, 'used' | 'limit' | 'approved'> {
    const { journal, budgets, now } = this.#options
    const types = typesOf(kind)
    const used = journal().acceptedSince(types, new Date(now().getTime() - hourMs).toISOString())
    const approval = this.#approval(kind)
    const spent = approval === undefined ? 0 : journal().acceptedSince(types, approval.from)
    return { used, limit: budgets()[kind], approved: Math.max(0, (approval?.count ?? 0) - spent) }
  }

  /** What root has approved, if it counts now. */
  #approval(kind: BrakeKind): Approval | undefined {
    const { approvals, now, audit, log } = this.#options
    const approval = readApproval(join(approvals, `${kind}.json`), log)
    const moment = now().toISOString()
    if (approval?.kind !== kind || approval.from > moment || approval.until <= moment) return undefined
    if (!this.#seen.has(approval.id)) {
      this.#seen.add(approval.id)
      const { id, count, from, until } = approval
      audit.note({ event: 'brake.approved', approval: id, kind, count, from, until })
    }
    return approval
  }
}

function typesOf(kind: BrakeKind): readonly JobType[] {
  return Object.values(jobContracts).flatMap(({ type, brake }) => (brake === kind ? [type] : []))
}

/** A file that root did not write alone is no word of root's (B14). */
function readApproval(path: string, log: Log): Approval | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  if (!found.isFile() || found.uid !== 0 || (found.mode & 0o077) !== 0 || found.size > 4096) {
    log.error({ path }, 'approval does not belong to root alone and is ignored')
    return undefined
  }
  try {
    return Approval.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    log.error({ path, err: error }, 'approval cannot be read and is ignored')
    return undefined
  }
}
