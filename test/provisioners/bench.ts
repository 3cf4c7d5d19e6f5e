/** A machine of our own below a temporary root: real files and owners, a real registry, and processes that are only noted down. */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuditTrail, openAuditTrail } from '../../src/agent/audit/audit-trail.ts'
import { lookAround, lookOn } from '../../src/agent/drift/drift-main.ts'
import { createEngine } from '../../src/agent/jobs/engine.ts'
import type { Engine, EngineOptions } from '../../src/agent/jobs/engine-api.ts'
import { createFiles, type Files } from '../../src/agent/os/files.ts'
import { parsePool, poolOf, poolsOf, tenantOf } from '../../src/agent/os/fpm-pool.ts'
import { type Layout, layout } from '../../src/agent/os/layout.ts'
import type { Machine } from '../../src/agent/os/machine.ts'
import type { RunEnd, TenantRun } from '../../src/agent/os/run-as/tenant-run.ts'
import type { Services } from '../../src/agent/os/services.ts'
import { openGate, type Preparation, prepareDirectories } from '../../src/agent/prepare.ts'
import { measureUsage } from '../../src/agent/usage/sources.ts'
import { WcpError } from '../../src/contract/errors.ts'
import type { Id, PhpVersion, TenantLimits, TenantName } from '../../src/contract/values.ts'
import type { AgentMessage } from '../../src/contract/wire.ts'
import type { JobType } from '../../src/resources/jobs.ts'
import { NotedDatabases } from './noted-databases.ts'

export type Finished = Extract<AgentMessage, { t: 'finished' }>
export const webGid = 33
export const workersGid = 993
export const auditKey = Buffer.alloc(32, 7)

/** Memory where there is some: thousands of fsyncs say nothing more on a disk. */
function temporary(): string {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}

/** What runs, as a `Services` of a real machine would know it. */
export class NotedServices implements Services {
  readonly kind = 'direct'
  readonly missing = []
  hasOwnViews = true
  readonly awake = new Set<string>()
  /** Ends of commands, by run. */
  readonly runs = new Map<string, RunEnd>()
  readonly limits = new Map<string, TenantLimits>()
  /** What the kernel has other than it was set, until it is set again. */
  notInForce: readonly string[] = []
  reloads = 0
  /** As for a file of somebody else's that nginx does not take. */
  refusesConfig = false

  /** PHP's words about what it does not take. */
  refusal: string | undefined
  readonly asked: Readonly<Record<string, string>>[] = []

  async refusedByPhp(_php: string, _as: object, values: Readonly<Record<string, string>>) {
    this.asked.push(values)
    return this.refusal
  }
  async startFpm({ name, apart }: { name: TenantName; apart?: PhpVersion }) {
    this.awake.add(poolOf(name, apart))
  }
  async stopFpm(tenant: string) {
    this.awake.delete(tenant)
  }
  async awakeFpm() {
    return [...this.awake].flatMap((name) => {
      const pool = parsePool(name)
      return pool ? [{ tenant: tenantOf(pool), pool, isServing: false, work: '', isOutdated: false }] : []
    })
  }
  async crowd() {
    return { memoryBytes: 0, tasks: 0, availableBytes: 1 }
  }
  async applyCeiling() {}
  async applyLimits({ name }: { name: string }, limits: TenantLimits) {
    this.limits.set(name, limits)
    this.notInForce = []
  }
  async limitsNotInForce() {
    return this.notInForce
  }
  async stopTenant(tenant: TenantName) {
    for (const pool of poolsOf(tenant)) this.awake.delete(pool)
  }
  async runsAnything(tenant: TenantName) {
    return poolsOf(tenant).some((pool) => this.awake.has(pool))
  }
  async runAs(run: TenantRun): Promise<RunEnd> {
    const end: RunEnd = { kind: 'exited', code: 0 }
    this.runs.set(run.id, end)
    return end
  }
  async runEnd(_: string, id: Id) {
    return this.runs.get(id)
  }
  async stopRun() {}
  async runOutput() {
    return { from: 0, bytes: Buffer.alloc(0), next: 0 }
  }
  async leaveRuns() {}
  async startFileWorker() {
    return { ended: Promise.resolve(), end: async () => {} }
  }
  async reloadNginx() {
    this.reloads++
    if (this.refusesConfig) throw new WcpError('machine_failed', 'Cannot use nginx: nonsense')
  }
  async states() {
    return []
  }
}

