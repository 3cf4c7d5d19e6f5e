/**
 * The blast brake (B12): how much a panel in wrong hands can break before a person sees it. Above a budget of an hour a job
 * waits until the hour has passed or root has approved more. Root's word is a file in root's own directory, which no
 * message can write.
 */
import { join } from 'node:path'
import { type BrakeKind, brakeKinds } from '../../contract/job.ts'
import { Approval } from '../../contract/rescue.ts'
import type { Id } from '../../contract/values.ts'
import type { BrakeState } from '../../contract/wire.ts'
import { type JobType, jobContracts } from '../../resources/jobs.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import type { Log } from '../log.ts'
import { rootWord } from '../os/root-word.ts'
import type { Counted, Journal } from './journal.ts'
import { type RationedLog, rationedLog } from './rationed-log.ts'

/** Jobs of a kind that are accepted within an hour without root's word. */
export type Budgets = Readonly<Record<BrakeKind, number>>

export interface BrakeOptions {
  readonly journal: () => Journal
  /** Whether the registry knows the tenant: nobody's word but root's. */
  readonly isTenant: (id: Id) => boolean
  readonly budgets: () => Budgets
  /** Root's own directory. */
  readonly approvals: string
  readonly audit: AuditTrail
  readonly log: Log
  readonly now: () => Date
}

const hourMs = 3_600_000
/**
 * The share of a budget that may be used without staff or root asking: by a tenant, by all tenants of a reseller, by all together.
 * The rest is theirs. The panel says who asks, and a lie gains nothing but the rest: the whole is the same for everybody.
 * Tenants that the registry does not know count as one, whoever asks.
 */
const shares = { tenant: 0.2, reseller: 0.5, everybody: 0.8 } as const

/** A job that was not asked for again in this time does not wait any more: the panel asks every half minute. */
const forgottenMs = 120_000
const mostWaiting = 1000

export interface BrakedJob {
  readonly id: string
  readonly type: string
  readonly tenant: Id
  /** As the panel says. */
  readonly staff: boolean
  readonly reseller: Id | null
}

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
  holds(kind: BrakeKind, job: BrakedJob): string | undefined {
    const { limit, approved } = this.#count(kind)
    const full = approved > 0 ? undefined : this.#fullShare(kind, limit, job)
    if (full === undefined) {
      this.#waiting.delete(job.id)
      return undefined
    }
    if (!this.#waiting.has(job.id)) {
      this.#log('error', { job: job.id, type: job.type, kind, limit }, 'brake holds a job')
      this.#options.audit.refused('held', {
        event: 'brake.held',
        job: job.id,
        type: job.type,
        kind,
        limit,
        share: full,
      })
    }
    this.#waiting.delete(job.id)
    if (this.#waiting.size < mostWaiting) this.#waiting.set(job.id, { kind, asked: performance.now() })
    const many = full === 'machine' ? limit : portion(limit, full === 'unknown' ? shares.tenant : shares[full])
    return `Waits: the root side takes ${many} ${kind} in an hour ${whose[full]}. Check that they are wanted; then root lets more through with "wcp approve ${kind}".`
  }

  /** Which of the budgets that the job counts against is used up. */
  #fullShare(kind: BrakeKind, limit: number, job: BrakedJob): Share | undefined {
    const { journal, now, isTenant } = this.#options
    const since = new Date(now().getTime() - hourMs).toISOString()
    const types = typesOf(kind)
    const isFull = (part: number, by: Omit<Counted, 'types'>) =>
      journal().acceptedSince(since, { types, ...by }) >= portion(limit, part)
    if (isFull(1, {})) return 'machine'
    const isUnknown = job.type !== 'tenant.create' && !isTenant(job.tenant)
    if (isUnknown && isFull(shares.tenant, { unknown: true })) return 'unknown'
    if (job.staff) return undefined
    if (isFull(shares.tenant, { staff: false, tenant: job.tenant })) return 'tenant'
    if (job.reseller !== null && isFull(shares.reseller, { staff: false, reseller: job.reseller })) return 'reseller'
    return isFull(shares.everybody, { staff: false }) ? 'everybody' : undefined
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
    const used = journal().acceptedSince(new Date(now().getTime() - hourMs).toISOString(), { types })
    const approval = this.#approval(kind)
    const spent = approval === undefined ? 0 : journal().acceptedSince(approval.from, { types })
    return { used, limit: budgets()[kind], approved: Math.max(0, (approval?.count ?? 0) - spent) }
  }

  /** Root's approval, if it counts now. */
  #approval(kind: BrakeKind): Approval | undefined {
    const { approvals, now, audit, log } = this.#options
    const approval = rootWord(join(approvals, `${kind}.json`), Approval, log)
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

type Share = keyof typeof shares | 'unknown' | 'machine'

const whose: Record<Share, string> = {
  machine: 'of all',
  everybody: 'unless staff asks',
  reseller: "of one reseller's tenants unless staff asks",
  tenant: 'of one tenant unless staff asks',
  unknown: 'of tenants that are not on this machine',
}

/** At least one, so that a small budget is one for everybody, too. */
function portion(limit: number, part: number): number {
  return Math.max(1, Math.floor(limit * part))
}

function typesOf(kind: BrakeKind): readonly JobType[] {
  return Object.values(jobContracts).flatMap(({ type, brake }) => (brake === kind ? [type] : []))
}
