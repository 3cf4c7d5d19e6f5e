/** The real product in a directory of its own, beside real Nginx and PHP-FPM, without systemd, as `wcpd agent --root` lays it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { type Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Layout, layout } from '../../src/agent/os/layout.ts'
import { panelClient } from '../../src/cli/client.ts'
import { loadConfig } from '../../src/lib/config.ts'
import { freePorts, type Ports } from './free-ports.ts'
import { processes, processesOf } from './processes.ts'

export interface ProductOptions {
  /** The agent's own command, without its arguments: the built executable, or Node with `src/main.ts`. */
  readonly command: readonly [file: string, ...argv: string[]]
  /** Where everything lies; one that an earlier start made goes on with its ports. One of its own below /var/lib unless told. */
  readonly root?: string
  /** Added to the agent's environment, which holds nothing but PATH. */
  readonly env?: Readonly<Record<string, string>>
  /** Lines added to the configuration. */
  readonly config?: string
  /** What the agent and its children print goes to the file that `wcp logs` shows, and not through this process. */
  readonly log?: true
  /** In a session of its own, which Ctrl-C does not reach. */
  readonly detached?: true
  /** Nginx: workers and connections of each; 2 and 256 unless told. */
  readonly web?: { readonly workers: number; readonly connections: number }
}

export interface Pids {
  readonly agent: number
  readonly panel: number | undefined
  readonly waker: number | undefined
  readonly webLog: number | undefined
  /** Nginx's master. */
  readonly nginx: number | undefined
}

const tickMs = 20

export class Product {
  readonly root: string
  readonly places: Layout
  readonly ports: Ports
  readonly configFile: string
  readonly #options: ProductOptions
  #agent: ChildProcess | undefined
  #output = ''

  private constructor(options: ProductOptions, root: string, ports: Ports) {
    this.#options = options
    this.root = root
    this.places = layout(root)
    this.ports = ports
    this.configFile = this.places.config
  }

  /** Laid out, not started. */
  static async make(options: ProductOptions): Promise<Product> {
    makeAccounts()
    const root = options.root ?? mkdtempSync('/var/lib/wcp360-try-')
    const product = new Product(options, root, keptPorts(root) ?? (await freePorts()))
    product.#layOut()
    return product
  }

  /** Started, with setup closed as it is once the first administrator exists; root's password is not a test's to know. */
  static async serving(options: ProductOptions): Promise<Product> {
    const product = await Product.make(options)
    await product.start()
    await product.stop()
    product.closeSetup()
    await product.start()
    return product
  }

  /** As it is once the first administrator exists; the agent takes it at its next start. */
  closeSetup(): void {
    writeFileSync(this.places.setupClosed, '')
  }

  /** Everything the agent and its children have printed since the object was made. */
  get output(): string {
    return this.#options.log ? readFileSync(this.#logFile, 'utf8') : this.#output
  }

