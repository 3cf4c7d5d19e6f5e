/**
 * Services below systemd. An idle tenant has no unit; an awake one has a transient socket and service in its slice, made by
 * one call. Nothing here needs `daemon-reload`, which is the dearest thing to ask of systemd on a machine with many units.
 */
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { WcpError } from '../../contract/errors.ts'
import { TenantLimits, TenantName } from '../../contract/values.ts'
import type { Log } from '../log.ts'
import { crowd, usageOfSlice } from './crowd.ts'
import type { Egress } from './egress.ts'
import { exec, execOk } from './exec.ts'
import { connectedSockets, isConnected, workOf } from './fpm-activity.ts'
import { groupText, passwdText } from './fpm-command.ts'
import { type Activity, type FpmBackend, FpmLifecycle, type Launched } from './fpm-lifecycle.ts'
import { type FpmPool, poolsOf, tenantOf } from './fpm-pool.ts'
import { limitsNotInForce } from './kernel-limits.ts'
import type { Layout } from './layout.ts'
import { reloadRunningNginx, testNginxConfig } from './nginx.ts'
import { Reloads } from './nginx-reloads.ts'
import { refusedByPhp } from './php-check.ts'
import { startBySystemd } from './run-as/file-worker.ts'
import { RunAs, runServices } from './run-as/run-as.ts'
import { type Surroundings, SystemdRuns } from './run-as/systemd-runs.ts'
import type { FpmStart, ServiceState, Services } from './services.ts'
import {
  ceilingProperties,
  customersSlice,
  fpmUnit,
  limitProperties,
  sliceUnit,
  startFpmArgv,
} from './systemd-services-units.ts'
import type { TenantIdentity } from './tenant-identity.ts'
import { hasCgroups } from './unenforced.ts'
import { WakeBursts } from './wake-burst.ts'

export interface SystemdOptions {
  readonly places: Layout
  /** Group of the web server's workers, by name as systemd wants it. */
  readonly webGroup: string
  readonly log: Log
  readonly egress: Egress
}

const systemctl = '/usr/bin/systemctl'
/** systemd answers before it has written to the kernel (`systemctl set-property`), under load by a moment. */
const longestToForceMs = 5000

export function systemdServices({ places, webGroup, log, egress }: SystemdOptions): Services {
  const { cgroups } = places
  const backend = new SystemdFpm(places, webGroup, log, egress)
  void backend.endBurstsOfBefore()
  const lifecycle = new FpmLifecycle(places, backend)
  const surroundings: Surroundings = {
    prepare: (run) => backend.prepareSlice(run),
    isFiltered: () => egress.isInForce,
  }
  const runs = new RunAs(places, new SystemdRuns(places, surroundings))
  const reloads = new Reloads(async () => {
    await testNginxConfig(places)
    // one that is stopped stays so, and reads its configuration when it is started
    await reloadRunningNginx(places, async () => {
      await execOk(systemctl, ['try-reload-or-restart', 'nginx.service'], { timeoutMs: 90_000 })
    })
  })
  return {
    kind: 'systemd',
    hasOwnViews: true,
    get missing() {
      const limits = 'Limits of customers are not enforced: cgroup v2 is not mounted.'
      return [...(hasCgroups(cgroups) ? [] : [limits]), ...egress.missing]
    },
    startFpm: (start) => lifecycle.start(start),
    stopFpm: (pool) => lifecycle.stop(pool),
    awakeFpm: async () => lifecycle.awake(),
    refusedByPhp,
    ...runServices(runs),
    startFileWorker: (worker, connection) => startBySystemd(places, surroundings, worker, connection),
    crowd: async () => crowd(usageOfSlice(join(cgroups, customersSlice))),
    async applyCeiling(ceiling) {
      await execOk(systemctl, ['set-property', '--runtime', '--', customersSlice, ...ceilingProperties(ceiling)])
    },
    async applyLimits({ name, uid }, limits) {
      // somebody may have changed them since
      backend.forgetLimits(name)
      if (existsSync(backend.sliceDirectory(name))) await backend.forceLimits(name, limits)
      await egress.set(uid, limits.egress ?? 'default')
    },
    limitsNotInForce: async ({ name }, limits) => limitsNotInForce(places, { tenant: name, limits }),
    async stopTenant(tenant) {
      await lifecycle.stopAll(tenant)
      // Stopping a slice stops everything in it, each by its own rules; what does not end is killed after its timeout.
      await execOk(systemctl, ['stop', '--', sliceUnit(tenant)], { timeoutMs: 120_000 })
      backend.dropLimits(tenant)
    },
    runsAnything: async (tenant) => isPopulated(backend.sliceDirectory(tenant)),
    reloadNginx: () => reloads.ask(),
    states: () =>
      Promise.all([
        unitState('nginx'),
        unitState('panel', 'wcpd-panel'),
        unitState('waker', 'wcpd-waker'),
        unitState('web-log', 'wcpd-web-log'),
      ]),
  }
}

