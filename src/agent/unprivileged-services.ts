/** Panel, waker and the writer of the web server's logs: units of systemd where it runs, children of the agent elsewhere. The others outlive a panel that crashes. */
import { setTimeout as pause } from 'node:timers/promises'
import type { ListenAddress } from '../lib/config.ts'
import type { Log } from './log.ts'
import type { SystemAccounts } from './os/accounts.ts'
import { startUnprivileged } from './os/child.ts'
import { exec } from './os/exec.ts'
import { Supervised } from './os/exec-supervised.ts'
import type { Layout } from './os/layout.ts'
import { openListenSocket } from './os/listen-socket.ts'
import { selfCommand } from './os/self-command.ts'

export interface UnprivilegedServices {
  /** The panel reads its configuration anew; what comes in meanwhile waits in its port's backlog. */
  restartPanel(): Promise<void>
  stop(): Promise<void>
}

/** Units follow wcpd.service by themselves. */
export const unitServices: UnprivilegedServices = {
  async restartPanel() {
    await exec('/usr/bin/systemctl', ['try-restart', '--no-block', 'wcpd-panel.service'])
  },
  async stop() {},
}

export interface ChildServicesOptions {
  readonly places: Layout
  readonly accounts: SystemAccounts
  /** Of the panel, in the order in which it is given them. */
  readonly listen: readonly ListenAddress[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Log
  /** Of the web server's logs, for the process that writes them. */
  readonly webLogSockets: readonly number[]
  /** Puts the panel's credentials in place; called before each of its starts. */
  prepareCredentials(): Promise<void>
  /** Told of each child, for the health page. */
  watch(child: Supervised): void
}

export async function startChildServices(options: ChildServicesOptions): Promise<UnprivilegedServices> {
  const { places, accounts, log } = options
  const ports: number[] = []
  for (const address of options.listen) ports.push(await openPort(address))
  const panel = new Supervised({
    name: 'panel',
    log,
    async start() {
      await options.prepareCredentials()
      return await startUnprivileged({
        account: accounts.panel,
        command: selfCommand('panel'),
        env: panelEnvironment(places, options.env, ports.length),
        descriptors: ports,
      })
    },
  })
  const waker = new Supervised({
    name: 'waker',
    log,
    start: () =>
      startUnprivileged({
        account: accounts.waker,
        command: [...selfCommand('waker'), places.wakeSocket, places.wakerAgentSocket, places.web.hosts],
        env: {},
        descriptors: [],
      }),
  })
  const webLog = new Supervised({
    name: 'web-log',
    log,
    start: () =>
      startUnprivileged({
        account: accounts.log,
        command: [...selfCommand('web-log'), places.webLogs, places.web.hosts],
        env: {},
        descriptors: options.webLogSockets,
      }),
  })
  for (const child of [panel, waker, webLog]) {
    options.watch(child)
    await child.begin()
  }
  return {
    async restartPanel() {
      await panel.stop('SIGTERM')
      await panel.begin()
    },
    async stop() {
      await Promise.all([panel, waker, webLog].map((child) => child.stop('SIGTERM')))
    },
  }
}

/** The same names that systemd's unit gives it. */
function panelEnvironment(places: Layout, env: ChildServicesOptions['env'], ports: number): Record<string, string> {
  const settings = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[0].startsWith('WCP360_') && entry[1] !== undefined,
  )
  return {
    ...Object.fromEntries(settings),
    CREDENTIALS_DIRECTORY: places.panelCredentials,
    STATE_DIRECTORY: places.panelState,
    RUNTIME_DIRECTORY: places.panelRun,
    WEB_LOGS_DIRECTORY: places.webLogs,
    LISTEN_FDS: String(ports),
    LISTEN_FDNAMES: Array(ports).fill('panel').join(':'),
  }
}

const portPatienceMs = 20_000
const portPauseMs = 100

/** After an agent that was killed, its panel holds the port for the moment it needs to end. */
async function openPort(address: ListenAddress): Promise<number> {
  const deadline = performance.now() + portPatienceMs
  for (;;) {
    try {
      return openListenSocket(address)
    } catch (error) {
      if (!String(error).includes('EADDRINUSE') || performance.now() > deadline) throw error
    }
    await pause(portPauseMs)
  }
}
