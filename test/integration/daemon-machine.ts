/** An agent of its own below a directory, without systemd, as `wcpd agent --root` lays it: started, watched and taken away. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const main = join(import.meta.dirname, '../../src/main.ts')
const tickMs = 50

export function makeAccounts(): void {
  for (const name of ['wcp360', 'wcp360-waker']) {
    if (readFileSync('/etc/passwd', 'utf8').includes(`\n${name}:`)) continue
    const argv = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', '--', name]
    execFileSync('/usr/sbin/useradd', argv)
  }
}

export interface Ports {
  readonly panel: number
  readonly http: number
  readonly https: number
}

/** Ports that nobody has at this moment. */
export async function freePorts(): Promise<Ports> {
  const servers = await Promise.all(Array.from({ length: 3 }, listenAnywhere))
  const [panel = 0, http = 0, https = 0] = servers.map(portOf)
  for (const server of servers) server.close()
  return { panel, http, https }
}

async function listenAnywhere(): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  return server
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

export class DaemonMachine {
  readonly root = mkdtempSync(join(tmpdir(), 'wcp-daemon-'))
  readonly ports: Ports
  readonly configFile = join(this.root, 'etc/wcp360/config.yaml')
  #agent: ChildProcess | undefined
  #output = ''

  constructor(ports: Ports) {
    this.ports = ports
    for (const path of ['etc/nginx/conf.d', 'etc/wcp360', 'var/lib', 'var/log', 'srv', 'run']) {
      mkdirSync(join(this.root, path), { recursive: true, mode: 0o755 })
    }
    execFileSync('/bin/chmod', ['755', this.root])
    writeFileSync(join(this.root, 'etc/nginx/nginx.conf'), nginxConfig(this.root))
    this.configure()
  }

  configure(more = ''): void {
    const { panel, http, https } = this.ports
    const text = `listen: 127.0.0.1:${panel}\nhttp_port: ${http}\nhttps_port: ${https}\n${more}`
    writeFileSync(this.configFile, text, { mode: 0o600 })
  }

  /** Everything the agent and its children have printed. */
  get output(): string {
    return this.#output
  }

  get pid(): number {
    return this.#agent?.pid ?? -1
  }

  async start(): Promise<void> {
    const before = this.#output.length
    this.#agent = this.#spawn()
    await this.until('the agent is ready', () => this.#output.slice(before).includes('"agent is ready"'))
  }

  /** Starts one that is expected to end; its exit code and what it printed. */
  async startInVain(): Promise<{ code: number | null; said: string }> {
    let said = ''
    const child = spawn(process.execPath, [main, 'agent', '--root', this.root], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { code, said }
  }

  signal(name: NodeJS.Signals): void {
    this.#agent?.kill(name)
  }

  async ended(): Promise<number | null> {
    const agent = this.#agent
    if (!agent || agent.exitCode !== null || agent.signalCode !== null) return agent?.exitCode ?? null
    return await new Promise((resolve) => agent.once('exit', resolve))
  }

  /** Pid of the agent's child in a role; undefined while there is none. */
  child(role: 'panel' | 'waker'): number | undefined {
    return readdirSync('/proc')
      .map(Number)
      .find((pid) => pid > 0 && isRole(pid, role, this.pid))
  }

  /** Status of the panel's answer; the request waits as long as the port does. */
  async ask(path = '/'): Promise<number> {
    const options = { host: '127.0.0.1', port: this.ports.panel, path, rejectUnauthorized: false, agent: false }
    return await new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      sent.once('error', reject)
      sent.end()
    })
  }

  async until(what: string, isSo: () => boolean, patienceMs = 90_000): Promise<void> {
    const deadline = performance.now() + patienceMs
    while (!isSo()) {
      if (performance.now() > deadline) throw new Error(`waited in vain until ${what}; printed:\n${this.#output}`)
      await pause(tickMs)
    }
  }

  async dispose(): Promise<void> {
    this.signal('SIGTERM')
    await this.ended()
    const nginx = readFileSync(join(this.root, 'run/nginx.pid'), { encoding: 'utf8', flag: 'a+' }).trim()
    if (nginx !== '') process.kill(Number(nginx), 'SIGTERM')
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 })
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [main, 'agent', '--root', this.root], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (this.#output += chunk))
    return child
  }
}

function isRole(pid: number, role: string, parent: number): boolean {
  try {
    const [, parentOf] = /\) [RSD] (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    return Number(parentOf) === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(role)
  } catch {
    return false // it has ended
  }
}

function nginxConfig(root: string): string {
  return `user www-data;
pid ${root}/run/nginx.pid;
error_log ${root}/var/log/nginx-error.log;
events { worker_connections 256; }
http { access_log off; include ${root}/etc/nginx/conf.d/*.conf; }
`
}
