/** An agent as the panel sees one: real frames over the real socket, doing what the test says. */
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { AuditTrail } from '../../../src/agent/audit/audit-trail.ts'
import { fileWireVersion } from '../../../src/contract/file-wire.ts'
import { encodeFrame, FrameDecoder } from '../../../src/contract/frame.ts'
import type { Id } from '../../../src/contract/values.ts'
import {
  type AgentMessage,
  type DriftReport,
  type Failure,
  type HealthSnapshot,
  type Inventory,
  type LimitName,
  PanelMessage,
  type RunOutput,
  wireVersion,
} from '../../../src/contract/wire.ts'
import { serve } from '../../../src/file-worker/serve.ts'
import { FileLine } from '../../../src/lib/file-line.ts'
import { exampleInput } from '../../../src/resources/index.ts'

type Job = Extract<PanelMessage, { t: 'job' }>

/** `hold`: accepts and stays silent until the test ends the job. */
export type JobPlay = 'succeed' | 'hold' | 'ignore' | 'brake' | Failure

export interface Machine {
  setupOpen: boolean
  rootPassword: string
  /** Spent with root's sign-in, as the real one's; null: setup is closed to the network. */
  setupCode: string | null
  running: Id[]
  /** Answers no ping. */
  isFrozen: boolean
  /** What happens to a job; asked at each delivery. */
  play: (job: Job) => JobPlay
  /** Results by token, as the real one keeps them on disk. */
  readonly results: Map<string, Failure | null>
  /** Of its health what is not as usual. */
  health: Partial<HealthSnapshot>
  unenforced: LimitName[]
  /** What is measured of these tenants. */
  usage: (of: string, tenants: readonly Id[]) => unknown
  /** Jobs that have not reached it have no output. */
  hasJob: (job: Id) => boolean
  driftPage: (after: string | null) => { readonly items: DriftReport; readonly next: string | null }
  inventory: (of: string) => Inventory
  /** Directory of every site. */
  site: () => string
  /** Takes the audit trail; without it the agent never asks for any. */
  audit: AuditTrail | null
  /** Everything that the panel has sent, over all connections. */
  readonly heard: PanelMessage[]
}

export function machine(over: Partial<Machine> = {}): Machine {
  return {
    setupOpen: false,
    rootPassword: 'root-password',
    setupCode,
    running: [],
    isFrozen: false,
    play: () => 'succeed',
    unenforced: [],
    usage: () => [],
    hasJob: () => true,
    results: new Map(),
    health: {},
    driftPage: () => ({ items: [], next: null }),
    inventory: () => [],
    site: exampleSite,
    audit: null,
    heard: [],
    ...over,
  }
}

/** Of this process; gone with it. */
let made: string | undefined
function exampleSite(): string {
  if (made !== undefined) return made
  const site = mkdtempSync(join(tmpdir(), 'wcp-example-site-'))
  process.once('exit', () => removeSite(site))
  made = site
  resetExampleSite()
  return site
}

/** The files, and what is in the trash, that the examples name, and nothing else. What is so already keeps its times. */
export function resetExampleSite(): void {
  if (made === undefined) return
  const discarded = exampleInput({ name: 'file.restore' }).name
  const texts = {
    [`${made}/index.html`]: '<h1>Bread</h1>\n',
    [`${made}-trash/${discarded}/path`]: 'old.html',
    [`${made}-trash/${discarded}/thing`]: '<h1>Rolls</h1>\n',
  }
  const isThere = (file: string) => existsSync(file) && readFileSync(file, 'utf8') === texts[file]
  const names = [made, `${made}-trash`].map((directory) => existsSync(directory) && readdirSync(directory).join())
  if (names.join() === `index.html,${discarded}` && Object.keys(texts).every(isThere)) return
  removeSite(made)
  for (const [file, text] of Object.entries(texts)) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
}

function removeSite(site: string): void {
  for (const directory of [site, `${site}-trash`]) rmSync(directory, { recursive: true, force: true })
}

export const failure: Failure = {
  step: 'php pool',
  code: 'machine_failed',
  message: 'Cannot start "php": it is broken',
  help: 'Mend it.',
}

export class ScriptedAgent {
  readonly #machine: Machine
  readonly #socket: Socket
  readonly #path: string
  readonly closed: Promise<unknown>

