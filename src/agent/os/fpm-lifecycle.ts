/**
 * The order of a wake and of a stop, the same with and without systemd. The listening socket is bound at a path that names
 * nobody, is renamed to the tenant's hidden one, and into view only when PHP answers; it is renamed out of view before PHP is
 * told to end. So the web server never connects to a PHP that does not serve, and a connection that was accepted by the kernel
 * is always answered.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { WcpError } from '../../contract/errors.ts'
import { TenantName } from '../../contract/values.ts'
import { fpmBinary } from './fpm-command.ts'
import type { Layout } from './layout.ts'
import type { AwakeFpm, FpmStart } from './services.ts'
import type { TenantIdentity } from './tenant-identity.ts'
import { answersFastCgi, moveSocket, removeSocket } from './unix-listen.ts'

export interface FpmBackend {
  /** The socket listens where it is bound, and a master is behind it; resolves before it serves. */
  launch(start: FpmStart): Promise<Launched>
  /** A master (or what will start one at the next connection) of this tenant is there. */
  isThere(tenant: TenantName): Promise<boolean>
  /** Graceful, then by force; resolves when nothing of it is left. The sockets are not its business. */
  end(tenant: TenantName): Promise<void>
  /** The state of their masters; a dead one is idle. */
  activityOf(tenants: readonly TenantName[]): readonly Activity[]
}

export type Activity = Omit<AwakeFpm, 'isOutdated'>

export interface Launched {
  /** Rejects when the master ends early, and never resolves. */
  readonly failed: Promise<never>
}

/** Longer than visitors wait: on an overloaded machine, to end a slow start and begin anew would never end. */
const startTimeoutMs = 60_000
const drainTimeoutMs = 5_000

export class FpmLifecycle {
  readonly #places: Layout
  readonly #backend: FpmBackend
  readonly #starting = new Map<TenantName, Promise<void>>()
  readonly #last = new Map<TenantName, Promise<void>>()

  constructor(places: Layout, backend: FpmBackend) {
    this.#places = places
    this.#backend = backend
  }

  start(start: FpmStart): Promise<void> {
    const running = this.#starting.get(start.name)
    if (running) return running
    const began = this.#inTurn(start.name, () => this.#start(start)).finally(() => this.#starting.delete(start.name))
    this.#starting.set(start.name, began)
    return began
  }

  stop(tenant: TenantName): Promise<void> {
    return this.#inTurn(tenant, () => this.#stop(tenant))
  }

  /** Masters that a suspension has to end: those with a socket, and those about to get one. */
  awake(): readonly AwakeFpm[] {
    const tenants = new Set([...tenantsWithSocket(this.#places), ...this.#starting.keys()])
    // what is being started has its visitor already
    const isServing = ({ tenant, isServing }: Activity) => isServing || this.#starting.has(tenant)
    return this.#backend
      .activityOf([...tenants])
      .map((one) => ({ ...one, isServing: isServing(one), isOutdated: this.#isOutdated(one.tenant) }))
  }

  /** The socket is as old as the master's start. */
  #isOutdated(tenant: TenantName): boolean {
    const { fpmConfig, phpOptions } = this.#places.web
    const socket = statSync(this.#places.fpmSocket(tenant), { throwIfNoEntry: false })
    if (socket === undefined) return false
    // files are swapped by rename, which shows at their directory
    return [fpmConfig(tenant), phpOptions(tenant)].some(
      (path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > socket.mtimeMs,
    )
  }

  /** One after the other for a tenant; a failure is told to whom it concerns and does not stop the next. */
  #inTurn(tenant: TenantName, work: () => Promise<void>): Promise<void> {
    const turn = (this.#last.get(tenant) ?? Promise.resolve()).then(work, work)
    this.#last.set(tenant, turn)
    const forget = () => {
      if (this.#last.get(tenant) === turn) this.#last.delete(tenant)
    }
    turn.then(forget, forget)
    return turn
  }

  async #start(start: FpmStart): Promise<void> {
    const visible = this.#places.fpmSocket(start.name)
    const hidden = this.#places.fpmHiddenSocket(start.name)
    if (existsSync(visible) && (await this.#backend.isThere(start.name))) return
    if (!existsSync(fpmBinary(start.php))) {
      throw new WcpError('machine_failed', `Cannot start PHP ${start.php} of "${start.name}": it is not installed`)
    }
    // What an interrupted start or a dead master left. A socket, in view or not, is there before a master and until after it.
    if (existsSync(visible) || existsSync(hidden)) await this.#stop(start.name)
    ensureTmp(this.#places.customers.tmp(start.name), start)
    try {
      writeFileSync(hidden, '') // tells an agent that comes after this one of the master, until the socket is here
      const { failed } = await this.#backend.launch(start)
      moveSocket(this.#places.fpmBoundSocket(start.uid), hidden)
      if (!(await Promise.race([failed, answersFastCgi(hidden, startTimeoutMs)]))) {
        await Promise.race([failed, sleep(500)]) // its own words are better than ours
        throw new Error('PHP-FPM does not answer')
      }
      moveSocket(hidden, visible)
    } catch (cause) {
      await this.#backend.end(start.name)
      removeSocket(this.#places.fpmBoundSocket(start.uid))
      removeSocket(hidden)
      throw new WcpError('machine_failed', `Cannot start PHP ${start.php} of "${start.name}"`, {
        cause,
        help: 'Look into the PHP log of the tenant; the next request tries again.',
      })
    }
  }

  async #stop(tenant: TenantName): Promise<void> {
    const visible = this.#places.fpmSocket(tenant)
    const hidden = this.#places.fpmHiddenSocket(tenant)
    if (existsSync(visible)) {
      moveSocket(visible, hidden)
      // Answered after everything that was waiting has been accepted; not answered when the master is dead already.
      await answersFastCgi(hidden, drainTimeoutMs)
    }
    await this.#backend.end(tenant)
    removeSocket(hidden)
  }
}

/**
 * Tenants whose PHP may run: it has a socket as long as it does. One out of view is of a start or a stop that is under way
 * or did not end, whose master may be alive.
 */
function tenantsWithSocket({ fpmRun }: Layout): readonly TenantName[] {
  if (!existsSync(fpmRun)) return []
  const names = readdirSync(fpmRun).flatMap((file) => /^\.?([^.]+)\.sock$/.exec(file)?.[1] ?? [])
  return [...new Set(names)].flatMap((name) => TenantName.safeParse(name).data ?? [])
}

/** Its parent is root's, so nothing can be swapped under this (B8). */
export function ensureTmp(path: string, tenant: TenantIdentity): void {
  if (existsSync(path)) return
  mkdirSync(path, { mode: 0o700 })
  chownSync(path, tenant.uid, tenant.gid)
  chmodSync(path, 0o700)
}