export interface Given {
  readonly job?: string
  readonly token?: number
  readonly epoch?: number
  readonly staff?: boolean
  readonly reseller?: string | null
}

export const plenty = { deletes: 1e6, restores: 1e6, creates: 1e6, suspensions: 1e6, changes: 1e6, runs: 1e6 }

export class Bench {
  readonly root: string
  readonly places: Layout
  readonly services = new NotedServices()
  readonly files: Files
  readonly databases: NotedDatabases
  readonly taken = new Set<string>()
  readonly messages: AgentMessage[] = []
  /** Asked for of files that are no tenant's. */
  readonly ownFiles: [what: string, by: string][] = []
  readonly log: { level: string; message: string; facts: object }[] = []
  audit: AuditTrail | undefined
  #engine: Engine | undefined
  #token = 0

  /** @param root of a bench that another process has made. */
  constructor(root = mkdtempSync(join(temporary(), 'wcp-engine-'))) {
    this.root = root
    this.places = layout(root)
    this.files = createFiles({ root, owner: 0 })
    this.databases = new NotedDatabases(root)
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error('no engine was started')
    return this.#engine
  }

  static async make({ closed = true } = {}): Promise<Bench> {
    const bench = new Bench()
    await bench.prepareEtc()
    bench.databases.install()
    await bench.prepare()
    await bench.start()
    if (closed) await bench.closeSetup()
    return bench
  }

  /** What a bare server has, and `prepareDirectories` builds on. */
  async prepareEtc(): Promise<void> {
    const { root, files, places } = this
    const plain = ['etc', 'etc/wcp360', 'var', 'var/lib', 'var/log', 'srv', 'srv/www', 'run']
    for (const name of plain) await files.makeDirectory(join(root, name), { mode: 0o755, uid: 0, gid: 0 })
    await files.makeDirectory(places.agentState, { mode: 0o700, uid: 0, gid: 0 })
  }

  get preparation(): Preparation {
    const account = { uid: 990, gid: 990 }
    const workers = { name: 'wcp360-web', gid: workersGid }
    const accounts = { panel: account, waker: account, log: account, webGid, workers }
    return { files: this.files, places: this.places, accounts, host: 'panel.example.com' }
  }

  /** As each start of the agent does. */
  async prepare(): Promise<void> {
    await prepareDirectories(this.preparation)
    await openGate(this.preparation, this.services)
    // the same in every process of a test, as what is derived from it is part of the manifest
    await this.files.writeFile(this.places.applicationsKey, 'ab'.repeat(32), { mode: 0o600, uid: 0, gid: 0 })
  }

  machine(files: Files = this.files, services: Services = this.services): Machine {
    return {
      databases: { mariadb: this.databases, postgresql: this.databases },
      places: this.places,
      files,
      services,
      accounts: { panelUid: 990, panelGid: 990, webGid, workersGid },
      now: () => new Date(),
    }
  }

  options(machine: Machine, more: Partial<EngineOptions> = {}): EngineOptions {
    const note = (level: string) => (facts: object, message: string) => this.log.push({ level, message, facts })
    return {
      machine,
      audit: this.openAudit(),
      databasePath: this.places.agentDatabase,
      accounts: {
        userExists: async (key) => this.taken.has(String(key)),
        groupExists: async (key) => this.taken.has(String(key)),
      },
      log: { info: note('info'), warn: note('warn'), error: note('error') },
      emit: (message) => this.messages.push(message),
      version: '0.0.0',
      phpVersions: () => ['8.4', '8.3'],
      health: () => Promise.reject(new Error('not asked here')),
      drift: () => lookAround(this.places, machine.accounts, undefined, machine.databases),
      openFiles: async () => {},
      usage: (of, tenants, signal) => measureUsage[of](machine, tenants, signal),
      driftPage: (_, after) => lookOn(this.places, machine.accounts, { after, web: async () => [] }),
      ownFiles: async (what, by) => void this.ownFiles.push([what, by]),
      budgets: () => plenty,
      verifyRoot: async (password) => password === 'right',
      ...more,
    }
  }

  /** Beside the agent's database, which is no part of the manifest. An earlier one, of an engine that is gone, is closed. */
  openAudit(): AuditTrail {
    this.audit?.close()
    this.audit = openAuditTrail({
      path: join(this.places.agentState, 'audit.log'),
      headPath: this.places.auditHead,
      key: auditKey,
      appendOnly: false,
      now: () => new Date(),
      log: {
        info() {},
        warn: (facts, message) => this.log.push({ level: 'warn', message, facts }),
        error: (facts, message) => this.log.push({ level: 'error', message, facts }),
      },
    })
    return this.audit
  }

