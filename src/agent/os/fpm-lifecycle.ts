/**
 * The order of a wake and of a stop, the same with and without systemd. The listening socket is bound at a path that names
 * nobody, is renamed to the tenant's hidden one, and into view only when PHP answers; it is renamed out of view before PHP is
 * told to end. So the web server never connects to a PHP that does not serve, and a connection that was accepted by the kernel
 * is always answered.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { WcpError } from '../../contract/errors.ts'
import type { TenantName } from '../../contract/values.ts'
import { fpmBinary } from './fpm-command.ts'
import { type FpmPool, parsePool, poolOf, tenantOf } from './fpm-pool.ts'
import type { Layout } from './layout.ts'
import type { AwakeFpm, FpmStart } from './services.ts'
import type { TenantIdentity } from './tenant-identity.ts'
import { answersFastCgi, moveSocket, removeSocket } from './unix-listen.ts'

export interface FpmBackend {
  /** The socket listens where it is bound, and a master is behind it; resolves before it serves. */
  launch(start: FpmStart): Promise<Launched>
  /** This master (or what will start it at the next connection) is there. */
  isThere(pool: FpmPool): Promise<boolean>
  /** Graceful, then by force; resolves when nothing of it is left. The sockets are not its business. */
  end(pool: FpmPool): Promise<void>
  /** The state of these masters; a dead one is idle. */
  activityOf(pools: readonly FpmPool[]): readonly Activity[]
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
  readonly #starting = new Map<FpmPool, Promise<void>>()
  readonly #last = new Map<FpmPool, Promise<void>>()

  constructor(places: Layout, backend: FpmBackend) {
    this.#places = places
    this.#backend = backend
  }

  start(start: FpmStart): Promise<void> {
    const pool = poolOf(start.name, start.apart)
    const running = this.#starting.get(pool)
    if (running) return running
    const began = this.#inTurn(pool, () => this.#start(start, pool)).finally(() => this.#starting.delete(pool))
    this.#starting.set(pool, began)
    return began
  }

  stop(pool: FpmPool): Promise<void> {
    return this.#inTurn(pool, () => this.#stop(pool))
  }

  /** Every master of the tenant. */
  async stopAll(tenant: TenantName): Promise<void> {
    const others = this.#pools().filter((pool) => pool !== tenant && tenantOf(pool) === tenant)
    await Promise.all([tenant, ...others].map((pool) => this.stop(pool)))
  }

  /** Masters that a suspension has to end: those with a socket, and those about to get one. */
  awake(): readonly AwakeFpm[] {
    // what is being started has its visitor already
    const isServing = ({ pool, isServing }: Activity) => isServing || this.#starting.has(pool)
    return this.#backend
      .activityOf(this.#pools())
      .map((one) => ({ ...one, isServing: isServing(one), isOutdated: this.#isOutdated(one.pool) }))
  }

  #pools(): readonly FpmPool[] {
    return [...new Set([...poolsWithSocket(this.#places), ...this.#starting.keys()])]
  }

  /** The socket is as old as the master's start. */
  #isOutdated(pool: FpmPool): boolean {
    const { fpmConfig, phpOptions } = this.#places.web
    const tenant = tenantOf(pool)
    const socket = statSync(this.#places.fpmSocket(pool), { throwIfNoEntry: false })
    if (socket === undefined) return false
    // files are swapped by rename, which shows at their directory
    return [fpmConfig(tenant), phpOptions(tenant)].some(
      (path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > socket.mtimeMs,
    )
  }

  /** One after the other for a master; a failure is told to whom it concerns and does not stop the next. */
  #inTurn(pool: FpmPool, work: () => Promise<void>): Promise<void> {
    const turn = (this.#last.get(pool) ?? Promise.resolve()).then(work, work)
    this.#last.set(pool, turn)
    const forget = () => {
      if (this.#last.get(pool) === turn) this.#last.delete(pool)
    }
    turn.then(forget, forget)
    return turn
  }

  async #start(start: FpmStart, pool: FpmPool): Promise<void> {
    const visible = this.#places.fpmSocket(pool)
    const hidden = this.#places.fpmHiddenSocket(pool)
    if (existsSync(visible) && (await this.#backend.isThere(pool))) return
    if (!existsSync(fpmBinary(start.php))) {
      throw new WcpError('machine_failed', `Cannot start PHP ${start.php} of "${start.name}": it is not installed`)
    }
    // What an interrupted start or a dead master left. A socket, in view or not, is there before a master and until after it.
    if (existsSync(visible) || existsSync(hidden)) await this.#stop(pool)
    ensureTmp(this.#places.customers.tmp(start.name), start)
    try {
      writeFileSync(hidden, '') // tells an agent that comes after this one of the master, until the socket is here
      const { failed } = await this.#backend.launch(start)
      moveSocket(this.#places.fpmBoundSocket(start.uid, pool), hidden)
      if (!(await Promise.race([failed, answersFastCgi(hidden, startTimeoutMs)]))) {
        await Promise.race([failed, sleep(500)]) // its own words are better than ours
        throw new Error('PHP-FPM does not answer')
      }
      moveSocket(hidden, visible)
    } catch (cause) {
      await this.#backend.end(pool)
      removeSocket(this.#places.fpmBoundSocket(start.uid, pool))
      removeSocket(hidden)
      throw new WcpError('machine_failed', `Cannot start PHP ${start.php} of "${start.name}"`, {
        cause,
        help: 'Look into the PHP log of the tenant; the next request tries again.',
      })
    }
  }

  async #stop(pool: FpmPool): Promise<void> {
    const visible = this.#places.fpmSocket(pool)
    const hidden = this.#places.fpmHiddenSocket(pool)
    if (existsSync(visible)) {
      moveSocket(visible, hidden)
      // Answered after everything that was waiting has been accepted; not answered when the master is dead already.
      await answersFastCgi(hidden, drainTimeoutMs)
    }
    await this.#backend.end(pool)
    removeSocket(hidden)
  }
}

/**
 * Masters that may run: they have a socket as long as they do. One out of view is of a start or a stop that is under way
 * or did not end, whose master may be alive.
 */
function poolsWithSocket({ fpmRun }: Layout): readonly FpmPool[] {
  if (!existsSync(fpmRun)) return []
  const names = readdirSync(fpmRun).flatMap((file) => /^\.?([^.].*)\.sock$/.exec(file)?.[1] ?? [])
  return [...new Set(names)].flatMap((name) => parsePool(name) ?? [])
}

/** Its parent is root's, so nothing can be swapped under this (B8). */
export function ensureTmp(path: string, tenant: TenantIdentity): void {
  if (existsSync(path)) return
  mkdirSync(path, { mode: 0o700 })
  chownSync(path, tenant.uid, tenant.gid)
  chmodSync(path, 0o700)
}