  private constructor(socket: Socket, scripted: Machine, path: string) {
    this.#socket = socket
    this.#path = path
    this.#machine = scripted
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    const decoder = new FrameDecoder()
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      for (const value of decoder.push(chunk)) this.#hear(PanelMessage.parse(value))
    })
  }

  static async dial(path: string, scripted: Machine, hello: { wire?: number } = {}): Promise<ScriptedAgent> {
    const socket = connect(path)
    await once(socket, 'connect')
    const agent = new ScriptedAgent(socket, scripted, path)
    agent.tell({
      t: 'hello',
      wire: hello.wire ?? wireVersion,
      version: '0.1.0',
      setupOpen: scripted.setupOpen,
      readOnly: null,
      running: scripted.running,
      php: ['8.4', '8.2'],
      unenforced: scripted.unenforced,
      epoch: 0,
      trail: scripted.audit?.end ?? null,
    })
    agent.tellAudit()
    return agent
  }

  tell(message: AgentMessage): void {
    this.#socket.write(encodeFrame(message))
  }

  tellAudit(): void {
    const { audit } = this.#machine
    if (audit) this.tell({ t: 'audited', end: audit.end, head: audit.head() })
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  async hangUp(): Promise<void> {
    this.#socket.destroy()
    await this.closed
  }

  /** Ends a job that was held. */
  finish(job: Job, end: Failure | null): void {
    this.#machine.results.set(`${job.job} ${job.token}`, end)
    this.tell({ t: 'finished', job: job.job, token: job.token, failure: end })
  }

  #hear(message: PanelMessage): void {
    this.#machine.heard.push(message)
    if (message.t === 'job') this.#work(message)
    if (message.t === 'plan')
      this.#answer(
        message.ask,
        message.jobs.map(({ type, payload }) => [
          { step: `step of ${type}`, action: 'create', diff: JSON.stringify(payload) },
        ]),
      )
    if (message.t === 'audit') {
      this.#machine.audit?.mirror(message.after, message.entries)
      this.tellAudit()
    }
    if (message.t === 'inspect' && message.what === 'audit') this.#verify(message.ask)
    else if (message.t === 'inspect')
      this.#answer(message.ask, message.what === 'health' ? { ...health(), ...this.#machine.health } : [])
    if (message.t === 'account') this.#answer(message.ask, { uid: 20000 })
    if (message.t === 'usage') this.#answer(message.ask, this.#machine.usage(message.of, message.tenants))
    if (message.t === 'drift_page') this.#answer(message.ask, this.#machine.driftPage(message.after))
    if (message.t === 'inventory') this.#answer(message.ask, this.#machine.inventory(message.of))
    if (message.t === 'ssh_sessions') this.#answer(message.ask, [])
    if (message.t === 'end_ssh') this.#answer(message.ask, null)
    if (message.t === 'ping' && !this.#machine.isFrozen) this.#answer(message.ask, null)
    if (message.t === 'output' && this.#machine.hasJob(message.job)) this.#answer(message.ask, printed(message.after))
    else if (message.t === 'output') this.#fail(message.ask, 'not_found')
    if (message.t === 'files') void this.#openFiles(message)
    if (message.t === 'csr') this.#answer(message.ask, 'a request')
    if (message.t === 'verify_root')
      this.#answer(message.ask, { retryAfterSeconds: null, ...checked(message, this.#machine) })
    if (message.t === 'close_setup') {
      this.#machine.setupOpen = false
      this.#answer(message.ask, null)
    }
  }

  /** The real work on files, in this process, on a site that is the same for all. */
  async #openFiles({ ask, channel }: Extract<PanelMessage, { t: 'files' }>): Promise<void> {
    this.#answer(ask, null)
    const connection = connect(join(dirname(this.#path), 'files.sock'))
    await once(connection, 'connect')
    connection.write(channel)
    const line = new FileLine(connection)
    await line.say({ hello: fileWireVersion })
    const roots = { root: this.#machine.site(), trash: `${this.#machine.site()}-trash` }
    await serve(line, roots).catch(() => {}) // the panel broke off, as it does when the bytes do
    connection.destroy()
  }

  #work(job: Job): void {
    const key = `${job.job} ${job.token}`
    const known = this.#machine.results.get(key)
    const play = this.#machine.play(job)
    if (known !== undefined) this.finish(job, known)
    else if (play === 'brake') this.tell({ t: 'held', job: job.job, reason: 'waits for root' })
    else if (play !== 'ignore') this.#begin(job, play)
  }

  #begin(job: Job, play: Exclude<JobPlay, 'ignore' | 'brake'>): void {
    this.tell({ t: 'accepted', job: job.job, steps: ['linux user', 'php pool'] })
    this.tell({ t: 'step', job: job.job, index: 0, name: 'linux user', state: 'done', note: null })
    if (play === 'hold') return
    this.tell({ t: 'log', job: job.job, line: 'working' })
    const end = play === 'succeed' ? null : play
    this.tell({ t: 'step', job: job.job, index: 1, name: 'php pool', state: end ? 'failed' : 'done', note: null })
    this.finish(job, end)
  }

  #verify(ask: Id): void {
    const { audit } = this.#machine
    if (audit) void audit.verify().then((report) => this.#answer(ask, report))
    else this.#fail(ask, 'unavailable')
  }

  #fail(ask: Id, code: string): void {
    this.tell({ t: 'answer', ask, value: null, failure: { ...failure, code } })
  }

  #answer(ask: Id, value: unknown): void {
    this.tell({ t: 'answer', ask, value, failure: null })
  }
}

export const setupCode = 'the-code-of-the-address'

function checked({ code, password }: Extract<PanelMessage, { t: 'verify_root' }>, scripted: Machine) {
  if (scripted.setupCode === null) return { ok: false, refused: 'closed' }
  if (code !== scripted.setupCode) return { ok: false, refused: 'code' }
  if (password !== scripted.rootPassword) return { ok: false, refused: 'password' }
  scripted.setupCode = null
  return { ok: true, refused: null }
}

function health() {
  return {
    at: new Date().toISOString(),
    hostname: 'test',
    uptimeSeconds: 1,
    cpus: 2,
    load: [0, 0, 0],
    memory: { total: 2, available: 1, swapTotal: 0, swapFree: 0 },
    disks: [],
    pressure: null,
    services: [],
    missing: [],
    versions: {},
    brakes: [],
  }
}

/** What every command of this machine prints. */
const said = 'PHP 8.4.1\n<b>bold</b>\n'

function printed(after: number): RunOutput {
  return { text: said.slice(after), from: after, next: Math.max(after, said.length) }
}