/** Processes in it or below it (cgroups(7), cgroup.events). */
function isPopulated(directory: string): boolean {
  try {
    return /^populated 1$/m.test(readFileSync(join(directory, 'cgroup.events'), 'utf8'))
  } catch {
    return false // no cgroup: nothing was started, or all has ended
  }
}

async function unitState(name: string, unit = name): Promise<ServiceState> {
  const argv = ['show', '--property=LoadState,ActiveState,SubState', '--', `${unit}.service`]
  const { stdout } = await execOk(systemctl, argv)
  const facts = Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=', 2)),
  )
  const detail: string = `${facts.ActiveState} (${facts.SubState})`
  if (facts.LoadState !== 'loaded')
    return { name, state: 'missing', detail: `unit ${unit}.service: ${facts.LoadState}` }
  if (['active', 'reloading'].includes(facts.ActiveState)) return { name, state: 'running', detail }
  // "activating (auto-restart)": it died, or could not start, and is tried again
  const hasFailed = facts.ActiveState === 'failed' || facts.SubState === 'auto-restart'
  return { name, state: hasFailed ? 'failed' : 'stopped', detail }
}

class SystemdFpm implements FpmBackend {
  readonly #places: Layout
  readonly #webGroup: string
  /** Properties that this process has set; the drop-ins are systemd's own, below /run, and outlive the slice. */
  readonly #limits = new Map<TenantName, string>()
  /** The package's limits; a burst may raise them for a moment. */
  readonly #wanted = new Map<TenantName, TenantLimits>()
  readonly #bursts: WakeBursts
  readonly #log: Log
  readonly #egress: Egress

