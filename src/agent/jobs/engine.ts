/** The root side's job engine: intake, work, journal and registry put together. README.md tells the boundary, engine-api.ts the contract. */
import { WcpError } from '../../contract/errors.ts'
import type { Fqdn, Id, TenantName } from '../../contract/values.ts'
import { type Account, type DriftPage, inventoryPage, wireVersion } from '../../contract/wire.ts'
import type { Database } from '../../program/native-sqlite.ts'
import { AuthorityAnswers } from '../acme/authority-answers.ts'
import { livingDatabasesOf } from '../kinds/database/facts.ts'
import { identity, siteIn, tenantIn } from '../kinds/judge.ts'
import type { FpmStart } from '../os/services.ts'
import { Measuring } from '../usage/measuring.ts'
import { openAgentDatabase } from './agent-database.ts'
import { Brake } from './brake.ts'
import { Ends } from './ends.ts'
import type { Engine, EngineOptions, HostLookup } from './engine-api.ts'
import { type EngineState, engineState } from './engine-state.ts'
import { Intake } from './intake.ts'
import { Turn } from './lanes.ts'
import { fpmOf, lookupHost } from './lookup.ts'
import { Mode } from './mode.ts'
import { OwnFiles } from './own-files.ts'
import type { Message, Phase } from './phases.ts'
import { isJobType } from './run-job.ts'
import { SshSessionAnswers } from './ssh-session-answers.ts'
import { Work } from './work.ts'

/** Opens registry and journal; when they cannot be trusted the engine still answers, but changes nothing (B14). */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  try {
    const database = await openAgentDatabase(options.databasePath, options.machine)
    const engine = new JobEngine(options, database)
    await engine.agreeOnSetup()
    return engine
  } catch (error) {
    options.log.error({ err: error }, 'registry cannot be used, nothing will be changed')
    return new JobEngine(options, error instanceof Error ? error.message : 'the registry cannot be opened')
  }
}

type FileWish = Pick<Message<'files'>, 'tenant' | 'domain' | 'channel'>

class JobEngine implements Engine {
  readonly #options: EngineOptions
  readonly #state: EngineState | undefined
  readonly #mode = new Mode()
  readonly #work: Work
  readonly #ends: Ends
  readonly #brake: Brake
  readonly #intake: Intake
  readonly #closing = new AbortController()
  readonly #measuring: Measuring
  #drift: ReturnType<Engine['drift']> | undefined
  #page: Promise<DriftPage> | undefined
  readonly #ownFiles: OwnFiles

