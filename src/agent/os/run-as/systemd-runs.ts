/** Runs as transient units in the tenant's slice. systemd itself notes how one ended, whether an agent is there or not. */
import { readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { WcpError } from '../../../contract/errors.ts'
import { exec, spawnService } from '../exec.ts'
import type { Layout } from '../layout.ts'
import { sliceUnit, tenantView } from '../systemd-services-units.ts'
import type { TenantIdentity } from '../tenant-identity.ts'
import type { RunBackend, Started } from './run-as.ts'
import { type RunEnd, readableOf, runName, type TenantRun, tenantArgv } from './tenant-run.ts'

const systemctl = '/usr/bin/systemctl'

export interface Surroundings {
  /** The tenant's slice has its limits, and its view its own accounts. */
  prepare(run: TenantIdentity & Pick<TenantRun, 'sliceLimits'>): Promise<void>
  /** See `TenantNetwork`. */
  isFiltered(): boolean
}

export class SystemdRuns implements RunBackend {
  readonly refusal = undefined
  readonly #places: Layout
  readonly #surroundings: Surroundings

  constructor(places: Layout, surroundings: Surroundings) {
    this.#places = places
    this.#surroundings = surroundings
  }

  async launch(run: TenantRun, output: number): Promise<Started> {
    await this.#surroundings.prepare(run)
    const argv = startRunArgv(this.#places, run, this.#surroundings.isFiltered())
    const { ended } = await spawnService('/usr/bin/systemd-run', argv, { stdio: ['ignore', output, output] })
    return { ended }
  }

  async isThere({ id }: TenantRun): Promise<boolean> {
    const { stdout } = await exec(systemctl, ['show', '--property=ActiveState', '--', unitOf(id)])
    return /^ActiveState=(?:active|activating|deactivating|reloading)$/m.test(stdout)
  }

  endOf(run: TenantRun): RunEnd | undefined {
    try {
      return endFrom(readlinkSync(lastWord(this.#places, run)))
    } catch {
      return undefined // it runs, or never began
    }
  }

  async ask(run: TenantRun): Promise<void> {
    await this.end(run)
  }

  /**
   * SIGTERM, and SIGKILL for the whole control group after `TimeoutStopSec`. There is nothing to end once it has its last
   * word: systemd begins `ExecStopPost` after that.
   */
  async end(run: TenantRun): Promise<void> {
    if (this.endOf(run) !== undefined) return
    const { id } = run
    const { code, stderr } = await exec(systemctl, ['stop', '--', unitOf(id)], { timeoutMs: 60_000 })
    // A unit that is not loaded is as good as stopped: exit code 5.
    if (code === 0 || code === 5) return
    throw new WcpError('machine_failed', `Cannot stop "${unitOf(id)}"`, { cause: new Error(stderr) })
  }

  async forget(run: TenantRun): Promise<void> {
    rmSync(lastWord(this.#places, run), { force: true })
  }
}

function unitOf(id: TenantRun['id']): string {
  return `${runName(id)}.service`
}

/** A link whose target is the word: made in one step, and no program of ours has to run for it. */
function lastWord({ runsRun }: Layout, { id }: TenantRun): string {
  return join(runsRun, `${runName(id)}.end`)
}

/** `$SERVICE_RESULT:$EXIT_CODE:$EXIT_STATUS` of systemd.exec(5). */
function endFrom(word: string): RunEnd {
  const [result, code, status = ''] = word.split(':')
  if (result === 'timeout') return { kind: 'timeout' }
  if (result === 'oom-kill') return { kind: 'memory' }
  if (code === 'exited') return { kind: 'exited', code: Number(status) }
  return code === 'killed' || code === 'dumped' ? { kind: 'killed', signal: status } : { kind: 'unstarted' }
}

export function startRunArgv(places: Layout, run: TenantRun, isFiltered: boolean): readonly string[] {
  const { seconds, memMb, pids } = run.limits
  const properties = [
    'Type=exec',
    'KillMode=control-group',
    'TimeoutStopSec=5',
    `RuntimeMaxSec=${seconds}`,
    `TasksMax=${pids}`,
    ...(memMb === null ? [] : [`MemoryMax=${memMb}M`, 'MemorySwapMax=0']),
    'OOMPolicy=kill',
    `ExecStopPost=+/usr/bin/ln --symbolic --force -- $\{SERVICE_RESULT}:$\{EXIT_CODE}:$\{EXIT_STATUS} ${lastWord(places, run)}`,
    ...tenantView(places, run, { policy: run.sliceLimits.egress, isFiltered }, readableOf(places, run)),
  ]
  return [
    '--quiet',
    '--collect',
    '--wait',
    '--pipe',
    `--unit=${unitOf(run.id)}`,
    // not its command line, which is systemd-run's own choice: others list units
    `--description=Command of ${run.name}`,
    `--slice=${sliceUnit(run.name)}`,
    `--uid=${run.uid}`,
    `--gid=${run.gid}`,
    ...properties.map((property) => `--property=${property}`),
    '--',
    ...tenantArgv(places, run).map(literal),
  ]
}

/** systemd replaces variables in the words of a command, and `$$` by `$` (systemd.service(5)). */
function literal(word: string): string {
  return word.replaceAll('$', '$$$$')
}