  get #logFile(): string {
    return join(this.places.logs, 'wcpd.log')
  }

  get pids(): Pids {
    const { nginxPid } = this.places
    const nginx = existsSync(nginxPid) ? Number(readFileSync(nginxPid, 'utf8')) : 0
    const isThere = nginx > 0 && existsSync(`/proc/${nginx}`)
    return {
      agent: this.#agent?.pid ?? -1,
      panel: this.#child('panel'),
      waker: this.#child('waker'),
      webLog: this.#child('web-log'),
      nginx: isThere ? nginx : undefined,
    }
  }

  get isRunning(): boolean {
    return this.#agent !== undefined && this.#agent.exitCode === null && this.#agent.signalCode === null
  }

  /** Writes the configuration anew; see `kill('SIGHUP')`. */
  configure(more = this.#options.config ?? ''): void {
    const { panel, http, https } = this.ports
    const text = `listen: 127.0.0.1:${panel}\nhttp_port: ${http}\nhttps_port: ${https}\n${more}`
    writeFileSync(this.configFile, text, { mode: 0o600 })
  }

  /** Starts the agent and does not wait for anything. */
  begin(): void {
    const agent = this.#spawn()
    for (const stream of [agent.stdout, agent.stderr]) stream?.on('data', (chunk) => (this.#output += chunk))
    this.#agent = agent
  }

  /** Resolves when the panel answers what only the agent knows: the health of the machine. */
  async start(): Promise<void> {
    this.begin()
    await this.until('panel and agent are connected', () => this.isConnected())
  }

  /** Nobody reads any more what the agent and its children print. */
  closeLog(): void {
    for (const stream of [this.#agent?.stdout, this.#agent?.stderr]) stream?.destroy()
  }

  /** Starts one that is expected to end; its exit code and what it printed. */
  async startInVain(): Promise<{ code: number | null; said: string }> {
    let said = ''
    const agent = this.#spawn()
    for (const stream of [agent.stdout, agent.stderr]) stream?.on('data', (chunk) => (said += chunk))
    const [code] = await once(agent, 'close')
    return { code, said }
  }

  async isConnected(): Promise<boolean> {
    return await this.call('GET', '/health').then(
      () => true,
      () => false,
    )
  }

  /** A signal to the agent alone. */
  kill(signal: NodeJS.Signals): void {
    this.#agent?.kill(signal)
  }

  /** Resolves when the agent has ended, with its exit code, or null when a signal ended it or there was none. */
  async ended(): Promise<number | null> {
    const agent = this.#agent
    if (!agent) return null
    if (agent.exitCode === null && agent.signalCode === null) await once(agent, 'exit')
    return agent.exitCode
  }

  /** As an operator would: SIGTERM; Nginx and PHP go on. */
  async stop(): Promise<number | null> {
    this.kill('SIGTERM')
    return await this.ended()
  }

  /** After `kill('SIGKILL')` or `stop()`, or at once: the same directory again. */
  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.kill(signal)
    await this.ended()
    await this.start()
  }

  /** What REST answers on root's own socket; problems are thrown as the `WcpError` they are. Paths begin after `/api/v1`. */
  async call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: Readonly<Record<string, unknown>>,
  ): Promise<unknown> {
    const answer = await panelClient(this.places.cliSocket)({ method, target: `/api/v1${path}`, ...(body && { body }) })
    return answer.body
  }

  /** Status of one request for a site; 0 when the connection was closed without an answer. */
  visit(host: string, { agent = false, path = '/' }: { agent?: Agent | false; path?: string } = {}): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>()
    const options = { host: '127.0.0.1', port: this.ports.http, path, headers: { host }, agent, timeout: 30_000 }
    const sent = request(options, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
      response.on('error', () => resolve(0))
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer in 30 s')))
    sent.on('error', () => resolve(0)).end()
    return promise
  }

  async until(what: string, isSo: () => boolean | Promise<boolean>, patienceMs = 90_000): Promise<void> {
    const deadline = performance.now() + patienceMs
    while (!(await isSo())) {
      const isGone = this.#agent !== undefined && !this.isRunning
      if (isGone || performance.now() > deadline) {
        const why = isGone ? 'the agent ended before' : 'waited in vain until'
        throw new Error(`${why} ${what}; printed last:\n${this.output.slice(-4000)}`)
      }
      await pause(tickMs)
    }
  }

  /** Leaves no process and no file: Nginx and PHP outlive the agent, so they are ended here. */
  async dispose(): Promise<void> {
    await this.stop()
    await this.endAll()
    rmSync(this.root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }

  /** Ends at once everything that runs for this directory. */
  async endAll(): Promise<void> {
    for (let left = processesOf(this.root); left.length > 0; left = processesOf(this.root)) {
      for (const { pid } of left) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // it ended with its parent
        }
      }
      await pause(tickMs)
    }
  }

  #child(role: 'panel' | 'waker' | 'web-log'): number | undefined {
    const agent = this.#agent?.pid
    return processes().find(({ parent, words }) => parent === agent && words.includes(role))?.pid
  }

  #spawn(): ChildProcess {
    const [file, ...argv] = this.#options.command
    const log = this.#options.log && openSync(this.#logFile, 'a', 0o640)
    try {
      return spawn(file, [...argv, 'agent', '--root', this.root], {
        stdio: ['ignore', log ?? 'pipe', log ?? 'pipe'],
        detached: this.#options.detached ?? false,
        env: { PATH: '/usr/sbin:/usr/bin', ...this.#options.env },
      })
    } finally {
      if (log !== undefined) closeSync(log)
    }
  }

  #layOut(): void {
    chmodSync(this.root, 0o755)
    for (const path of ['etc/nginx/conf.d', 'etc/wcp360', 'var/lib', 'var/log', 'srv', 'run']) {
      mkdirSync(join(this.root, path), { recursive: true, mode: 0o755 })
    }
    if (this.#options.log) mkdirSync(this.places.logs, { recursive: true, mode: 0o711 })
    if (existsSync(this.configFile)) return
    writeFileSync(this.places.nginxConfig, nginxConfig(this.root, this.#options.web))
    this.configure()
  }
}

/** Of the configuration that an earlier start wrote. */
function keptPorts(root: string): Ports | undefined {
  const { config } = layout(root)
  if (!existsSync(config)) return undefined
  const { listen, httpPort, httpsPort } = loadConfig(readFileSync(config, 'utf8'), {}, config)
  return { panel: listen.port, http: httpPort, https: httpsPort }
}

export function makeAccounts(): void {
  for (const [name, ...more] of [
    ['wcp360'],
    ['wcp360-waker'],
    ['wcp360-log'],
    ['wcp360-web', '--groups', 'www-data'],
  ] as const) {
    if (readFileSync('/etc/passwd', 'utf8').includes(`\n${name}:`)) continue
    const argv = ['--system', '--user-group', ...more, '--no-create-home', '--shell', '/usr/sbin/nologin', '--', name]
    execFileSync('/usr/sbin/useradd', argv)
  }
}

function nginxConfig(root: string, { workers, connections } = { workers: 2, connections: 256 }): string {
  return `user www-data;
worker_processes ${workers};
pid ${root}/run/nginx.pid;
error_log ${root}/var/log/nginx-error.log;
events { worker_connections ${connections}; }
http { access_log off; include ${root}/etc/nginx/conf.d/*.conf; }
`
}
