/** A whole web machine below a root of its own: nginx and PHP-FPM as on a server, the waker as a process, the agent's side in here. */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { type ClientRequestArgs, type IncomingHttpHeaders, request } from 'node:http'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { HostLookup } from '../../src/agent/jobs/engine-api.ts'
import { phpOptionsFacts } from '../../src/agent/kinds/domain/facts.ts'
import { type Ceiling, ceilingOf } from '../../src/agent/os/ceiling.ts'
import { type DirectServices, openDirectServices } from '../../src/agent/os/direct-services.ts'
import { foreignEgress } from '../../src/agent/os/egress.ts'
import { createFiles } from '../../src/agent/os/files.ts'
import { poolOf } from '../../src/agent/os/fpm-pool.ts'
import { type Layout, layout } from '../../src/agent/os/layout.ts'
import type { Machine } from '../../src/agent/os/machine.ts'
import { nginxVersion } from '../../src/agent/os/nginx.ts'
import type { FpmStart } from '../../src/agent/os/services.ts'
import { renderFpmConfig } from '../../src/agent/render/fpm.ts'
import { renderNginxSite } from '../../src/agent/render/nginx.ts'
import { withOurNeeds } from '../../src/agent/render/nginx-main.ts'
import { rowMaps, usersText } from '../../src/agent/render/site-rows.ts'
import { servedRows } from '../../src/agent/steps/served-rows.ts'
import { stoppedFpm } from '../../src/agent/steps/stopped-fpm.ts'
import { answerWakes } from '../../src/agent/wake/wake.ts'
import { IdleReaper } from '../../src/agent/wake/wake-reaper.ts'
import { SiteSettings, type SiteUser } from '../../src/contract/site-settings.ts'
import { Fqdn, Id, PhpVersion, TenantName } from '../../src/contract/values.ts'
import { makeAccounts } from '../support/product.ts'

/** From here a request may say whose it is. */
export const trustedProxy = '127.0.0.77'
const repository = fileURLToPath(new URL('../..', import.meta.url))
/** Test files run at the same time, each in a worker of its own. */
const offset = 100 * Number(process.env.VITEST_POOL_ID ?? 0)
export const httpPort = 18_680 + offset
export const httpsPort = 18_643 + offset
makeAccounts()
export const webGid = idOf('-g', 'www-data')
const workersGid = idOf('-g', 'wcp360-web')
export const workersUid = idOf('-u', 'wcp360-web')
const wakerUid = 21_999
const logUid = 21_998

export const php =
  ['8.5', '8.4', '8.3', '8.2', '8.1'].find((version) => existsSync(`/usr/sbin/php-fpm${version}`)) ?? ''
