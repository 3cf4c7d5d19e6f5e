/**
 * Runs below bubblewrap, where no systemd is: the sandbox of the tenant's PHP. They are found by the mark on bubblewrap's
 * command line; how they ended bubblewrap itself writes into a file of root's, whether an agent is there or not.
 */
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sandboxed, setprivArgv } from '../direct-services-sandbox.ts'
import { spawnService } from '../exec.ts'
import type { Layout } from '../layout.ts'
import { processes, programOf, signal } from '../processes.ts'
import { endSandboxes, sandboxesOf, sandboxMark, type TenantSandbox } from '../tenant-sandboxes.ts'
import type { RunBackend, Started } from './run-as.ts'
import { type RunEnd, readableOf, runName, type TenantRun, tenantArgv } from './tenant-run.ts'

export class DirectRuns implements RunBackend {
  readonly refusal: string | undefined
  readonly #places: Layout

  constructor(places: Layout, hasNamespaces: boolean) {
    this.#places = places
    this.refusal = hasNamespaces ? undefined : 'this machine has neither systemd nor permits namespaces'
  }

  async launch(run: TenantRun, output: number): Promise<Started> {
    const { memMb, pids } = run.limits
    const memory = memMb === null ? [] : [`--data=${memMb * 1024 * 1024}`]
    const limits = ['--core=0', '--nofile=4096', `--nproc=${pids}`, ...memory, '--']
    const more = ['--json-status-fd', '3', ...sandboxMark(runName(run.id))]
    const box = sandboxed(this.#places, run, { readable: readableOf(this.#places, run), more })
    const inner = ['/usr/bin/setpriv', ...setprivArgv(run), ...tenantArgv(this.#places, run)]
    const status = openSync(this.#status(run), 'w', 0o600)
    try {
      const stdio = ['ignore', output, output, status, ...box.data] as const
      const { ended } = await spawnService('/usr/bin/prlimit', [...limits, ...box.argv, ...inner], { stdio })
      return { ended }
    } finally {
      closeSync(status)
    }
  }

  async isThere(run: TenantRun): Promise<boolean> {
    return this.#sandboxes(run).length > 0
  }

  endOf(run: TenantRun): RunEnd | undefined {
    const code = /"exit-code": (\d+)/.exec(readText(this.#status(run)))?.[1]
    return code === undefined ? undefined : { kind: 'exited', code: Number(code) }
  }

  async ask(run: TenantRun, graceMs: number): Promise<void> {
    for (const pid of this.#inside(run)) signal(pid, 'SIGTERM')
    const deadline = performance.now() + graceMs
    while (this.endOf(run) === undefined && this.#inside(run).length > 0 && performance.now() < deadline)
      await sleep(20)
  }

  end(run: TenantRun): Promise<void> {
    return endSandboxes(() => this.#sandboxes(run))
  }

  async forget(run: TenantRun): Promise<void> {
    rmSync(this.#status(run), { force: true })
  }

  #sandboxes({ name, id }: TenantRun): readonly TenantSandbox[] {
    const all = sandboxesOf(this.#places.customers.tenant(name))
    return all.filter(({ mark }) => mark === runName(id))
  }

  /** The tenant's own processes: those of its user below the first of the namespace. */
  #inside(run: TenantRun): readonly number[] {
    const [first] = this.#sandboxes(run).filter(({ isFirst }) => isFirst)
    if (first === undefined) return []
    const all = processes().filter(({ state }) => state !== 'Z')
    const below = (pid: number): number[] =>
      all.filter(({ parent }) => parent === pid).flatMap((one) => [one.pid, ...below(one.pid)])
    return below(first.pid).filter((pid) => programOf(pid) !== 'bwrap')
  }

  #status({ id }: TenantRun): string {
    return join(this.#places.runsRun, `${runName(id)}.status`)
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it was never begun, or has been forgotten
  }
}
