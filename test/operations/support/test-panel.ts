/** A whole panel in a directory of its own, with a scripted agent at the other end of its socket. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { loadConfig } from '../../../src/lib/config.ts'
import { deriveKeys } from '../../../src/panel/auth/keys.ts'
import { passwordHasher } from '../../../src/panel/auth/password.ts'
import type { TlsFiles } from '../../../src/panel/http/server.ts'
import type { RegisterPages } from '../../../src/panel/http/types.ts'
import { type Panel, type PanelOptions, startPanel } from '../../../src/panel/panel.ts'
import { operations } from '../../../src/resources/index.ts'
import { type Answer, ask, Browser } from './client.ts'
import { plainPages } from './plain-pages.ts'
import { type Machine, machine, ScriptedAgent } from './scripted-agent.ts'

export interface TestPanel {
  readonly panel: Panel
  readonly machine: Machine
  /** Where its web server writes its logs; not there before a test makes it. */
  readonly webLogs: string
  /** The connection at present. */
  agent: ScriptedAgent
  /** Lines of the log as objects. */
  readonly log: Record<string, unknown>[]
  browser(): Browser
  /** A new administrator, signed in, with `password`. */
  administrator(email: string): Promise<Browser>
  /** A call as root through the private socket. */
  root(method: string, path: string, body?: unknown): Promise<Answer>
  dial(): Promise<void>
  /** Another life of the panel over the same store. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface TestPanelOptions {
  readonly machine?: Partial<Machine>
  readonly config?: string
  /** With the limits of a real panel on how often somebody may come. */
  readonly isRateLimited?: boolean
  /** PEM of whom webhooks trust. */
  readonly webhookCa?: string
  /** As on a server; plain HTTP without. */
  readonly tls?: TlsFiles
  /** With the port, beside that of everybody, where browsers are asked for a certificate. Not without TLS. */
  readonly hasCertificatePort?: true
  readonly stallAfterMs?: number
  readonly holdMs?: number
  readonly refusalsInFull?: number
  readonly watcherPace?: PanelOptions['watcherPace']
  /** Without: nobody's usage is measured, so that the store stands still. */
  readonly usageTickMs?: number
  /** Without: nobody looks for drift, for the same reason. */
  readonly driftPace?: PanelOptions['driftPace']
  /** Without: no site is probed, for the same reason. */
  readonly probePace?: PanelOptions['probePace']
  readonly withoutAgent?: boolean
  readonly operations?: PanelOptions['operations']
  readonly registerPages?: RegisterPages
}

const withoutRateLimits = ['requests', 'reads', 'writes', 'jobs']
  .map((what) => `${what}_per_minute: 1000000\n`)
  .join('')

/** Nobody outside of this machine is asked for the proofs of domains. */
export const noNameServer = 'dns_servers: 127.0.0.1:9'

export const password = 'correct horse battery'

/** Milliseconds of the longest timer. */
const never = 2 ** 31 - 1

export async function testPanel(options: TestPanelOptions = {}): Promise<TestPanel> {
  const directory = await mkdtemp(join(tmpdir(), 'wcp-http-'))
  const scripted = machine(options.machine)
  const log: Record<string, unknown>[] = []
  const start = () =>
    startPanel({
      config: loadConfig(
        `${noNameServer}\n${options.isRateLimited ? '' : withoutRateLimits}${options.config ?? ''}`,
        {},
        'config.yaml',
      ),
      keys: deriveKeys('ab'.repeat(32)),
      tls: options.tls ?? 'insecure',
      listen: { host: '127.0.0.1', port: 0 },
      ...(options.hasCertificatePort && { listenForCertificates: { host: '127.0.0.1', port: 0 } }),
      runDirectory: directory,
      statePath: join(directory, 'state.db'),
      webLogs: join(directory, 'web'),
      log: pino({ level: 'debug' }, { write: (line: string) => void log.push(JSON.parse(line)) }),
      operations: options.operations ?? operations,
      registerPages: options.registerPages ?? plainPages,
      hasher: passwordHasher({ memory: 64, passes: 1 }),
      stallAfterMs: options.stallAfterMs ?? 30_000,
      holdMs: options.holdMs ?? 30_000,
      ...(options.refusalsInFull !== undefined && { refusalsInFull: options.refusalsInFull }),
      tickMs: 50,
      usageTickMs: options.usageTickMs ?? never,
      dnsTickMs: never,
      driftPace: options.driftPace ?? { partMs: never, roundMs: never, tickMs: never },
      probePace: options.probePace ?? { tickMs: never, slots: 60 },
      ...(options.watcherPace && { watcherPace: options.watcherPace }),
      ...(options.webhookCa && { webhookCa: options.webhookCa }),
    })
  let panel = await start()
  let agent: ScriptedAgent | undefined
  const dial = async () => {
    await until(() => !panel.deps.agent.connected)
    agent = await ScriptedAgent.dial(panel.agentSocket, scripted)
    await until(() => panel.deps.agent.connected)
  }
  if (!options.withoutAgent) await dial()
  const stop = async () => {
    await panel.close()
    await agent?.hangUp()
  }
  const browser = () => new Browser({ port: panel.port, ...(options.tls && { tls: true }) })
  const root: TestPanel['root'] = (method, path, body) =>
    ask({ socketPath: panel.cliSocket }, { method, path, ...(body !== undefined && { body }) })
  return {
    get panel() {
      return panel
    },
    get agent() {
      if (agent === undefined) throw new Error('no agent has dialled')
      return agent
    },
    machine: scripted,
    webLogs: join(directory, 'web'),
    log,
    browser,
    root,
    async administrator(email) {
      const made = await root('POST', '/api/v1/users', { email, password, role: 'system_admin' })
      const signedIn = browser()
      const { status } = await signedIn.signIn(email, password)
      if (made.status !== 201 || status !== 303) throw new Error(`no administrator: ${made.text} ${status}`)
      return signedIn
    },
    dial,
    async restart() {
      await stop()
      panel = await start()
      await dial()
    },
    async stop() {
      await stop()
      await rm(directory, { recursive: true })
    },
  }
}

/** Lets the panel look once for each proof that is asked, and then not by itself: what tests compare stays as it is. */
export async function proofsAtRest({ db }: Panel): Promise<void> {
  const looked = await until(async () => {
    const rows = await db
      .selectFrom('domain_proofs')
      .select(({ exists, selectFrom }) => [
        'domain_proofs.id',
        exists(selectFrom('domain_proof_tries').select('id').whereRef('proof_id', '=', 'domain_proofs.id')).as(
          'is_looked_for',
        ),
      ])
      .execute()
    return rows.every((row) => Boolean(row.is_looked_for)) ? rows : undefined
  })
  const farOff = '2100-01-01T00:00:00.000Z' // it rests before the next look when somebody asks for one
  for (const { id } of looked)
    await db.updateTable('domain_proofs').set({ next_try_at: null, last_try_at: farOff }).where('id', '=', id).execute()
}

/** Waits for what the test knows must come; the test's own time limit ends it. */
export async function until<T>(what: () => T | Promise<T>): Promise<NonNullable<T> & {}> {
  for (;;) {
    const value = await what()
    if (value) return value
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