const noLimits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export class WebMachine {
  readonly root: string
  readonly places: Layout
  readonly logged: { level: string; facts: object; message: string }[] = []
  /** Every start that was asked of the machine, by tenant. */
  readonly starts: string[] = []
  services!: DirectServices
  /** Looks only when it is told to. */
  reaper!: IdleReaper
  #hosts = new Map<string, HostLookup>()
  #agent: { close(): void } | undefined
  #waker: { pid: number; ended: Promise<unknown> } | undefined
  #webLog: { pid: number; ended: Promise<unknown> } | undefined

  private constructor() {
    this.root = mkdtempSync('/srv/wcp-web-')
    chmodSync(this.root, 0o755)
    this.places = layout(this.root)
  }

  static async boot(): Promise<WebMachine> {
    const machine = new WebMachine()
    await machine.#boot()
    return machine
  }

  async #boot(): Promise<void> {
    const { places } = this
    for (const path of [places.web.hosts, places.web.pages, places.fpmRun, places.customers.root, places.logs]) {
      mkdirSync(path, { recursive: true, mode: 0o755 })
    }
    chownSync(places.customers.root, 0, workersGid)
    chmodSync(places.customers.root, 0o710)
    mkdirSync(places.wakerRun, { mode: 0o700 })
    chownSync(places.wakerRun, wakerUid, wakerUid)
    mkdirSync(places.wakeRun, { mode: 0o710 })
    chownSync(places.wakeRun, wakerUid, workersGid)
    mkdirSync(places.webLogs, { mode: 0o750 })
    chownSync(places.webLogs, logUid, logUid)
    for (const page of ['suspended.html', 'maintenance.html'])
      cpSync(join(repository, 'templates/system', page), join(places.web.pages, page))
    for (const path of [places.web.owedRows, ...rowMaps.map((map) => join(places.web.settings, map))])
      mkdirSync(path, { recursive: true, mode: 0o700 })
    this.#makeDefaultTls()
    await this.#writeNginxConfig()
    const log = (level: string) => (facts: object, message: string) => void this.logged.push({ level, facts, message })
    const kept = { info: log('info'), warn: log('warn'), error: log('error') }
    this.services = await openDirectServices({ places, webGid: workersGid, log: kept, egress: foreignEgress(kept) })
    this.reaper = this.reaperBelow(ceilingOf(75))
    await this.services.superviseNginx()
    this.startWebLog()
    await this.startWaker()
    this.connectAgent()
    await until(() => existsSync(places.nginxPid) && readFileSync(places.nginxPid, 'utf8').length > 1)
  }

  reaperBelow(ceiling: Ceiling, now?: () => number): IdleReaper {
    const log = (level: string) => (facts: object, message: string) => void this.logged.push({ level, facts, message })
    return new IdleReaper({
      services: this.services,
      log: { info: log('info'), warn: log('warn'), error: log('error') },
      ceiling,
      ...(now && { now }),
    })
  }

  connectAgent(): void {
    const { services, logged } = this
    const log = (level: string) => (facts: object, message: string) => void logged.push({ level, facts, message })
    this.#agent = answerWakes({
      socket: this.places.wakerAgentSocket,
      ownerUid: wakerUid,
      services: {
        startFpm: (start) => {
          this.starts.push(start.name)
          return services.startFpm(start)
        },
      },
      lookup: (host) => this.#hosts.get(host) ?? { kind: 'unknown' },
      makeRoom: () => this.reaper.makeRoom(),
      log: { info: log('info'), warn: log('warn'), error: log('error') },
    })
  }

  disconnectAgent(): void {
    this.#agent?.close()
  }

  async startWaker(): Promise<void> {
    const argv = [
      join(repository, 'src/main.ts'),
      'waker',
      this.places.wakeSocket,
      this.places.wakerAgentSocket,
      this.places.web.hosts,
    ]
    const child = spawn(process.execPath, argv, {
      uid: wakerUid,
      gid: wakerUid,
      env: {},
      cwd: '/',
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if (child.pid === undefined) throw new Error('the waker did not start')
    this.#waker = { pid: child.pid, ended: new Promise((resolve) => child.once('exit', resolve)) }
    await until(() => existsSync(this.places.wakeSocket))
  }

  startWebLog(): void {
    const argv = [join(repository, 'src/main.ts'), 'web-log', this.places.webLogs, this.places.web.hosts]
    const child = spawn(process.execPath, argv, {
      uid: logUid,
      gid: logUid,
      env: {},
      cwd: '/',
      stdio: ['ignore', 'ignore', 'inherit', ...this.services.webLogSockets],
    })
    if (child.pid === undefined) throw new Error('the writer of logs did not start')
    this.#webLog = { pid: child.pid, ended: new Promise((resolve) => child.once('exit', resolve)) }
  }

  async endWebLog(): Promise<void> {
    if (!this.#webLog) return
    try {
      process.kill(this.#webLog.pid, 'SIGTERM')
    } catch {
      // a test has killed it
    }
    await this.#webLog.ended
    this.#webLog = undefined
  }

  get webLogPid(): number {
    return this.#webLog?.pid ?? 0
  }

  async killWaker(): Promise<void> {
    if (!this.#waker) return
    process.kill(this.#waker.pid, 'SIGKILL')
    await this.#waker.ended
    this.#waker = undefined
    rmSync(this.places.wakeSocket, { force: true })
  }

  get wakerPid(): number {
    return this.#waker?.pid ?? 0
  }

  addTenant(name: string, uid: number, limits: FpmStart['limits'] = noLimits): FpmStart {
    const start: FpmStart = { name: TenantName.parse(name), uid, gid: uid, php, limits }
    const { customers, web } = this.places
    mkdirSync(customers.tenant(start.name), { mode: 0o755 })
    mkdirSync(customers.sites(start.name), { mode: 0o755 })
    mkdirSync(customers.home(start.name), { mode: 0o700 })
    chownSync(customers.home(start.name), uid, uid)
    mkdirSync(web.tenant(start.name), { recursive: true })
    mkdirSync(web.sites(start.name), { mode: 0o711 })
    writeFileSync(web.fpmConfig(start.name), renderFpmConfig(this.places, start))
    writeFileSync(web.live(start.name), '')
    return start
  }

  /** @returns the docroot; its files are the tenant's, readable for the web server by group. */
  addSite(tenant: FpmStart, host: string, files: Readonly<Record<string, string>>, hasPhp = true): string {
    const name = Fqdn.parse(host)
    const { customers, web } = this.places
    const docroot = customers.docroot(tenant.name, name)
    mkdirSync(docroot, { recursive: true })
    chownSync(docroot, tenant.uid, webGid)
    chmodSync(docroot, 0o2755)
    for (const [path, text] of Object.entries(files)) this.write(tenant, join(docroot, path), text)
    const site = web.site(tenant.name, name)
    mkdirSync(site, { recursive: true })
    symlinkSync(docroot, join(site, 'docroot'))
    symlinkSync(web.defaultTls, join(site, 'tls'))
    symlinkSync('../../live', join(site, 'live'))
    if (hasPhp) symlinkSync(this.places.fpmSocket(poolOf(tenant.name, tenant.apart)), join(site, 'php.sock'))
    this.#hosts.set(host, hasPhp ? { kind: 'php', start: tenant } : { kind: 'static' })
    symlinkSync(`../tenants/${tenant.name}/sites/${name}`, web.host(name)) // last: from here on the site is served
    return docroot
  }

  /** Another version of PHP for a site, as a job gives it. */
  serveBy(tenant: FpmStart, host: string): void {
    const name = Fqdn.parse(host)
    this.#hosts.set(host, { kind: 'php', start: tenant })
    const socket = this.places.fpmSocket(poolOf(tenant.name, tenant.apart))
    swapLink(socket, join(this.places.web.site(tenant.name, name), 'php.sock'))
  }

  /** Another name of a site, in place of whatever site it named before. */
  addAlias(tenant: FpmStart, alias: string, host: string): void {
    const { web } = this.places
    const [name, site] = [Fqdn.parse(alias), Fqdn.parse(host)]
    swapLink(site, web.site(tenant.name, name))
    swapLink(`../tenants/${tenant.name}/sites/${site}`, web.host(name))
    this.#hosts.set(alias, { kind: 'php', start: tenant })
  }

  /** What is chosen for a site and its aliases, as a job has the web server read it. */
  async choose(tenant: FpmStart, host: string, settings: unknown, aliases: readonly string[] = []): Promise<void> {
    const [fqdn, ...others] = [host, ...aliases].map((name) => Fqdn.parse(name))
    if (fqdn === undefined) throw new Error('a site has a name')
    const docroot = this.places.customers.docroot(tenant.name, fqdn)
    const rows = { names: [fqdn, ...others], docroot, settings: SiteSettings.parse(settings) }
    if (rows.settings.locked !== undefined) this.admit(tenant, fqdn, rows.settings.users ?? [])
    const step = servedRows([{ fqdn, rows }])
    const { places, services } = this
    const machine = { places, services, files: createFiles({ root: places.root, owner: 0 }) } as unknown as Machine // what it uses
    await step.apply(machine, await step.capture(machine))
    if ((await step.check(machine)) !== undefined) throw new Error('the settings are not as they were chosen')
  }

  /** Users of protected directories, as a job writes them. */
  admit({ name }: FpmStart, host: string, users: readonly SiteUser[]): void {
    const path = this.places.web.users(name, Fqdn.parse(host))
    writeFileSync(path, usersText(users), { mode: 0o640 })
    chownSync(path, 0, workersGid)
  }

  /** What is chosen for PHP of a site and its aliases, as a job has the tenant's PHP read it. */
  async choosePhp(tenant: FpmStart, host: string, php: unknown, aliases: readonly string[] = []): Promise<void> {
    const [fqdn, ...others] = [host, ...aliases].map((name) => Fqdn.parse(name))
    if (fqdn === undefined) throw new Error('a site has a name')
    const id = siteId(host)
    const site = {
      id,
      fqdn,
      aliases: others,
      php: PhpVersion.parse(tenant.php),
      settings: SiteSettings.parse(php === undefined ? {} : { php }),
    }
    const { places, services } = this
    const machine = { places, services, files: createFiles({ root: places.root, owner: 0 }) } as unknown as Machine // what it uses
    for (const step of [...phpOptionsFacts(machine, tenant, site), stoppedFpm(tenant.name)]) {
      if ((await step.check(machine)) !== undefined) await step.apply(machine, await step.capture(machine))
    }
  }

  write(tenant: FpmStart, path: string, text: string): void {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    chownSync(dirname(path), tenant.uid, webGid)
    writeFileSync(path, text, { mode: 0o644 })
    chownSync(path, tenant.uid, webGid)
  }

  link(owner: number, target: string, path: string): void {
    symlinkSync(target, path)
    lchownSync(path, owner, owner)
  }

  /** Lines. */
  accessLog(): readonly string[] {
    const { accessLog } = this.places
    return existsSync(accessLog) ? readFileSync(accessLog, 'utf8').split('\n') : []
  }

  errorLog(): string {
    return existsSync(this.places.webErrorLog) ? readFileSync(this.places.webErrorLog, 'utf8') : ''
  }

  /** PHP processes of a tenant, whoever started them. */
  processesOf(uid: number): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          return new RegExp(`^Uid:\\s+${uid}\\s`, 'm').test(readFileSync(`/proc/${pid}/status`, 'utf8'))
        } catch {
          return false
        }
      })
  }

  async shutDown(): Promise<void> {
    this.disconnectAgent()
    for (const { pool } of await this.services.awakeFpm()) await this.services.stopFpm(pool)
    this.services.close()
    const master = Number.parseInt(readFileSync(this.places.nginxPid, 'utf8'), 10)
    process.kill(master, 'SIGTERM')
    await until(() => !existsSync(this.places.nginxPid))
    await this.killWaker()
    await this.endWebLog()
    rmSync(this.root, { recursive: true })
  }

  #makeDefaultTls(): void {
    const { defaultTls, certificateFile, keyFile } = this.places.web
    mkdirSync(defaultTls, { recursive: true })
    const key = join(defaultTls, keyFile)
    const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    const files = ['-subj', '/CN=default.invalid', '-keyout', key, '-out', join(defaultTls, certificateFile)]
    execFileSync('/usr/bin/openssl', [...words, ...files], { stdio: 'ignore' })
    chownSync(key, 0, workersGid)
    chmodSync(key, 0o640)
  }

  async #writeNginxConfig(): Promise<void> {
    const { places } = this
    mkdirSync(dirname(places.nginxSite), { recursive: true })
    const options = {
      http: [`127.0.0.1:${httpPort}`, `[::1]:${httpPort}`],
      https: [`127.0.0.1:${httpsPort}`],
      nginxVersion: await nginxVersion(),
      perAddress: 256,
      perSite: 2048,
      proxies: [trustedProxy],
    }
    writeFileSync(places.nginxSite, renderNginxSite(places, options))
    const spool = join(this.root, 'var/lib/nginx')
    mkdirSync(spool, { recursive: true })
    writeFileSync(
      places.nginxConfig,
      withOurNeeds(`user www-data; worker_processes 2; pid ${places.nginxPid}; error_log ${places.logs}/nginx.log;
events { worker_connections 768; }
http {
  include /etc/nginx/mime.types; default_type application/octet-stream; sendfile on; tcp_nopush on; gzip on;
  ssl_protocols TLSv1.2 TLSv1.3; access_log ${places.logs}/other.log;
  client_body_temp_path ${spool}/body; fastcgi_temp_path ${spool}/fastcgi; proxy_temp_path ${spool}/proxy;
  uwsgi_temp_path ${spool}/uwsgi; scgi_temp_path ${spool}/scgi;
  include ${places.nginxSite};
}
`),
    )
  }
}

/** The same for the same name. */
function siteId(host: string): Id {
  const hex = createHash('sha256').update(host).digest('hex')
  return Id.parse(
    `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`,
  )
}

function idOf(flag: string, name: string): number {
  return Number(execFileSync('/usr/bin/id', [flag, name], { encoding: 'utf8' }))
}

function swapLink(target: string, path: string): void {
  symlinkSync(target, `${path}.new`)
  renameSync(`${path}.new`, path)
}

/** What `condition` gives once it is neither false nor nothing. */
export async function until<T>(condition: () => T | Promise<T>, timeoutMs = 15_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs
  for (let found = await condition(); ; found = await condition()) {
    if (found) return found
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${condition}`)
    await sleep(10)
  }
}

export function ask(host: string, path: string, more: ClientRequestArgs & { body?: Buffer } = {}): Promise<Answer> {
  const { body, ...options } = more
  return new Promise((resolve, reject) => {
    const headers = { Host: host, ...(body && { 'Content-Length': body.length }), ...options.headers }
    const asked = request(
      { host: '127.0.0.1', port: httpPort, path, agent: false, ...options, headers },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}
