/**
 * Services without systemd, for containers, CI and laptops: PHP-FPM masters in namespaces made by bubblewrap, nginx as a
 * supervised child. Masters are sessions of their own with a record on disk, so they survive a restart of the agent.
 */
import { closeSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../log.ts'
import { crowd, usageOfUids } from './crowd.ts'
import { sandboxed, setprivArgv } from './direct-services-sandbox.ts'
import type { Egress } from './egress.ts'
import { exec, spawnService } from './exec.ts'
import { Supervised } from './exec-supervised.ts'
import { connectedSockets, isConnected, workOf } from './fpm-activity.ts'
import { fpmCommand, seenOptions } from './fpm-command.ts'
import { type Activity, type FpmBackend, FpmLifecycle, type Launched } from './fpm-lifecycle.ts'
import { type FpmPool, poolOf, suffixOf, tenantOf } from './fpm-pool.ts'
import { keepDescriptors } from './inherited-descriptors.ts'
import type { Layout } from './layout.ts'
import { nginxMaster, reloadRunningNginx, startNginx, testNginxConfig } from './nginx.ts'
import { Reloads } from './nginx-reloads.ts'
import { refusedByPhp } from './php-check.ts'
import { processes, processOf, programOf, signal } from './processes.ts'
import { DirectRuns } from './run-as/direct-runs.ts'
import { startBySandbox } from './run-as/file-worker.ts'
import { RunAs, runServices } from './run-as/run-as.ts'
import type { FpmStart, ServiceState, Services } from './services.ts'
import { endProcessesOf, processesOf } from './tenant-processes.ts'
import { endSandboxes, sandboxesOf, sandboxMark, type TenantSandbox } from './tenant-sandboxes.ts'
import { bindDatagrams, lengthenDatagramQueues, listenUnix } from './unix-listen.ts'

export interface DirectOptions {
  readonly places: Layout
  /** Group of the web server's workers: it alone may connect to PHP. */
  readonly webGid: number
  readonly log: Log
  readonly egress: Egress
}

export interface DirectServices extends Services {
  /** Starts nginx if none runs and keeps it running; one that runs already is told of the sockets. */
  superviseNginx(): Promise<void>
  /** Where the web server sends the lines of its logs, for the process that writes them: requests, errors, PHP's errors. */
  readonly webLogSockets: readonly number[]
  /** Further supervised processes (panel, waker), for `states`. */
  watch(supervised: Supervised): void
  /** Stops supervising; what runs keeps running. */
  close(): void
}

const graceMs = 20_000

export async function openDirectServices({ places, webGid, log, egress }: DirectOptions): Promise<DirectServices> {
  keepDescriptors()
  const hasNamespaces = await canSandbox()
  const backend = new DirectFpm(places, webGid, hasNamespaces)
  const lifecycle = new FpmLifecycle(places, backend)
  mkdirSync(places.webLogRun, { recursive: true, mode: 0o755 })
  lengthenDatagramQueues()
  const webLogSockets = Object.values(places.webLogSockets).map((path) => bindDatagrams(path, webGid))
  const runs = new RunAs(places, new DirectRuns(places, hasNamespaces))
  const nginx = new Supervised({
    name: 'nginx',
    adopted: () => nginxMaster(places),
    start: () => startNginx(places, webLogSockets),
    log,
  })
  const watched: Supervised[] = []
  const reload = async () => {
    await testNginxConfig(places)
    await reloadRunningNginx(places, async (master) => void process.kill(master, 'SIGHUP'))
  }
  const reloads = new Reloads(async () => {
    if (nginxMaster(places) !== undefined) return reload()
    await testNginxConfig(places)
    await nginx.begin()
  })
  return {
    kind: 'direct',
    webLogSockets,
    hasOwnViews: hasNamespaces,
    get missing() {
      return [...missing(hasNamespaces), ...egress.missing]
    },
    startFpm: (start) => lifecycle.start(start),
    stopFpm: (pool) => lifecycle.stop(pool),
    awakeFpm: async () => lifecycle.awake(),
    refusedByPhp,
    ...runServices(runs),
    startFileWorker: (worker, connection) => startBySandbox(places, worker, connection),
    crowd: async () => crowd(usageOfUids()),
    // Held by stopping what rests; nothing else could refuse more, which `missing` says.
    applyCeiling: async () => {},
    // The process limit is set at the next start; the others cannot be set, which `missing` says.
    applyLimits: ({ uid }, limits) => egress.set(uid, limits.egress ?? 'default'),
    limitsNotInForce: async () => [],
    async stopTenant(tenant) {
      await lifecycle.stopAll(tenant)
      await endSandboxes(() => sandboxesOf(places.customers.tenant(tenant)))
      await endProcessesOf(() => processesOf(places, tenant))
    },
    runsAnything: async (tenant) =>
      sandboxesOf(places.customers.tenant(tenant)).length > 0 || processesOf(places, tenant).length > 0,
    reloadNginx: () => reloads.ask(),
    states: async () => [nginx, ...watched].map((one): ServiceState => one.state()),
    async superviseNginx() {
      const isAdopted = nginxMaster(places) !== undefined
      await nginx.begin()
      // its workers send to the sockets of the agent that started it, where nobody reads any more
      if (isAdopted)
        void reload().catch((error) => log.warn({ err: error }, "nginx's log lines are lost until it is reloaded"))
    },
    watch: (supervised) => void watched.push(supervised),
    close: () => nginx.forget(),
  }
}

function missing(hasNamespaces: boolean): string[] {
  return [
    'Limits of CPU, memory and I/O are not enforced: this machine does not run systemd.',
    'What all customers together use is held below its ceiling by stopping PHP that rests, and by nothing else: this machine does not run systemd.',
    'System calls of PHP are not filtered: this machine does not run systemd.',
    ...(hasNamespaces
      ? []
      : ['PHP of different customers shares /tmp, /proc and the view of the disk: namespaces are not permitted here.']),
  ]
}

async function canSandbox(): Promise<boolean> {
  if (!existsSync('/usr/bin/bwrap')) return false
  const argv = ['--ro-bind', '/', '/', '--proc', '/proc', '--unshare-pid', '--unshare-ipc', '--', '/bin/true']
  return (await exec('/usr/bin/bwrap', argv)).code === 0
}

interface Master {
  /** The outermost process: bubblewrap, or the master itself without namespaces. */
  readonly pid: number
  /** Field 22 of proc(5)'s stat, so that a reused number is not taken for it. */
  readonly startTicks: number
}

class DirectFpm implements FpmBackend {
  readonly #places: Layout
  readonly #webGid: number
  readonly #hasNamespaces: boolean

  constructor(places: Layout, webGid: number, hasNamespaces: boolean) {
    this.#places = places
    this.#webGid = webGid
    this.#hasNamespaces = hasNamespaces
  }

  async launch(start: FpmStart): Promise<Launched> {
    const limits = ['--core=0', ...(start.limits.pids === null ? [] : [`--nproc=${start.limits.pids}`]), '--']
    const pool = poolOf(start.name, start.apart)
    const mark = markOf(pool)
    const more = mark === undefined ? [] : sandboxMark(mark)
    const box = this.#hasNamespaces ? sandboxed(this.#places, start, { more }) : { argv: [], data: [] }
    const socket = listenUnix(this.#places.fpmBoundSocket(start.uid, pool), this.#webGid)
    const stdio = ['ignore', 'ignore', 'words', socket, ...box.data] as const
    // on the tenant's own share of the disk: nothing here grows by what PHP has to say
    const log = { error_log: join(this.#places.customers.home(start.name), 'php.log') }
    const sites = this.#hasNamespaces ? this.#places.web.hosts : this.#places.web.sites(start.name)
    const command = fpmCommand(this.#places, start, log, seenOptions(this.#places, start.name, sites))
    const inner = ['/usr/bin/setpriv', ...setprivArgv(start), command.file, ...command.argv]
    try {
      const service = await spawnService('/usr/bin/prlimit', [...limits, ...box.argv, ...inner], {
        stdio,
        env: command.env,
      })
      this.#remember(pool, service.pid)
      const failed = service.ended.then((code): never => {
        throw new Error(`it ended with code ${code}: ${service.words().trimEnd().split('\n').slice(-3).join(' / ')}`)
      })
      failed.catch(() => {}) // told by whoever waits; later ends are seen at the next start
      return { failed }
    } finally {
      closeSync(socket)
    }
  }

  async isThere(pool: FpmPool): Promise<boolean> {
    return this.#recall(pool) !== undefined
  }

  async end(pool: FpmPool): Promise<void> {
    const top = this.#recall(pool)
    if (top) {
      signal(masterBelow(top.pid, processTree()), 'SIGQUIT')
      const deadline = performance.now() + graceMs
      while (this.#recall(pool) && performance.now() < deadline) await sleep(15)
      if (this.#recall(pool)) for (const pid of descendants(top.pid, processTree())) signal(pid, 'SIGKILL')
      while (this.#recall(pool)) await sleep(5)
    }
    // The master's end is not its namespace's: what it or a script left in it goes on.
    await endSandboxes(() => this.#sandboxes(pool))
    rmSync(this.#places.fpmRecord(pool), { force: true })
  }

  activityOf(pools: readonly FpmPool[]): readonly Activity[] {
    const tree = processTree()
    const connected = connectedSockets()
    return pools.map((pool) => {
      const top = this.#recall(pool)
      // A master that died leaves its socket: told as idle, so that the reaper clears it away.
      const pids = top ? descendants(masterBelow(top.pid, tree), tree) : []
      const isServing = isConnected(this.#places, pool, connected)
      return { tenant: tenantOf(pool), pool, isServing: pids.length > 0 && isServing, work: workOf(pids) }
    })
  }

  #sandboxes(pool: FpmPool): readonly TenantSandbox[] {
    const all = sandboxesOf(this.#places.customers.tenant(tenantOf(pool)))
    return all.filter(({ mark }) => mark === markOf(pool))
  }

  #remember(pool: FpmPool, pid: number): void {
    const master: Master = { pid, startTicks: startTicks(pid) ?? 0 }
    const file = this.#places.fpmRecord(pool)
    writeFileSync(`${file}.new`, JSON.stringify(master), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }

  #recall(pool: FpmPool): Master | undefined {
    try {
      const master: Master = JSON.parse(readFileSync(this.#places.fpmRecord(pool), 'utf8')) // our own, root's alone
      return startTicks(master.pid) === master.startTicks ? master : undefined
    } catch {
      return undefined // no record: none was started
    }
  }
}

/** By which its sandbox is told from those of the tenant's other masters; the tenant's own has none. */
function markOf(pool: FpmPool): string | undefined {
  return pool === tenantOf(pool) ? undefined : `fpm${suffixOf(pool)}`
}

type Tree = ReadonlyMap<number, readonly number[]>

/** Parent → children of every process; CONFIG_PROC_CHILDREN is not there on every kernel. */
function processTree(): Tree {
  const tree = new Map<number, number[]>()
  for (const { pid, state, parent } of processes()) {
    if (state === 'Z') continue
    const siblings = tree.get(parent)
    if (siblings) siblings.push(pid)
    else tree.set(parent, [pid])
  }
  return tree
}

function startTicks(pid: number): number | undefined {
  const found = processOf(pid)
  return found === undefined || found.state === 'Z' ? undefined : found.startTicks
}

/** bubblewrap has one child, the first process of the namespace, which has the master as its first; else the top itself is it. */
function masterBelow(pid: number, tree: Tree): number {
  const isBubblewrap = () => programOf(pid) === 'bwrap'
  const [child] = tree.get(pid) ?? []
  return isBubblewrap() && child !== undefined ? masterBelow(child, tree) : pid
}

function descendants(pid: number, tree: Tree): number[] {
  return [pid, ...(tree.get(pid) ?? []).flatMap((child) => descendants(child, tree))]
}