  constructor(places: Layout, webGroup: string, log: Log, egress: Egress) {
    this.#egress = egress
    this.#places = places
    this.#webGroup = webGroup
    this.#log = log
    this.#bursts = new WakeBursts({
      apply: (tenant) => this.#apply(tenant),
      cpuMs: (tenant) => cpuMsOf(this.sliceDirectory(tenant)),
      isServing(tenant) {
        const connected = connectedSockets()
        return poolsOf(tenant).some((pool) => isConnected(places, pool, connected))
      },
      note: (tenant, isRaised) => this.#noteBurst(tenant, isRaised),
      sleep,
      now: () => performance.now(),
      failed: (tenant, err) => log.error({ tenant, err }, 'the quota of a tenant that woke was not lowered'),
    })
  }

  async launch(start: FpmStart): Promise<Launched> {
    this.#wanted.set(start.name, start.limits)
    await this.#bursts.begin(start.name, start.limits)
    this.#writeAccounts(start)
    await execOk('/usr/bin/systemd-run', startFpmArgv(this.#places, start, this.#webGroup, this.#egress.isInForce))
    // Its end shows at the socket: systemd gives up after a few tries and closes it.
    return { failed: new Promise(() => {}) }
  }

  async prepareSlice(start: TenantIdentity & { readonly sliceLimits: TenantLimits }): Promise<void> {
    await this.setLimits(start.name, start.sliceLimits)
    this.#writeAccounts(start)
  }

  async isThere(pool: FpmPool): Promise<boolean> {
    const { stdout } = await exec(systemctl, ['show', '--property=ActiveState', '--', `${fpmUnit(pool)}.socket`])
    return stdout.trim() === 'ActiveState=active'
  }

  /** Both at once, so that a late connection does not start the service again. SIGQUIT, and SIGKILL after the timeout. */
  async end(pool: FpmPool): Promise<void> {
    const unit = fpmUnit(pool)
    // A unit that is not loaded is as good as stopped: exit code 5.
    const stopped = await exec(systemctl, ['stop', '--', `${unit}.socket`, `${unit}.service`], { timeoutMs: 60_000 })
    if (stopped.code !== 0 && stopped.code !== 5) {
      throw new WcpError('machine_failed', `Cannot stop "${unit}"`, { cause: new Error(stopped.stderr) })
    }
    if (stopped.code === 0) await exec(systemctl, ['reset-failed', '--', `${unit}.socket`, `${unit}.service`])
  }

  activityOf(pools: readonly FpmPool[]): readonly Activity[] {
    const connected = connectedSockets()
    return pools.map((pool) => {
      const pids = this.#processes(pool)
      const isServing = isConnected(this.#places, pool, connected)
      return { tenant: tenantOf(pool), pool, isServing: pids.length > 0 && isServing, work: workOf(pids) }
    })
  }

  async setLimits(tenant: TenantName, limits: TenantLimits): Promise<void> {
    this.#wanted.set(tenant, limits)
    await this.#apply(tenant)
  }

  /** Resolves when the kernel has them. */
  async forceLimits(tenant: TenantName, limits: TenantLimits): Promise<void> {
    await this.setLimits(tenant, limits)
    const until = performance.now() + longestToForceMs
    while (limitsNotInForce(this.#places, { tenant, limits }).length > 0 && performance.now() < until) await sleep(50)
  }

  /** Of an agent that ended while PHP of a tenant was waking. */
  async endBurstsOfBefore(): Promise<void> {
    for (const tenant of tenantsWithBurst(this.#places)) {
      try {
        const record = readFileSync(this.#places.web.limits(tenant), 'utf8')
        await this.setLimits(tenant, TenantLimits.parse(JSON.parse(record)))
        this.#noteBurst(tenant, false)
      } catch (err) {
        this.#log.error({ tenant, err }, 'the quota of a tenant that woke was not lowered')
      }
    }
  }

  /** A tenant that was stopped meanwhile has no limits to be written. */
  async #apply(tenant: TenantName): Promise<void> {
    const wanted = this.#wanted.get(tenant)
    if (wanted === undefined) return
    const limits = this.#bursts.limitsOf(tenant, wanted)
    const text = JSON.stringify(limits)
    if (this.#limits.get(tenant) === text) return
    const properties = limitProperties(limits, this.#places.customers.root)
    await execOk(systemctl, ['set-property', '--runtime', '--', sliceUnit(tenant), ...properties])
    this.#limits.set(tenant, text)
  }

  #noteBurst(tenant: TenantName, isRaised: boolean): void {
    const path = this.#places.fpmBurst(tenant)
    if (isRaised) writeFileSync(path, '', { mode: 0o600 })
    else rmSync(path, { force: true })
  }

  /** Not by `systemctl revert`, which reloads systemd; a unit that is not loaded reads its drop-ins anew. */
  dropLimits(tenant: TenantName): void {
    rmSync(join('/run/systemd/system.control', `${sliceUnit(tenant)}.d`), { recursive: true, force: true })
    this.forgetLimits(tenant)
  }

  forgetLimits(tenant: TenantName): void {
    this.#limits.delete(tenant)
    this.#wanted.delete(tenant)
  }

  sliceDirectory(tenant: TenantName): string {
    return join(this.#places.cgroups, customersSlice, sliceUnit(tenant))
  }

  #processes(pool: FpmPool): number[] {
    try {
      const file = join(this.sliceDirectory(tenantOf(pool)), `${fpmUnit(pool)}.service`, 'cgroup.procs')
      return readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number)
    } catch {
      return [] // no cgroup: the master has ended
    }
  }

  #writeAccounts(start: TenantIdentity): void {
    const files = [
      [this.#places.fpmPasswd(start.name), passwdText(this.#places, start)],
      [this.#places.fpmGroup(start.name), groupText(start)],
    ] as const
    for (const [path, text] of files) {
      writeFileSync(`${path}.new`, text)
      chmodSync(`${path}.new`, 0o644)
      renameSync(`${path}.new`, path)
    }
  }
}

function cpuMsOf(slice: string): number {
  try {
    return Number(/^usage_usec (\d+)$/m.exec(readFileSync(join(slice, 'cpu.stat'), 'utf8'))?.[1] ?? 0) / 1000
  } catch {
    return 0 // no process of it yet
  }
}

function tenantsWithBurst({ fpmRun }: Layout): readonly TenantName[] {
  if (!existsSync(fpmRun)) return []
  const names = readdirSync(fpmRun).flatMap((file) => /^\.([^.]+)\.burst$/.exec(file)?.[1] ?? [])
  return names.flatMap((name) => TenantName.safeParse(name).data ?? [])
}
