/**
 * The classic way: one server block for each site and a reload of nginx, one pool for each site in one PHP-FPM master and a
 * reload of that. Without the making of accounts, which the classic way needs besides.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { installedPhp } from '../src/agent/os/php-versions.ts'
import { freePorts } from '../test/support/free-ports.ts'
import { processes } from '../test/support/processes.ts'

const firstUid = 20_000
const webUid = 33

export class Classic {
  readonly #root: string
  readonly #port: number
  #sites = 0
  #fpm: ChildProcess | undefined

  private constructor(root: string, port: number) {
    this.#root = root
    this.#port = port
  }

  /** Both servers run, with that many sites. */
  static async start(sites: number): Promise<Classic> {
    const root = mkdtempSync('/var/lib/wcp360-classic-')
    const classic = new Classic(root, (await freePorts()).http)
    classic.#layOut()
    for (let index = 0; index < sites; index++) classic.#write()
    await classic.#begin()
    return classic
  }

  /** Written, tested, reloaded, and served by PHP. */
  async createSite(): Promise<void> {
    const host = this.#write()
    execFileSync('/usr/sbin/nginx', ['-t', '-q', '-c', join(this.#root, 'nginx.conf')])
    process.kill(this.webMaster, 'SIGHUP')
    process.kill(this.fpmMaster, 'SIGUSR2')
    await this.#untilServed(host)
  }

  get webMaster(): number {
    return Number(readFileSync(join(this.#root, 'nginx.pid'), 'utf8'))
  }

  get fpmMaster(): number {
    return this.#fpm?.pid ?? -1
  }

  /** Master and workers of both. */
  pids(): { readonly web: readonly number[]; readonly fpm: readonly number[] } {
    const all = processes()
    const tree = (master: number) => [master, ...all.filter(({ parent }) => parent === master).map(({ pid }) => pid)]
    return { web: tree(this.webMaster), fpm: tree(this.fpmMaster) }
  }

  /** Milliseconds of one answer of a site whose pool has no worker. */
  async cold(index: number): Promise<number> {
    const started = performance.now()
    const status = await this.#visit(hostOf(index))
    if (status !== 200) throw new Error(`the classic site ${index} answered ${status}`)
    return performance.now() - started
  }

  async dispose(): Promise<void> {
    const pids = this.pids()
    for (const pid of [pids.web[0], pids.fpm[0]]) if (pid !== undefined) process.kill(pid, 'SIGTERM')
    if (this.#fpm?.exitCode === null) await once(this.#fpm, 'exit')
    while (pids.web.some((pid) => processes().some((one) => one.pid === pid && one.words[0] !== ''))) await sleep(50)
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }

  #layOut(): void {
    chmodSync(this.#root, 0o755)
    for (const name of ['sites', 'pools', 'srv', 'run']) mkdirSync(join(this.#root, name), { mode: 0o755 })
    writeFileSync(join(this.#root, 'nginx.conf'), nginxConfig(this.#root))
    writeFileSync(
      join(this.#root, 'fpm.conf'),
      `[global]\nerror_log = ${this.#root}/fpm.log\ndaemonize = no\ninclude = ${this.#root}/pools/*.conf\n`,
    )
  }

  #write(): string {
    const index = this.#sites++
    const docroot = join(this.#root, 'srv', String(index))
    const uid = firstUid + index
    mkdirSync(docroot, { mode: 0o750 })
    writeFileSync(join(docroot, 'index.php'), '<?php echo "hello from ", posix_geteuid();', { mode: 0o644 })
    chownSync(docroot, uid, webUid)
    const socket = join(this.#root, 'run', `${index}.sock`)
    writeFileSync(join(this.#root, 'pools', `${index}.conf`), pool(index, uid, socket))
    writeFileSync(join(this.#root, 'sites', `${index}.conf`), serverBlock({ port: this.#port, docroot, socket, index }))
    return hostOf(index)
  }

  async #begin(): Promise<void> {
    const php = installedPhp().at(-1)
    if (php === undefined) throw new Error('PHP-FPM is not installed')
    const fpm = [`/usr/sbin/php-fpm${php}`, '--nodaemonize', '--fpm-config', join(this.#root, 'fpm.conf')]
    const [file = '', ...argv] = fpm
    this.#fpm = spawn(file, argv, { stdio: 'ignore' })
    execFileSync('/usr/sbin/nginx', ['-c', join(this.#root, 'nginx.conf')])
    await this.#untilServed(hostOf(this.#sites - 1))
  }

  async #untilServed(host: string): Promise<void> {
    const deadline = performance.now() + 120_000
    while ((await this.#visit(host)) !== 200) {
      if (performance.now() > deadline) throw new Error('the classic site was not served in two minutes')
      await sleep(2)
    }
  }

  #visit(host: string): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>()
    request({ host: '127.0.0.1', port: this.#port, headers: { host }, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
      .on('error', () => resolve(0))
      .end()
    return promise
  }
}

function hostOf(index: number): string {
  return `classic${index}.example.com`
}

function nginxConfig(root: string): string {
  return `user www-data;
worker_processes 2;
pid ${root}/nginx.pid;
error_log ${root}/nginx-error.log;
events { worker_connections 4096; }
http {
  server_names_hash_bucket_size 128;
  server_names_hash_max_size 65536;
  access_log ${root}/access.log combined buffer=64k flush=1s;
  include ${root}/sites/*.conf;
}
`
}

interface Block {
  readonly port: number
  readonly docroot: string
  readonly socket: string
  readonly index: number
}

function serverBlock({ port, docroot, socket, index }: Block): string {
  return `server {
  listen 127.0.0.1:${port};
  server_name ${hostOf(index)};
  root ${docroot};
  index index.php index.html;
  location / { try_files $uri $uri/ =404; }
  location ~ \\.php$ {
    include /etc/nginx/fastcgi_params;
    fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
    fastcgi_pass unix:${socket};
  }
}
`
}

function pool(index: number, uid: number, socket: string): string {
  return `[site${index}]
user = ${uid}
group = ${uid}
listen = ${socket}
listen.owner = ${webUid}
listen.group = ${webUid}
pm = ondemand
pm.max_children = 10
pm.process_idle_timeout = 10s
`
}
