/**
 * Judges each message of the panel before anything is done with it: the grammar (B4), the phase (B7), the fence (B10) and the
 * brake on destruction (B12). The panel may be in an attacker's hands; what gets through here is a legal job.
 */
import { WcpError } from '../../contract/errors.ts'
import type { TenantName } from '../../contract/values.ts'
import { type Account, type Inventory, type OwnFilesVerb, PanelMessage } from '../../contract/wire.ts'
import type { AuthorityAnswers } from '../acme/authority-answers.ts'
import { errorCode } from '../os/error-code.ts'
import { Budget } from './budget.ts'
import type { Ends } from './ends.ts'
import type { EngineOptions } from './engine-api.ts'
import { failureOf } from './failure.ts'
import { type GateDoers, JobGate } from './job-gate.ts'
import { parseJob } from './parse-job.ts'
import { type Message, type Phase, phases } from './phases.ts'
import type { PlannedJob } from './plan.ts'
import { Questions } from './questions.ts'
import { type RationedLog, rationedLog } from './rationed-log.ts'
import { RootChecks } from './root-check.ts'
import type { SshSessionAnswers } from './ssh-session-answers.ts'
import type { Work } from './work.ts'

/** The parts of the engine that messages go to once they got through. */
export interface Doers extends GateDoers {
  readonly work: Pick<Work, 'start' | 'open' | 'plan' | 'output' | 'stop' | 'fail'>
  readonly ends: Pick<Ends, 'tell' | 'acknowledged'>
  readonly sshSessions: SshSessionAnswers
  readonly authorities: Pick<AuthorityAnswers, 'sign' | 'signingRequest' | 'prove'>
  phase(): Phase
  readOnlyReason(): string | null
  inspect(what: Message<'inspect'>['what']): Promise<unknown>
  driftPage(after: TenantName | null): Promise<unknown>
  ownFiles(what: OwnFilesVerb, by: string): void
  inventory(page: Pick<Message<'inventory'>, 'of' | 'after'>): Inventory
  account(tenant: Message<'account'>['tenant']): Account
  files(asked: Pick<Message<'files'>, 'tenant' | 'domain' | 'channel'>): Promise<void>
  usage(asked: Pick<Message<'usage'>, 'of' | 'tenants'>): Promise<unknown>
  tellAudit(): void
  /** @returns its number */
  openEpoch(): number
  closeSetup(): Promise<void>
}

/** A store is put back once, and perhaps again when it was the wrong one. */
const epochsAnHour = 4

export class Intake {
  readonly #options: EngineOptions
  readonly #doers: Doers
  readonly #gate: JobGate
  readonly #questions: Questions
  readonly #rootChecks: RootChecks
  readonly #epochs = new Budget(epochsAnHour, 3_600_000)
  readonly #log: RationedLog

  constructor(options: EngineOptions, doers: Doers) {
    this.#options = options
    this.#doers = doers
    this.#log = rationedLog(options.log)
    this.#gate = new JobGate(options, doers, this.#log)
    this.#questions = new Questions((message) => options.emit(message))
    this.#rootChecks = new RootChecks(options, () => doers.phase())
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
        return this.#questions.answer(message.ask, () => this.#doers.inspect(message.what))
      case 'drift_page':
        return this.#questions.answer(message.ask, () => this.#doers.driftPage(message.after))
      case 'inventory':
        return this.#questions.answer(message.ask, async () => this.#doers.inventory(message))
      case 'account':
        return this.#questions.answer(message.ask, async () => this.#doers.account(message.tenant))
      case 'usage':
        return this.#questions.answer(message.ask, () => this.#doers.usage(message))
      case 'output':
        return this.#questions.answer(message.ask, () => this.#doers.work.output(message))
      case 'ssh_sessions':
        return this.#questions.answer(message.ask, async () => this.#doers.sshSessions.tell(message.told))
      case 'end_ssh':
        return this.#questions.answer(message.ask, () => this.#doers.sshSessions.end(message.session))
      case 'acme':
        return this.#questions.answer(message.ask, () => this.#doers.authorities.sign(message.request))
      case 'csr':
        return this.#questions.answer(message.ask, () => this.#doers.authorities.signingRequest(message.certificate))
      case 'prove':
        return this.#questions.answer(message.ask, () => this.#doers.authorities.prove(message.token, message.isThere))
      case 'files':
        return this.#questions.answer(message.ask, () => this.#doers.files(message))
      case 'ping':
        return this.#questions.answer(message.ask, async () => null)
      case 'stop':
        this.#doers.work.stop(message.job)
        return 'ok'
      case 'own_files':
        this.#doers.ownFiles(message.what, message.by)
        return 'ok'
      case 'verify_root':
        return this.#questions.answer(message.ask, () => this.#rootChecks.verify(message))
      case 'new_epoch':
        return this.#questions.answer(message.ask, async () => this.#newEpoch())
      case 'close_setup':
        return this.#questions.answer(message.ask, () => this.#doers.closeSetup())
    }
  }

  #acknowledge({ job }: Message<'ack'>): 'ok' {
    if (this.#doers.phase() === 'read-only') return 'ok'
    this.#doers
      .journal()
      .acknowledge(job)
      .catch((error) => {
        // The panel repeats an acknowledgement that a full disk kept out, at the next connection.
        if (errorCode(error) !== 'SQLITE_FULL') this.#doers.work.fail(error)
      })
    this.#doers.ends.acknowledged(job)
    return 'ok'
  }

  #job(message: Message<'job'>): 'ok' | 'close' {
    const taken = this.#gate.take(message)
    return taken === 'ok' ? 'ok' : this.#reject('job does not fit its contract', taken.malformed)
  }

  /** Entries out of order are not of a panel of ours. */
  #audit({ after, entries }: Message<'audit'>): 'ok' | 'close' {
    if (entries.some(({ sequence }, place) => sequence !== after.sequence + 1 + place))
      return this.#reject('audit entries are not in their order', after.sequence)
    this.#options.audit.mirror(after, entries)
    this.#doers.tellAudit()
    return 'ok'
  }

  #newEpoch(): { readonly epoch: number } {
    const waitMs = this.#epochs.spend()
    if (waitMs > 0) {
      throw new WcpError('too_many_requests', 'Cannot count tokens anew: it was done often within the hour', {
        help: `Look first at why it is done so often; it can be done again in ${Math.ceil(waitMs / 1000)} seconds.`,
      })
    }
    return { epoch: this.#doers.openEpoch() }
  }

  #plan({ ask, jobs }: Message<'plan'>): 'ok' | 'close' {
    const planned: PlannedJob[] = []
    for (const { type, payload } of jobs) {
      const parsed = parseJob(type, payload)
      if ('failure' in parsed) {
        this.#questions.refuse(ask, parsed.failure)
        return this.#reject('plan does not fit its contract', parsed.failure.message)
      }
      planned.push(parsed)
    }
    return this.#questions.answer(ask, () => this.#doers.work.plan(planned))
  }

  #refuse(message: PanelMessage): 'ok' {
    const reason = this.#doers.readOnlyReason()
    const why = reason === null ? 'setup is not closed yet' : `the root side only inspects: ${reason}`
    const failure = failureOf(new WcpError('unavailable', `Cannot do this now: ${why}`), null)
    if (message.t === 'job') return this.#gate.refuseUnread(message, failure, why)
    return 'ask' in message ? this.#questions.refuse(message.ask, failure) : 'ok'
  }

  #reject(message: string, why: unknown): 'close' {
    const reason = String(why instanceof Error ? why.message : why).slice(0, 500)
    this.#log('warn', { reason }, message)
    return 'close'
  }
}
