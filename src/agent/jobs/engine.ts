/** The root side's job engine: intake, lanes, journal and registry put together. README.md tells the boundary, engine-api.ts the contract. */
import { WcpError } from '../../contract/errors.ts'
import type { Fqdn, TenantName } from '../../contract/values.ts'
import { inventoryPage, type RunOutput, wireVersion } from '../../contract/wire.ts'
import type { Database } from '../../program/native-sqlite.ts'
import { type RunTarget, runOf } from '../kinds/domain/run.ts'
import { provisioners } from '../kinds/index.ts'
import { identity } from '../kinds/judge.ts'
import type { World } from '../kinds/provisioner.ts'
import type { FpmStart } from '../os/services.ts'
import { openAgentDatabase } from './agent-database.ts'
import { Brake } from './brake.ts'
import type { Engine, EngineOptions, HostLookup } from './engine-api.ts'
import { failureOf } from './failure.ts'
import { Intake, type Phase } from './intake.ts'
import { Journal, type JournaledJob } from './journal.ts'
import { Lanes, Turn } from './lanes.ts'
import { type PlannedJob, planJobs } from './plan.ts'
import { interrupted, stuckBefore } from './recover.ts'
import { Registry, type SiteRecord } from './registry.ts'
import { finishedEvent, isJobType, runJob, type Workshop } from './run-job.ts'
import { outputPageBytes, outputText } from './run-output.ts'

/** Of jobs that have ended: so long, and no more than so many that ended longer ago than a brake counts. */
const keptDays = 30
const mostKept = 20_000
const hourMs = 3_600_000
/** After so many accepted jobs what is kept is bounded anew. */
const forgetEach = 1000

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

interface State {
  readonly database: Database
  readonly registry: Registry
  readonly journal: Journal
  readonly workshop: Workshop
}

/** Of different tenants; each waits for a process and costs the agent nothing meanwhile. */
const besideAtOnce = 64

/** Ends that are told again before the first of them has to be confirmed. */
const endsAtOnce = 200

class JobEngine implements Engine {
  readonly #options: EngineOptions
  readonly #state: State | undefined
  readonly #lanes: Lanes
  /** Jobs that go on beside the others: commands of tenants, which may take an hour. */
  readonly #beside = new Lanes(besideAtOnce)
  /** Told to end, some of them before they began. */
  readonly #cancelled = new Set<JournaledJob['id']>()
  readonly #judging = new Turn()
  readonly #running = new Map<string, JournaledJob>()
  /** Ends that were told again at this connection and are not confirmed yet. */
  readonly #awaited = new Set<JournaledJob['id']>()
  readonly #intake: Intake
  readonly #brake: Brake
  #readOnly: string | null = null
  /** No more work is begun: the engine is being closed, or its journal failed. */
  #isStopping = false
  #isRecovering = false
  #open = 0
  #accepted = 0
  readonly #closing = new AbortController()
  #drift: Promise<Awaited<ReturnType<Engine['drift']>>> | undefined

