/**
 * The one way in which root lets a tenant's own words become a process: with the tenant's numbers, in the tenant's slice
 * and view of the file system, with its own limits of time, memory and processes. No shell, no environment of ours, no file
 * of the tenant's is read. A run is begun once; who asks again, also a later life of the agent, finds it by its name.
 */
import { closeSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { WcpError } from '../../../contract/errors.ts'
import type { Id, TenantName } from '../../../contract/values.ts'
import { ensureTmp } from '../fpm-lifecycle.ts'
import type { Layout } from '../layout.ts'
import { type OutputPage, readOutput } from './kept-output.ts'
import { pruneAllRuns, pruneRuns } from './kept-runs.ts'
import { makePipe, OutputPipe, pipeForWriter } from './output-pipe.ts'
import { ownPhp } from './own-php.ts'
import { RunLeft } from './run-left.ts'
import { deadlineOf, markBegun, readEnd, writeEnd } from './run-record.ts'
import { type RunEnd, runName, type TenantRun } from './tenant-run.ts'

/** How processes are started, seen and ended: by systemd, or below bubblewrap. */
export interface RunBackend {
  /** Why nothing can be run on this machine. */
  readonly refusal: string | undefined
  /** @param output a descriptor for its standard output and error */
  launch(run: TenantRun, output: number): Promise<Started>
  isThere(run: TenantRun): Promise<boolean>
  /** The last word on it, also of one that ended while no agent was there. */
  endOf(run: TenantRun): RunEnd | undefined
  /** A word to its processes, and time to take it. */
  ask(run: TenantRun, graceMs: number): Promise<void>
  /** By force; resolves when nothing of it is left. */
  end(run: TenantRun): Promise<void>
  forget(run: TenantRun): Promise<void>
}

export interface Started {
  /** Resolves when it may have ended. */
  readonly ended: Promise<unknown>
}

interface Active {
  readonly ended: Promise<RunEnd>
  stop(why: RunEnd): void
  leave(): void
}

const lookEveryMs = 500
/** The share of all tenants is exceeded by as many outputs at most, half a gigabyte. */
const runsPerLook = 32
const graceMs = 5_000
/** For what is still in the pipe when a process that inherited it lives on elsewhere. */
const drainMs = 500

export class RunAs {
  readonly #places: Layout
  readonly #backend: RunBackend
  readonly #active = new Map<Id, Active>()
  #begun = 0

  constructor(places: Layout, backend: RunBackend) {
    this.#places = places
    this.#backend = backend
  }

  get refusal(): string | undefined {
    return this.#backend.refusal
  }

  /** Begins it, or finds it again; resolves with its end. Rejects with `RunLeft` after `leave`. */
  run(run: TenantRun): Promise<RunEnd> {
    const known = this.#active.get(run.id)
    if (known) return known.ended
    const { promise: stopped, resolve: stop } = Promise.withResolvers<RunEnd>()
    const { promise: left, reject } = Promise.withResolvers<never>()
    left.catch(() => {}) // nobody may be waiting
    const ended = this.#run(run, stopped, left).finally(() => this.#active.delete(run.id))
    this.#active.set(run.id, { ended, stop, leave: () => reject(new RunLeft('the agent is stopping')) })
    return ended
  }

  /** How it ended; undefined while it runs, and before it was begun. */
  end(tenant: TenantName, id: Id): RunEnd | undefined {
    return readEnd(this.#places.tenantRun(tenant, id))
  }

  /** Resolves when nothing of it is left; it counts as stopped. */
  async stop(run: TenantRun): Promise<void> {
    const active = this.#active.get(run.id)
    active?.stop({ kind: 'stopped' })
    if (active) await active.ended
    else await this.#backend.end(run)
  }

  output(tenant: TenantName, id: Id, after: number, most: number): Promise<OutputPage> {
    return readOutput(this.#places.tenantRun(tenant, id), after, most)
  }

  /** A running command goes on, and waits when its pipe is full. */
  async leave(): Promise<void> {
    const all = [...this.#active.values()]
    for (const one of all) one.leave()
    await Promise.allSettled(all.map(({ ended }) => ended))
  }

  async #run(run: TenantRun, stopped: Promise<RunEnd>, left: Promise<never>): Promise<RunEnd> {
    const record = this.#places.tenantRun(run.name, run.id)
    const known = readEnd(record)
    if (known) return known
    if (this.refusal !== undefined) throw new WcpError('unavailable', `Cannot run a command: ${this.refusal}`)
    const pipe = join(this.#places.runsRun, `${runName(run.id)}.out`)
    const isNew = markBegun(record, run.limits.seconds)
    if (isNew) this.#prepare(run, pipe)
    // Held open here until the run holds it: a pipe without a writer is at its end.
    const writer = { fd: existsSync(pipe) ? pipeForWriter(pipe) : undefined }
    let output: OutputPipe | undefined
    try {
      if (writer.fd !== undefined) output = await OutputPipe.open(pipe, record)
      const started = isNew && writer.fd !== undefined ? await this.#launch(run, writer.fd) : undefined
      close(writer)
      const end = await this.#watch(run, { started, stopped, left, deadlineMs: deadlineOf(record) - Date.now() })
      await Promise.race([output?.done, sleep(drainMs, undefined, { ref: false })])
      await output?.leave()
      writeEnd(record, end)
      rmSync(pipe, { force: true })
      await this.#backend.forget(run)
      return end
    } finally {
      close(writer)
      await output?.leave()
    }
  }

  #prepare(run: TenantRun, pipe: string): void {
    if (this.#begun++ % runsPerLook === 0) pruneAllRuns(this.#places.runs)
    pruneRuns(this.#places.tenantRuns(run.name))
    ownPhp(this.#places, run)
    ensureTmp(this.#places.customers.tmp(run.name), run)
    rmSync(pipe, { force: true })
    makePipe(pipe, run)
  }

  /** A suspension that began before it was there has not seen it; one that begins later does. */
  async #launch(run: TenantRun, writer: number): Promise<Started> {
    const started = await this.#backend.launch(run, writer)
    if (!existsSync(this.#places.web.live(run.name))) await this.#backend.end(run)
    return started
  }

  async #watch(run: TenantRun, given: Watch): Promise<RunEnd> {
    const { stopped, left } = given
    const clock = new AbortController()
    const timeout: RunEnd = { kind: 'timeout' }
    const overdue = sleep(Math.max(0, given.deadlineMs), timeout, { signal: clock.signal })
    overdue.catch(() => {}) // it ended in time
    const end = await Promise.race([this.#untilEnded(run, given.started), stopped, overdue, left]).finally(() =>
      clock.abort(),
    )
    if (end.kind === 'stopped' || end.kind === 'timeout') await this.#backend.ask(run, graceMs)
    await this.#backend.end(run) // also what it has left behind
    return end
  }

  async #untilEnded(run: TenantRun, started: Started | undefined): Promise<RunEnd> {
    await started?.ended
    for (;;) {
      const known = this.#backend.endOf(run)
      if (known !== undefined) return known
      const isThere = await this.#backend.isThere(run)
      const end = this.#backend.endOf(run) // again: an end in between counts
      if (end !== undefined) return end
      if (!isThere) return { kind: started === undefined ? 'lost' : 'unstarted' }
      await sleep(lookEveryMs)
    }
  }
}

/** Once: its number may be another file's by then. */
function close(writer: { fd: number | undefined }): void {
  if (writer.fd !== undefined) closeSync(writer.fd)
  writer.fd = undefined
}

interface Watch {
  readonly started: Started | undefined
  readonly stopped: Promise<RunEnd>
  readonly left: Promise<never>
  readonly deadlineMs: number
}

/** As the part of `Services` that both kinds share. */
export function runServices(runs: RunAs) {
  return {
    runAs: (run: TenantRun) => runs.run(run),
    runEnd: async (tenant: TenantName, id: Id) => runs.end(tenant, id),
    stopRun: (run: TenantRun) => runs.stop(run),
    runOutput: (tenant: TenantName, id: Id, after: number, most: number) => runs.output(tenant, id, after, most),
    leaveRuns: () => runs.leave(),
  }
}