  constructor(options: EngineOptions, database: Database | string) {
    this.#options = options
    this.#ownFiles = new OwnFiles(options)
    const judging = new Turn()
    if (typeof database === 'string') this.#mode.inspectOnly(database)
    else this.#state = engineState(options, database, judging)
    const journal = () => this.#ready().journal
    this.#work = new Work(options, { mode: this.#mode, judging, state: () => this.#ready() })
    this.#ends = new Ends(journal, (message) => options.emit(message))
    this.#brake = new Brake({
      journal,
      isTenant: (id) => this.#ready().registry.tenant(id) !== undefined,
      budgets: () => options.budgets(),
      approvals: options.machine.places.approvals,
      audit: options.audit,
      log: options.log,
      now: () => options.machine.now(),
    })
    this.#measuring = new Measuring({
      tenant: (id) => this.#ready().registry.tenant(id),
      databases: (tenant) => livingDatabasesOf(this.#ready().registry, tenant),
      measure: async (of, tenants) => {
        if (of === 'disk') await this.#lookedFor()
        return await options.usage(of, tenants, this.#closing.signal)
      },
    })
    this.#intake = new Intake(options, {
      work: this.#work,
      ends: this.#ends,
      brake: this.#brake,
      journal,
      sshSessions: new SshSessionAnswers(options.machine, () => this.#ready().registry),
      authorities: new AuthorityAnswers(options.machine, () => this.#ready().registry),
      phase: () => this.#phase(),
      readOnlyReason: () => this.#mode.readOnly,
      inspect: (what) => this.#inspect(what),
      driftPage: (after) => this.#nextDriftPage(after),
      ownFiles: (what, by) => this.#ownFiles.take(what, by),
      inventory: ({ of, after }) => this.#ready().registry.inventory(of, after, inventoryPage),
      account: (tenant) => this.#account(tenant),
      files: (asked) => this.#openFiles(asked),
      usage: (asked) => this.#measuring.measure(asked),
      tellAudit: () => this.tellAudit(),
      openEpoch: () => this.#openEpoch(),
      closeSetup: () => this.#closeSetup(),
    })
  }

  get readOnly(): string | null {
    return this.#mode.readOnly
  }

  get setupOpen(): boolean {
    return this.#phase() === 'setup'
  }

  /** Closed once is closed for ever, also when one of the two places that know was restored from an older copy. */
  async agreeOnSetup(): Promise<void> {
    const { machine } = this.#options
    const isClosed = this.#ready().registry.isSetupClosed || machine.files.existsNow(machine.places.setupClosed)
    if (isClosed) await this.#closeSetup()
  }

  async recover(): Promise<void> {
    if (this.#mode.readOnly !== null) return
    await this.#work.recover()
    this.#mode.stayUp()
  }

  hello(): void {
    const { emit, version, phpVersions, audit } = this.#options
    emit({
      t: 'hello',
      wire: wireVersion,
      version,
      setupOpen: this.setupOpen,
      readOnly: this.#mode.readOnly,
      running: this.#work.running.map((job) => job.id),
      php: [...phpVersions()],
      unenforced: [...(this.#options.unenforced?.() ?? [])],
      epoch: this.#state?.journal.epoch() ?? 0,
      trail: audit.isOpen ? audit.end : null,
    })
    this.tellAudit()
    this.#ends.forgetAwaited()
    if (this.#mode.readOnly === null) this.#ends.tellUntold()
  }

  tellAudit(): void {
    const { audit, emit } = this.#options
    if (audit.isOpen) emit({ t: 'audited', end: audit.end, head: audit.head() })
  }

  handle(frame: unknown): 'ok' | 'close' {
    try {
      return this.#intake.take(frame)
    } catch (error) {
      // only the journal can throw here
      this.#work.fail(error)
      return 'ok'
    }
  }

  drift(): ReturnType<Engine['drift']> {
    if (this.#state === undefined) return Promise.reject(this.#unavailable())
    this.#drift ??= this.#options.drift(this.#closing.signal).finally(() => {
      this.#drift = undefined
    })
    return this.#drift
  }

  /** One at a time: the panel asks for the next when it has this one. */
  #nextDriftPage(after: TenantName | null): Promise<DriftPage> {
    if (this.#state === undefined) return Promise.reject(this.#unavailable())
    if (this.#page !== undefined) return Promise.reject(new WcpError('busy', 'Cannot look for drift twice at once'))
    const look = () => this.#options.driftPage(this.#closing.signal, after)
    // a panel that had something put back looks for what is left
    this.#page = Promise.all([this.#ownFiles.ended(), this.#lookedFor()])
      .then(look)
      .finally(() => {
        this.#page = undefined
      })
    return this.#page
  }

  /** Resolves when no look is under way that somebody waits for: what goes around the machine all the time begins after it. */
  async #lookedFor(): Promise<void> {
    await this.#drift?.catch(() => undefined)
  }

  lookupHost(name: Fqdn): HostLookup {
    if (this.#state === undefined) return { kind: 'unknown' }
    return lookupHost(this.#state.registry, this.#options.machine, name)
  }

  tenant(name: TenantName): FpmStart | undefined {
    return this.#state && fpmOf(this.#state.registry, name)
  }

  egressPolicies() {
    return this.#state?.registry.egressPolicies() ?? []
  }

  databaseEngines() {
    return this.#state?.registry.databaseEngines() ?? []
  }

  running(): readonly string[] {
    return this.#work.running.map(({ id }) => id)
  }

  stuck(): ReturnType<Engine['stuck']> {
    const jobs = this.#state?.journal.unsettled().filter(({ state }) => state === 'stuck') ?? []
    return jobs.flatMap(({ id, type, failure }) =>
      isJobType(type) ? [{ job: id, type, why: failure?.message ?? '' }] : [],
    )
  }

  async close(): Promise<void> {
    this.#mode.stop('it is being stopped')
    await this.#work.close()
    this.#closing.abort()
    await Promise.allSettled([this.#drift, this.#page, this.#ownFiles.ended()])
    await this.#measuring.ended()
    this.#state?.journal.flush()
    this.#state?.database.close()
  }

  #phase(): Phase {
    if (this.#mode.isStopping) return 'stopping'
    if (this.#mode.readOnly !== null) return 'read-only'
    return this.#ready().registry.isSetupClosed ? 'serving' : 'setup'
  }

  #ready(): EngineState {
    if (this.#state === undefined) throw this.#unavailable()
    return this.#state
  }

  #unavailable(): WcpError {
    return new WcpError('unavailable', `Cannot use the registry: ${this.#mode.readOnly ?? 'it is closed'}`)
  }

  #inspect(what: 'health' | 'drift' | 'audit'): Promise<unknown> {
    switch (what) {
      case 'health':
        return this.#options.health().then((seen) => ({ ...seen, brakes: this.#state ? this.#brake.states() : [] }))
      case 'drift':
        return this.drift()
      case 'audit':
        return this.#options.audit.verify()
    }
  }

  #account(tenant: Id): Account {
    const known = this.#ready().registry.tenant(tenant)
    return known === undefined ? null : { uid: known.uid }
  }

  /** Of a site that is served: whose tenant or site is suspended reaches nothing. */
  async #openFiles({ tenant: id, domain, channel }: FileWish): Promise<void> {
    const { registry } = this.#ready()
    const tenant = tenantIn(registry, id, ['active'])
    const { fqdn } = siteIn(registry, id, domain, ['active'])
    const { customers } = this.#options.machine.places
    const [directory, trash] = [customers.docroot(tenant.name, fqdn), customers.fileTrash(tenant.name, fqdn)]
    const { name, uid, gid } = identity(tenant)
    const worker = { id: channel, name, uid, gid, directory, trash, sliceLimits: tenant.limits }
    await this.#options.openFiles(worker)
  }

  #openEpoch(): number {
    const { journal } = this.#ready()
    this.#options.audit.must({ event: 'epoch.opened', epoch: journal.epoch() + 1 })
    return journal.openEpoch()
  }

  async #closeSetup(): Promise<void> {
    const { machine, audit } = this.#options
    const { files, places } = machine
    if (!this.#ready().registry.isSetupClosed) audit.note({ event: 'setup.closed' })
    if (!files.existsNow(places.setupClosed)) {
      await files.writeFile(places.setupClosed, '', { mode: 0o600, uid: 0, gid: 0 })
    }
    this.#ready().registry.closeSetup(machine.now().toISOString())
  }
}