  /** A new engine on the same machine and database; an earlier one is not asked to close. */
  async start(machine = this.machine(), more: Partial<EngineOptions> = {}): Promise<Engine> {
    this.#engine = await createEngine(this.options(machine, more))
    await this.#engine.recover()
    return this.#engine
  }

  nextToken(): number {
    this.#token++
    return this.#token
  }

  /** Sends a job and waits for its end. */
  async run(type: JobType | string, payload: unknown, given: Given = {}): Promise<Finished> {
    const { job, ...message } = this.job(type, payload, given)
    this.engine.handle({ ...message, job })
    return this.ended(job)
  }

  /** A job as the panel sends it; staff asks for it unless told otherwise. */
  job(type: JobType | string, payload: unknown, given: Given = {}) {
    const { job = crypto.randomUUID(), token = this.nextToken(), epoch = 0, staff = true, reseller = null } = given
    return { t: 'job', job, type, token, epoch, staff, reseller, payload }
  }

  ended(job: string): Promise<Finished> {
    return this.until((message) => message.t === 'finished' && message.job === job) as Promise<Finished>
  }

  async ask(message: Record<string, unknown>): Promise<Extract<AgentMessage, { t: 'answer' }>> {
    const ask = crypto.randomUUID()
    this.engine.handle({ ...message, ask })
    return (await this.until((one) => one.t === 'answer' && one.ask === ask)) as Extract<AgentMessage, { t: 'answer' }>
  }

  async closeSetup(): Promise<void> {
    await this.ask({ t: 'close_setup' })
  }

  async until(isWanted: (message: AgentMessage) => boolean): Promise<AgentMessage> {
    for (let waited = 0; waited < 20_000; waited++) {
      const found = this.messages.find(isWanted)
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    throw new Error('the engine did not say what was waited for')
  }

  /** Everything below the root that jobs may touch: one line per name. The agent's own state is not among it. */
  manifest(): string {
    return [...this.#lines('')].join('\n')
  }

  *#lines(path: string): Generator<string> {
    const place = join(this.root, path)
    const { mode, uid, gid } = lstatSync(place)
    const line = `${path} ${uid} ${gid} ${mode.toString(8)}`
    switch (mode & constants.S_IFMT) {
      case constants.S_IFLNK:
        return yield `${line} ${readlinkSync(place)}`
      case constants.S_IFREG:
        // a key is another one each time it is made
        return yield `${line} ${path.endsWith('/privkey.pem') ? 'a key' : readFileSync(place, 'base64')}`
    }
    yield line
    if (path === 'var/lib/wcp360-agent') return
    for (const name of readdirSync(place).sort()) yield* this.#lines(join(path, name))
  }

  /** The registry as text, without what only the journal knows. */
  async registryText(): Promise<string> {
    const { openDatabase } = await import('../../src/program/native-sqlite.ts')
    const database = openDatabase(this.places.agentDatabase, { readonly: true })
    try {
      return ['tenants', 'sites', 'hosts', 'things']
        .map((table) => JSON.stringify(database.prepare(`select * from ${table} order by 1`).all()))
        .join('\n')
    } finally {
      database.close()
    }
  }

  /** Keeps everything as it is now, to come back to it. */
  async save(): Promise<() => Promise<void>> {
    await this.engine.close()
    const kept = `${this.root}.kept`
    rmSync(kept, { recursive: true, force: true })
    execFileSync('/bin/cp', ['-a', this.root, kept])
    const awake = [...this.services.awake]
    const limits = [...this.services.limits]
    const runs = [...this.services.runs]
    return async () => {
      rmSync(this.root, { recursive: true, force: true })
      execFileSync('/bin/cp', ['-a', kept, this.root])
      this.services.awake.clear()
      this.services.limits.clear()
      this.services.runs.clear()
      for (const [id, end] of runs) this.services.runs.set(id, end)
      for (const name of awake) this.services.awake.add(name)
      for (const [name, value] of limits) this.services.limits.set(name, value)
      this.messages.length = 0
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
    rmSync(`${this.root}.kept`, { recursive: true, force: true })
  }
}

export function newId(): Id {
  return crypto.randomUUID() as Id // made here as every id is
}
