/** The packed product, running below a directory of its own beside real Nginx and PHP-FPM: what the figures are taken of. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type Agent, request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { layout } from '../src/agent/os/layout.ts'
import { panelClient } from '../src/cli/client.ts'
import { Fqdn, TenantName } from '../src/contract/values.ts'
import { executable } from './executable.ts'

export interface Ports {
  readonly panel: number
  readonly http: number
  readonly https: number
}

export class Server {
  readonly places: ReturnType<typeof layout>
  readonly ports: Ports
  readonly #agent: ChildProcess

  private constructor(root: string, ports: Ports, agent: ChildProcess) {
    this.places = layout(root)
    this.ports = ports
    this.#agent = agent
  }

  /** Set up, connected, and without a tenant. */
  static async start(): Promise<Server> {
    makeAccounts()
    const root = mkdtempSync('/var/lib/wcp360-bench-')
    const ports = await freePorts()
    layOut(root, ports)
    const first = new Server(root, ports, await startAgent(root))
    await first.#stop()
    // The state that bootstrap leaves behind; root's password is not the bench's to know.
    writeFileSync(first.places.setupClosed, '')
    const server = new Server(root, ports, await startAgent(root))
    await server.#until(async () => (await server.call('GET', '/health')) !== undefined)
    await server.call('POST', '/packages', { name: 'bench' })
    return server
  }

  get agentPid(): number {
    return this.#agent.pid ?? -1
  }

  /** The agent's child in a role. */
  child(role: 'panel' | 'waker'): number {
    const found = processes().find(({ parent, words }) => parent === this.agentPid && words.includes(role))
    if (found === undefined) throw new Error(`the ${role} does not run`)
    return found.pid
  }

  /** The Linux user of each process that the agent or its children have started. */
  usersOfDescendants(): readonly number[] {
    const all = processes()
    const below = (pid: number): readonly number[] =>
      all.filter(({ parent }) => parent === pid).flatMap(({ pid: child, uid }) => [uid, ...below(child)])
    return below(this.agentPid)
  }

  /** Workers of the web server: a reload replaces them. */
  webWorkers(): readonly number[] {
    const master = Number(readFileSync(join(this.places.root, 'run/nginx.pid'), 'utf8'))
    return processes()
      .filter(({ parent }) => parent === master)
      .map(({ pid }) => pid)
  }

  async call(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: Readonly<Record<string, unknown>>,
  ): Promise<unknown> {
    const answer = await panelClient(this.places.cliSocket)({ method, target: `/api/v1${path}`, ...(body && { body }) })
    return answer.body
  }

  /** A tenant with one PHP site, `<name>.example.com`; resolves when the request is answered, not when the job has ended. */
  async createTenant(name: string): Promise<void> {
    await this.call('POST', '/tenants', { name, package: 'bench', domain: hostOf(name) })
  }

  putPage(name: string, php: string): void {
    const docroot = this.places.customers.docroot(TenantName.parse(name), Fqdn.parse(hostOf(name)))
    rmSync(join(docroot, 'index.html'), { force: true })
    writeFileSync(join(docroot, 'index.php'), php, { mode: 0o644 })
  }

  /** Status of one request for a site; 0 when the connection was closed without an answer. */
  visit(name: string, agent: Agent | false = false): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>()
    const options = {
      host: '127.0.0.1',
      port: this.ports.http,
      path: '/',
      headers: { host: hostOf(name) },
      agent,
      timeout: 30_000,
    }
    request(options, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
      .on('error', () => resolve(0))
      .end()
    return promise
  }

  async untilServed(name: string): Promise<void> {
    await this.#until(async () => (await this.visit(name)) === 200)
  }

  async dispose(): Promise<void> {
    await this.#stop()
    const master = Number(readFileSync(join(this.places.root, 'run/nginx.pid'), { encoding: 'utf8', flag: 'a+' }))
    if (master > 0) process.kill(master, 'SIGTERM')
    this.#endPhp()
    rmSync(this.places.root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }

  /** PHP outlives the agent, so that sites do: the sandboxes are told by the folder of this server, and all in them ends with them. */
  #endPhp(): void {
    const isOurs = ({ words }: Process) =>
      words[0]?.endsWith('/bwrap') && words.some((word) => word.startsWith(`${this.places.root}/`))
    for (const { pid } of processes().filter(isOurs)) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // it ended with its parent
      }
    }
  }

  async #until(isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 60_000
    while (!(await isSo().catch(() => false))) {
      if (performance.now() > deadline) throw new Error('waited a minute in vain')
      await sleep(2)
    }
  }

  async #stop(): Promise<void> {
    if (this.#agent.exitCode !== null) return
    const ended = once(this.#agent, 'exit')
    this.#agent.kill('SIGTERM')
    await ended
  }
}

export function hostOf(name: string): string {
  return `${name}.example.com`
}

function makeAccounts(): void {
  for (const name of ['wcp360', 'wcp360-waker']) {
    if (readFileSync('/etc/passwd', 'utf8').includes(`\n${name}:`)) continue
    execFileSync('/usr/sbin/useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      '/usr/sbin/nologin',
      '--',
      name,
    ])
  }
}

function layOut(root: string, { panel, http, https }: Ports): void {
  chmodSync(root, 0o755)
  for (const path of ['etc/nginx/conf.d', 'etc/wcp360', 'var/lib', 'var/log', 'srv', 'run'])
    mkdirSync(join(root, path), { recursive: true })
  writeFileSync(
    join(root, 'etc/wcp360/config.yaml'),
    `listen: 127.0.0.1:${panel}\nhttp_port: ${http}\nhttps_port: ${https}\nlog_level: warn\n`,
  )
  writeFileSync(
    join(root, 'etc/nginx/nginx.conf'),
    `user www-data;
worker_processes 2;
pid ${root}/run/nginx.pid;
error_log ${root}/var/log/nginx-error.log;
events { worker_connections 4096; }
http { access_log off; include ${root}/etc/nginx/conf.d/*.conf; }
`,
  )
}

async function startAgent(root: string): Promise<ChildProcess> {
  const agent = spawn(executable(), ['agent', '--root', root], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: '/usr/sbin:/usr/bin' },
  })
  const socket = layout(root).cliSocket
  const deadline = performance.now() + 30_000
  for (;;) {
    try {
      await panelClient(socket)({ method: 'GET', target: '/api/v1/health' })
      return agent
    } catch {
      if (performance.now() > deadline || agent.exitCode !== null)
        throw new Error('the product did not start; its words are above')
    }
    await sleep(50)
  }
}

async function freePorts(): Promise<Ports> {
  const servers = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const [panel = 0, http = 0, https = 0] = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  for (const server of servers) server.close()
  return { panel, http, https }
}

interface Process {
  readonly pid: number
  readonly parent: number
  readonly uid: number
  readonly words: readonly string[]
}

export function processes(): readonly Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8')
        const number = (key: string) => Number(new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(status)?.[1])
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
        return [{ pid: Number(name), parent: number('PPid'), uid: number('Uid'), words }]
      } catch {
        return [] // it has ended meanwhile
      }
    })
}
