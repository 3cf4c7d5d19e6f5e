/** The checks that a job must pass: its contract, the fence (B10), room, the brake on destruction (B12). */
import { WcpError } from '../../contract/errors.ts'
import { fencedOf } from '../../contract/job.ts'
import type { Failure } from '../../contract/wire.ts'
import type { AnyProvisioner } from '../kinds/provisioner.ts'
import { errorCode } from '../os/error-code.ts'
import type { Brake } from './brake.ts'
import type { Ends } from './ends.ts'
import type { EngineOptions } from './engine-api.ts'
import { failureOf } from './failure.ts'
import type { Acceptance, Journal, JournaledJob, NewJob } from './journal.ts'
import { parseJob } from './parse-job.ts'
import type { Message } from './phases.ts'
import type { RationedLog } from './rationed-log.ts'
import type { Work } from './work.ts'

export interface GateDoers {
  readonly brake: Pick<Brake, 'holds'>
  readonly work: Pick<Work, 'start' | 'open'>
  readonly ends: Pick<Ends, 'tell'>
  journal(): Journal
}

/** No panel of ours sends it. */
export interface Malformed {
  readonly malformed: string
}

/** Stopping whoever fills the disk must work on a full one; deletions are tried there, too. */
const needsNoRoom = (type: string) => type.endsWith('.suspend')
/** A job as the audit log names it. */
interface ToldJob {
  readonly job: JournaledJob['id']
  readonly type: string
  readonly token: number
  readonly tenant: string
  readonly resource: string
}

const mostOpenJobs = 1000

export class JobGate {
  readonly #options: EngineOptions
  readonly #doers: GateDoers
  readonly #log: RationedLog

  constructor(options: EngineOptions, doers: GateDoers, log: RationedLog) {
    this.#options = options
    this.#doers = doers
    this.#log = log
  }

  take({ job: id, type, token, payload: raw, ...from }: Message<'job'>): 'ok' | Malformed {
    const parsed = parseJob(type, raw)
    if ('failure' in parsed) {
      const { code, message } = parsed.failure
      const problem = message.slice(0, 500)
      this.#options.audit.refused('malformed', { event: 'job.refused', job: id, type, token, code, problem })
      this.#end(id, token, parsed.failure)
      return { malformed: message }
    }
    const { provisioner, payload } = parsed
    const { contract } = provisioner
    const resource = fencedOf(contract, payload)
    const now = this.#options.machine.now()
    const { tenant } = payload
    const told = { job: id, type, token, tenant, resource }
    // A job accepted before is only reported again: neither a full disk nor the brake can refuse it.
    if (this.#doers.journal().job(id) === undefined) {
      const refusal = this.#lack(contract)
      if (refusal !== undefined) return this.#refuse(told, refusal)
      const { staff, reseller } = from
      const reason = this.#doers.brake.holds(contract.brake, { id, type, tenant, staff, reseller })
      if (reason !== undefined) return this.#hold(id, reason)
    }
    const { epoch, staff, reseller } = from
    const job = { id, type, resource, tenant, token, epoch, staff, reseller, payload }
    const accepted = this.#accept(job, now, told)
    if (accepted instanceof WcpError) return this.#refuse(told, accepted)
    switch (accepted.verdict) {
      case 'accepted':
        this.#doers.work.start(accepted.job)
        return 'ok'
      case 'known':
        this.#doers.ends.tell({ ...accepted.job, id })
        return 'ok'
      case 'far':
        this.#log('error', { job: id, type, token }, 'job has a token far above the last one')
        return this.#refuse(told, farError(type, token))
      case 'stale':
        return this.#refuse(told, staleError(type, token))
      case 'conflict':
        this.#log('error', { job: id, type, token }, 'job contradicts one that was accepted')
        return this.#refuse(told, conflictError(type, token))
    }
  }

  /** A job that cannot be written into the journal and the audit log is not accepted. */
  #accept(job: NewJob, now: Date, told: ToldJob): Acceptance | WcpError {
    let unwritten: unknown
    try {
      return this.#doers.journal().accept(job, now.toISOString(), () => {
        try {
          this.#options.audit.must({ event: 'job.accepted', ...told })
        } catch (error) {
          unwritten = error
          throw error
        }
      })
    } catch (error) {
      const isAudit = unwritten !== undefined && error === unwritten
      if (!isAudit && errorCode(error) !== 'SQLITE_FULL') throw error
      const refusal = isAudit ? unwrittenError(job.type) : fullError(job.type)
      const facts = { err: error, job: job.id, help: refusal.help }
      this.#options.log.error(facts, 'job was refused: it cannot be written down')
      return refusal
    }
  }

  #hold(job: JournaledJob['id'], reason: string): 'ok' {
    this.#options.emit({ t: 'held', job, reason })
    return 'ok'
  }

  #refuse(told: ToldJob, error: WcpError): 'ok' {
    this.#options.audit.refused('refused', { event: 'job.refused', ...told, code: error.code, problem: error.message })
    return this.#end(told.job, told.token, failureOf(error, null))
  }

  /** Refused for the phase, whatever it is. */
  refuseUnread({ job, type, token }: Message<'job'>, failure: Failure, problem: string): 'ok' {
    const { code } = failure
    this.#options.audit.refused('refused', { event: 'job.refused', job, type, token, code, problem })
    return this.#end(job, token, failure)
  }

  /** Why nothing new of this type may be begun now. */
  #lack({ destructive, type }: AnyProvisioner['contract']): WcpError | undefined {
    if (this.#doers.work.open >= mostOpenJobs) {
      return new WcpError('busy', `Cannot accept "${type}": ${mostOpenJobs} jobs wait already`)
    }
    return destructive || needsNoRoom(type) ? undefined : this.#options.lackOfRoom?.()
  }

  #end(job: JournaledJob['id'], token: number, failure: Failure): 'ok' {
    this.#options.emit({ t: 'finished', job, token, failure })
    return 'ok'
  }
}

function fullError(type: string): WcpError {
  return new WcpError('unavailable', `Cannot accept "${type}": the disk of the root side's journal is full`, {
    help: "Make room on the disk that holds the agent's state and send the request again; nothing was changed.",
  })
}

function unwrittenError(type: string): WcpError {
  return new WcpError('unavailable', `Cannot accept "${type}": the audit log cannot be written`, {
    help: 'Make room in /var/log/wcp360, or mend what its file system says, and send the request again; nothing was changed.',
  })
}

function staleError(type: string, token: number): WcpError {
  return new WcpError('stale', `Cannot accept "${type}" with token ${token}: a newer job was accepted`)
}

function farError(type: string, token: number): WcpError {
  return new WcpError('conflict', `Cannot accept "${type}" with token ${token}: it is too far above the last one`)
}

function conflictError(type: string, token: number): WcpError {
  return new WcpError('conflict', `Cannot accept "${type}": its token ${token} or its id was used for another job`)
}
