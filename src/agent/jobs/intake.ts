/**
 * What the panel says, judged before anything is done with it: the grammar (B4), the phase (B7), the fence (B10) and the
 * brake on destruction (B12). The panel may be in an attacker's hands; what gets through here is a legal job.
 */
import type { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { fitsFrame } from '../../contract/frame.ts'
import { fencedOf, type JobTarget, parsePayload } from '../../contract/job.ts'
import { type Failure, type Inventory, PanelMessage, type RootCheck, type RunOutput } from '../../contract/wire.ts'
import { provisioners } from '../kinds/index.ts'
import type { AnyProvisioner } from '../kinds/provisioner.ts'
import { errorCode } from '../os/error-code.ts'
import type { Brake } from './brake.ts'
import { Budget } from './budget.ts'
import type { EngineOptions } from './engine-api.ts'
import { failureOf } from './failure.ts'
import type { Acceptance, Journal, JournaledJob, NewJob } from './journal.ts'
import type { PlannedJob } from './plan.ts'
import { type RationedLog, rationedLog } from './rationed-log.ts'
import { isJobType } from './run-job.ts'
import { setupRefusal, spendSetupCode } from './setup-window.ts'

type Kind = PanelMessage['t']
type Message<K extends Kind> = Extract<PanelMessage, { t: K }>
export type Phase = 'setup' | 'serving' | 'read-only' | 'stopping'
/** `refuse`: answered with a failure. `ignore`: said again at the next connection. `fatal`: a panel of ours never says it here, so the connection ends. */
type Verdict = 'permit' | 'refuse' | 'ignore' | 'fatal'

const phases: Record<Phase, Record<Kind, Verdict>> = {
  setup: {
    job: 'refuse',
    ack: 'permit',
    audit: 'permit',
    plan: 'refuse',
    inspect: 'permit',
    inventory: 'permit',
    output: 'refuse',
    stop: 'ignore',
    verify_root: 'permit',
    new_epoch: 'permit',
    close_setup: 'permit',
  },
  serving: {
    job: 'permit',
    ack: 'permit',
    audit: 'permit',
    plan: 'permit',
    inspect: 'permit',
    inventory: 'permit',
    output: 'permit',
    stop: 'permit',
    verify_root: 'fatal',
    new_epoch: 'permit',
    close_setup: 'permit', // said again by a panel that did not hear the answer
  },
  'read-only': {
    job: 'refuse',
    ack: 'permit',
    audit: 'permit',
    plan: 'refuse',
    inspect: 'permit',
    inventory: 'refuse',
    output: 'permit',
    stop: 'ignore',
    verify_root: 'fatal',
    new_epoch: 'refuse',
    close_setup: 'refuse',
  },
  stopping: {
    job: 'ignore',
    ack: 'ignore',
    audit: 'ignore',
    plan: 'refuse',
    inspect: 'refuse',
    inventory: 'refuse',
    output: 'refuse',
    stop: 'ignore',
    verify_root: 'refuse',
    new_epoch: 'refuse',
    close_setup: 'refuse',
  },
}

/** What the engine does with messages that got through. Each answers on its own. */
export interface Doers {
  readonly brake: Brake
  phase(): Phase
  readOnlyReason(): string | null
  journal(): Journal
  /** A new job was accepted and waits for its turn. */
  start(job: JournaledJob): void
  /** Jobs accepted and not ended. */
  openJobs(): number
  tellEnd(job: JournaledJob): void
  acknowledged(job: JournaledJob['id']): void
  plan(jobs: readonly PlannedJob[]): Promise<unknown>
  inspect(what: Message<'inspect'>['what']): Promise<unknown>
  inventory(page: Pick<Message<'inventory'>, 'of' | 'after'>): Inventory
  output(page: Pick<Message<'output'>, 'job' | 'after'>): Promise<RunOutput>
  /** Ends what the job runs, if it is one that can be ended. */
  stop(job: JournaledJob['id']): void
  tellAudit(): void
  /** @returns its number */
  openEpoch(): number
  closeSetup(): Promise<void>
  /** The journal could not be written. */
  broken(error: unknown): void
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
const mostQuestions = 16
/** A store is put back once, and perhaps again when it was the wrong one. */
const epochsAnHour = 4

export class Intake {
  readonly #options: EngineOptions
  readonly #doers: Doers
  readonly #rootChecks = new Budget(5, 60_000)
  readonly #epochs = new Budget(epochsAnHour, 3_600_000)
  readonly #log: RationedLog
  #questions = 0
  #isCheckingRoot = false

  constructor(options: EngineOptions, doers: Doers) {
    this.#options = options
    this.#doers = doers
    this.#log = rationedLog(options.log)
  }

  /** @returns whether the connection may go on. */
  take(frame: unknown): 'ok' | 'close' {
    const parsed = PanelMessage.safeParse(frame)
    if (!parsed.success) return this.#reject('message does not fit the grammar', parsed.error)
    const message = parsed.data
    const verdict = phases[this.#doers.phase()][message.t]
    if (verdict === 'fatal') return this.#reject('message is not for this phase', message.t)
    if (verdict === 'ignore') return 'ok'
    if (verdict === 'refuse') return this.#refuse(message)
    return this.#do(message)
  }

  #do(message: PanelMessage): 'ok' | 'close' {
    switch (message.t) {
      case 'job':
        return this.#job(message)
      case 'ack':
        return this.#acknowledge(message)
      case 'audit':
        return this.#audit(message)
      case 'plan':
        return this.#plan(message)
      case 'inspect':
        return this.#answer(message.ask, () => this.#doers.inspect(message.what))
      case 'inventory':
        return this.#answer(message.ask, async () => this.#doers.inventory(message))
      case 'output':
        return this.#answer(message.ask, () => this.#doers.output(message))
      case 'stop':
        this.#doers.stop(message.job)
        return 'ok'
      case 'verify_root':
        return this.#answer(message.ask, () => this.#verifyRoot(message))
      case 'new_epoch':
        return this.#answer(message.ask, async () => this.#newEpoch())
      case 'close_setup':
        return this.#answer(message.ask, () => this.#doers.closeSetup())
    }
  }

  #acknowledge({ job }: Message<'ack'>): 'ok' {
    if (this.#doers.phase() !== 'read-only') {
      this.#doers
        .journal()
        .acknowledge(job)
        .catch((error) => {
          // What a full disk keeps out is said again, at the next connection.
          if (errorCode(error) !== 'SQLITE_FULL') this.#doers.broken(error)
        })
      this.#doers.acknowledged(job)
    }
    return 'ok'
  }

  #job({ job: id, type, token, payload: raw, ...from }: Message<'job'>): 'ok' | 'close' {
    const parsed = parseJob(type, raw)
    if ('failure' in parsed) {
      const { code, message } = parsed.failure
      const problem = message.slice(0, 500)
      this.#options.audit.refused('malformed', { event: 'job.refused', job: id, type, token, code, problem })
      this.#end(id, token, parsed.failure)
      return this.#reject('job does not fit its contract', message)
    }
    const { provisioner, payload } = parsed
    const { contract } = provisioner
    const resource = fencedOf(contract, payload)
    const now = this.#options.machine.now()
    const { tenant } = payload
    const told = { job: id, type, token, tenant, resource }
    // What was accepted before is only told again: neither a full disk nor the brake has a say in it.
    if (this.#doers.journal().job(id) === undefined) {
      const refusal = this.#lack(contract)
      if (refusal !== undefined) return this.#refuseJob(told, refusal)
      const { staff, reseller } = from
      const reason = this.#doers.brake.holds(contract.brake, { id, type, tenant, staff, reseller })
      if (reason !== undefined) return this.#hold(id, reason)
    }
    const { epoch, staff, reseller } = from
    const job = { id, type, resource, tenant, token, epoch, staff, reseller, payload }
    const accepted = this.#accept(job, now, told)
    if (accepted instanceof WcpError) return this.#refuseJob(told, accepted)
    switch (accepted.verdict) {
      case 'accepted':
        this.#doers.start(accepted.job)
        return 'ok'
      case 'known':
        this.#doers.tellEnd({ ...accepted.job, id })
        return 'ok'
      case 'far':
        this.#log('error', { job: id, type, token }, 'job has a token far above the last one')
        return this.#refuseJob(told, farError(type, token))
      case 'stale':
        return this.#refuseJob(told, staleError(type, token))
      case 'conflict':
        this.#log('error', { job: id, type, token }, 'job contradicts one that was accepted')
        return this.#refuseJob(told, conflictError(type, token))
    }
  }

  /** What cannot be written down, into the journal or the audit log, is not accepted. */
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

  #refuseJob(told: ToldJob, error: WcpError): 'ok' {
    this.#options.audit.refused('refused', { event: 'job.refused', ...told, code: error.code, problem: error.message })
    return this.#end(told.job, told.token, failureOf(error, null))
  }

  /** Entries out of order are not of a panel of ours. */
  #audit({ after, entries }: Message<'audit'>): 'ok' | 'close' {
    if (entries.some(({ sequence }, place) => sequence !== after.sequence + 1 + place))
      return this.#reject('audit entries are not in their order', after.sequence)
    this.#options.audit.mirror(after, entries)
    this.#doers.tellAudit()
    return 'ok'
  }

  /** Why nothing new of this type may be begun now. */
  #lack({ destructive, type }: AnyProvisioner['contract']): WcpError | undefined {
    if (this.#doers.openJobs() >= mostOpenJobs) {
      return new WcpError('busy', `Cannot accept "${type}": ${mostOpenJobs} jobs wait already`)
    }
    return destructive || needsNoRoom(type) ? undefined : this.#options.lackOfRoom?.()
  }

  #newEpoch(): { readonly epoch: number } {
    const waitMs = this.#epochs.spend()
    if (waitMs > 0) {
      throw new WcpError('too_many_requests', 'Cannot count tokens anew: it was done often within the hour', {
        details: { retryAfterSeconds: Math.ceil(waitMs / 1000) },
      })
    }
    return { epoch: this.#doers.openEpoch() }
  }

  #plan({ ask, jobs }: Message<'plan'>): 'ok' | 'close' {
    const planned: PlannedJob[] = []
    for (const { type, payload } of jobs) {
      const parsed = parseJob(type, payload)
      if ('failure' in parsed) {
        this.#options.emit({ t: 'answer', ask, value: null, failure: parsed.failure })
        return this.#reject('plan does not fit its contract', parsed.failure.message)
      }
      planned.push(parsed)
    }
    return this.#answer(ask, () => this.#doers.plan(planned))
  }

  /**
   * Who lacks the code uses up nothing. Then one at a time, five a minute. A check that fails in any way is no yes (B14):
   * the panel is told that it failed.
   */
  async #verifyRoot({ password, code, from }: Message<'verify_root'>): Promise<RootCheck> {
    const { machine, log } = this.#options
    const refused = setupRefusal(machine, code, log)
    if (refused !== undefined) return { ok: false, retryAfterSeconds: null, refused }
    const waitMs = this.#isCheckingRoot ? 1000 : this.#rootChecks.spend()
    if (waitMs > 0) return { ok: false, retryAfterSeconds: Math.ceil(waitMs / 1000), refused: null }
    this.#isCheckingRoot = true
    try {
      const isRoot = (await this.#options.verifyRoot(password, from)) === true
      if (!isRoot || this.#doers.phase() !== 'setup') return { ok: false, retryAfterSeconds: null, refused: 'password' }
      await spendSetupCode(machine)
      return { ok: true, retryAfterSeconds: null, refused: null }
    } catch (error) {
      this.#options.log.error({ err: error }, 'root password could not be checked')
      throw error
    } finally {
      this.#isCheckingRoot = false
    }
  }

  #answer(ask: Message<'plan'>['ask'], work: () => Promise<unknown>): 'ok' {
    const tell = (value: unknown, failure: Failure | null) => this.#tell(ask, value ?? null, failure)
    if (this.#questions >= mostQuestions) {
      tell(null, failureOf(new WcpError('busy', 'Cannot answer so many questions at once'), null))
      return 'ok'
    }
    this.#questions++
    work()
      .then(
        (value) => tell(value, null),
        (error) => tell(null, failureOf(error, null)),
      )
      .finally(() => this.#questions--)
    return 'ok'
  }

  /** An answer that no frame can hold is said to be that: thrown here, it would end the agent. */
  #tell(ask: Message<'plan'>['ask'], value: unknown, failure: Failure | null): void {
    const answer = { t: 'answer', ask, value, failure } as const
    const tooLong = new WcpError('too_large', 'Cannot tell it: the answer is longer than a message may be')
    this.#options.emit(fitsFrame(answer) ? answer : { ...answer, value: null, failure: failureOf(tooLong, null) })
  }

  #refuse(message: PanelMessage): 'ok' {
    const reason = this.#doers.readOnlyReason()
    const why = reason === null ? 'setup is not closed yet' : `the root side only inspects: ${reason}`
    const failure = failureOf(new WcpError('unavailable', `Cannot do this now: ${why}`), null)
    if (message.t === 'job') {
      const { job, type, token } = message
      this.#options.audit.refused('refused', {
        event: 'job.refused',
        job,
        type,
        token,
        code: failure.code,
        problem: why,
      })
      return this.#end(job, token, failure)
    }
    if ('ask' in message) this.#options.emit({ t: 'answer', ask: message.ask, value: null, failure })
    return 'ok'
  }

  #end(job: JournaledJob['id'], token: number, failure: Failure): 'ok' {
    this.#options.emit({ t: 'finished', job, token, failure })
    return 'ok'
  }

  #reject(message: string, why: unknown): 'close' {
    const reason = String(why instanceof Error ? why.message : why).slice(0, 500)
    this.#log('warn', { reason }, message)
    return 'close'
  }
}

type ParsedJob = { provisioner: AnyProvisioner; payload: JobTarget } | { failure: Failure }

function parseJob(type: string, raw: unknown): ParsedJob {
  if (!isJobType(type)) return { failure: badInput(`Cannot do "${type}": there is no such job`) }
  const provisioner = provisioners[type]
  const parsed = parsePayload(provisioner.contract, raw)
  if (!parsed.success) return { failure: badInput(`Cannot do "${type}": ${said(parsed.error)}`) }
  return { provisioner, payload: parsed.data }
}

function said(error: z.ZodError): string {
  const issue = error.issues[0]
  return issue === undefined ? 'the payload is wrong' : `${issue.path.join('.') || 'payload'}: ${issue.message}`
}

function badInput(message: string): Failure {
  return failureOf(new WcpError('bad_input', message), null)
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