  constructor(options: EngineOptions, database: Database | string) {
    this.#options = options
    this.#lanes = new Lanes(options.parallel ?? 4)
    if (typeof database === 'string') this.#readOnly = database
    else this.#state = this.#stateOf(database)
    this.#brake = new Brake({
      journal: () => this.#ready().journal,
      isTenant: (id) => this.#ready().registry.tenant(id) !== undefined,
      budgets: () => options.budgets(),
      approvals: options.machine.places.approvals,
      audit: options.audit,
      log: options.log,
      now: () => options.machine.now(),
    })
    this.#intake = new Intake(options, {
      brake: this.#brake,
      openEpoch: () => this.#openEpoch(),
      phase: () => this.#phase(),
      readOnlyReason: () => this.#readOnly,
      journal: () => this.#ready().journal,
      start: (job) => {
        this.#add(job)
        this.#accepted++
        if (this.#accepted % forgetEach === 0) this.#forget()
      },
      openJobs: () => this.#open,
      tellEnd: (job) => this.#tellEnd(job),
      acknowledged: (job) => this.#acknowledged(job),
      plan: (jobs) => this.#plan(jobs),
      inspect: (what) => this.#inspect(what),
      inventory: ({ of, after }) => this.#ready().registry.inventory(of, after, inventoryPage),
      output: ({ job, after }) => this.#output(job, after),
      stop: (job) => this.#stop(job),
      tellAudit: () => this.tellAudit(),
      closeSetup: () => this.#closeSetup(),
      broken: (error) => this.#break(error),
    })
  }

  get readOnly(): string | null {
    return this.#readOnly
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
    if (this.#readOnly !== null) return
    const { journal } = this.#ready()
    this.#forget()
    const jobs = interrupted(journal)
    for (const job of jobs) this.#options.log.warn({ job: job.id, type: job.type, state: job.state }, 'job is resumed')
    this.#isRecovering = true
    for (const job of jobs) this.#add(job)
    await this.#lanes.idle()
    this.#isRecovering = false
    if (this.#readOnly !== null) this.#isStopping = false // it stays up, and inspects
  }

  hello(): void {
    const { emit, version, phpVersions, audit } = this.#options
    emit({
      t: 'hello',
      wire: wireVersion,
      version,
      setupOpen: this.setupOpen,
      readOnly: this.#readOnly,
      running: [...this.#running.values()].map((job) => job.id),
      php: [...phpVersions()],
      epoch: this.#state?.journal.epoch() ?? 0,
      trail: audit.isOpen ? audit.end : null,
    })
    this.tellAudit()
    this.#awaited.clear()
    if (this.#readOnly === null) this.#tellUntold()
  }

  /** The next ones follow when these are confirmed: however many there are, the line and the memory stay bounded. */
  #tellUntold(): void {
    for (const job of this.#ready().journal.untold(endsAtOnce)) {
      this.#awaited.add(job.id)
      this.#tellEnd(job)
    }
  }

  #acknowledged(job: JournaledJob['id']): void {
    if (this.#awaited.delete(job) && this.#awaited.size === 0) this.#tellUntold()
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
      this.#break(error)
      return 'ok'
    }
  }

  drift(): Promise<Awaited<ReturnType<Engine['drift']>>> {
    if (this.#state === undefined) return Promise.reject(this.#unavailable())
    this.#drift ??= this.#options.drift(this.#closing.signal).finally(() => {
      this.#drift = undefined
    })
    return this.#drift
  }

  lookupHost(name: Fqdn): HostLookup {
    if (this.#state === undefined) return { kind: 'unknown' }
    const { registry } = this.#state
    const host = registry.host(name)
    const site = host && registry.site(host.site)
    const tenant = site && registry.tenant(site.tenant)
    if (site === undefined || tenant === undefined) return { kind: 'unknown' }
    const { web } = this.#options.machine.places
    // the markers, not the registry: a suspension that has just begun counts
    const markers = [web.live(tenant.name), `${web.site(tenant.name, site.fqdn)}/live`]
    if (!markers.every((marker) => this.#options.machine.files.existsNow(marker))) return { kind: 'suspended' }
    if (site.php === null) return { kind: 'static' }
    const { name: tenantName, uid, gid } = identity(tenant)
    return { kind: 'php', start: { name: tenantName, uid, gid, php: site.php, limits: tenant.limits } }
  }

  tenant(name: TenantName): FpmStart | undefined {
    const registry = this.#state?.registry
    const tenant = registry?.tenantNamed(name)
    if (registry === undefined || tenant === undefined) return undefined
    const php = registry.sitesOf(tenant.id).find(hasPhp)?.php
    if (php == null) return undefined
    const { uid, gid } = identity(tenant)
    return { name, uid, gid, php, limits: tenant.limits }
  }

  egressPolicies() {
    return this.#state?.registry.egressPolicies() ?? []
  }

  running(): readonly string[] {
    return [...this.#running.keys()]
  }

  stuck(): ReturnType<Engine['stuck']> {
    const jobs = this.#state?.journal.unsettled().filter(({ state }) => state === 'stuck') ?? []
    return jobs.flatMap(({ id, type, failure }) =>
      isJobType(type) ? [{ job: id, type, why: failure?.message ?? '' }] : [],
    )
  }

  async close(): Promise<void> {
    this.#isStopping = true
    this.#readOnly ??= 'it is being stopped'
    const lanes = [this.#lanes.close(), this.#beside.close()]
    await this.#options.machine.services.leaveRuns()
    await Promise.all(lanes)
    this.#closing.abort()
    await this.#drift?.catch(() => {})
    this.#state?.journal.flush()
    this.#state?.database.close()
  }

  #stateOf(database: Database): State {
    const { machine, accounts, log, audit, emit, phpVersions, version, heartbeatMs = 3000 } = this.#options
    const registry = new Registry(database)
    const journal = new Journal(database)
    const world: World = { registry, machine, accounts, phpVersions }
    const workshop = { world, journal, log, audit, emit, judging: this.#judging, heartbeatMs, version }
    return { database, registry, journal, workshop }
  }

  #phase(): Phase {
    if (this.#isStopping) return 'stopping'
    if (this.#readOnly !== null) return 'read-only'
    return this.#ready().registry.isSetupClosed ? 'serving' : 'setup'
  }

  #ready(): State {
    if (this.#state === undefined) throw this.#unavailable()
    return this.#state
  }

  #unavailable(): WcpError {
    return new WcpError('unavailable', `Cannot use the registry: ${this.#readOnly ?? 'it is closed'}`)
  }

  #add(job: JournaledJob): void {
    this.#open++
    // What is to be undone is over soon, and nothing of the tenant may go before it.
    const isBeside = isRun(job) && (job.state === 'queued' || job.state === 'running')
    const lanes = isBeside ? this.#beside : this.#lanes
    lanes.add(job.tenant, () => this.#work(job).finally(() => this.#open--))
  }

  async #work(job: JournaledJob): Promise<void> {
    if (this.#state === undefined || this.#isStopping) return
    const { journal, workshop } = this.#state
    this.#running.set(job.id, job)
    try {
      const before = stuckBefore(journal, job)
      if (before !== undefined) await runJob(before, workshop)
      const still = stuckBefore(journal, job)
      if (this.#cancelled.delete(job.id) && job.state === 'queued') await this.#refuse(job, cancelledError())
      else if (still === undefined) await runJob(job, workshop)
      else await this.#refuseBehind(still, job)
    } catch (error) {
      this.#break(error)
    } finally {
      this.#running.delete(job.id)
    }
  }

  async #refuseBehind(stuck: JournaledJob, job: JournaledJob): Promise<void> {
    const message = `Cannot begin: "${stuck.type}" of this tenant was interrupted and could not be undone`
    const error = new WcpError('conflict', message, {
      help: stuck.failure?.help ?? 'Look into the log of the root side.',
    })
    await this.#refuse(job, error)
  }

  #stop(id: JournaledJob['id']): void {
    const job = this.#ready().journal.job(id)
    if (job === undefined || !isRun(job)) return
    const { machine, log } = this.#options
    const isBegun = this.#running.has(id)
    if (job.state === 'queued' && isBegun) setTimeout(() => this.#stop(id), 100).unref() // it is being judged
    if (job.state === 'queued' && !isBegun) this.#cancelled.add(id)
    if (job.state !== 'running' || !isBegun) return
    machine.services.stopRun(runOf(job.target as RunTarget, machine)).catch((err) => {
      log.error({ err, job: id }, 'command could not be ended')
    })
  }

  async #output(id: JournaledJob['id'], after: number): Promise<RunOutput> {
    const job = this.#ready().journal.job(id)
    if (job === undefined || !isRun(job)) throw new WcpError('not_found', `Cannot find a command of job "${id}"`)
    if (job.target === null) return { text: '', from: after, next: after }
    const { tenant, run } = job.target as RunTarget // what its provisioner made
    return outputText(await this.#options.machine.services.runOutput(tenant.name, run, after, outputPageBytes))
  }

  async #refuse(job: JournaledJob, error: WcpError): Promise<void> {
    const failure = failureOf(error, null)
    this.#options.audit.note(finishedEvent(job, failure))
    await this.#ready().journal.finish(job, failure, () => {})
    this.#options.emit({ t: 'finished', job: job.id, token: job.token, failure })
  }

  /** The journal failed: what was begun stays as it is and is settled at the next start. */
  #break(error: unknown): void {
    this.#options.log.error({ err: error }, 'journal cannot be used, nothing more will be changed')
    this.#isStopping = true
    this.#readOnly ??= 'its journal cannot be written; it must be started again'
    if (!this.#isRecovering) this.#options.broken?.(this.#readOnly)
  }

  #tellEnd(job: JournaledJob): void {
    const hasEnded = job.state === 'succeeded' || job.state === 'failed' || job.state === 'stuck'
    if (!hasEnded) return
    this.#options.emit({ t: 'finished', job: job.id, token: job.token, failure: job.failure })
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

  #plan(jobs: readonly PlannedJob[]) {
    return planJobs(jobs, this.#ready().workshop.world, this.#judging)
  }

  #openEpoch(): number {
    const { journal } = this.#ready()
    this.#options.audit.must({ event: 'epoch.opened', epoch: journal.epoch() + 1 })
    return journal.openEpoch()
  }

  #forget(): void {
    const now = this.#options.machine.now().getTime()
    const before = (hours: number) => new Date(now - hours * hourMs).toISOString()
    this.#ready().journal.forget({ before: before(keptDays * 24), beyond: { before: before(2), most: mostKept } })
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

function isRun({ type }: JournaledJob): boolean {
  return isJobType(type) && provisioners[type].contract.beside === true
}

function cancelledError(): WcpError {
  return new WcpError('conflict', 'Cannot run the command: it was cancelled before it began')
}

function hasPhp({ php, state }: SiteRecord): boolean {
  return php !== null && (state === 'active' || state === 'suspended')
}
