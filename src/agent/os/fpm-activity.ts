/**
 * Whether a PHP-FPM pool serves, asked of the kernel: its workers stay when nobody asks for them, so their number tells
 * nothing, and PHP-FPM's own status page would have to be asked of a process of the tenant.
 */
import { readFileSync } from 'node:fs'
import { type FpmPool, tenantOf } from './fpm-pool.ts'
import type { Layout } from './layout.ts'
import { uidOf } from './tenant-processes.ts'

export interface FpmActivity {
  /** A request is being answered, or waits to be. */
  readonly isServing: boolean
  /** Another text as soon as a worker has worked: the same at two looks, nobody was answered between them. */
  readonly work: string
}

/** A connection carries the path its socket was bound to, accepted or not: `St` 03 of /proc/net/unix, see proc(5). */
const connection = /^\S+: \S+ \S+ \S+ \S+ 03 +\d+ (.+)$/

/** Paths of listening sockets that have a connection now. */
export function connectedSockets(table: string = readFileSync('/proc/net/unix', 'utf8')): ReadonlySet<string> {
  const paths = new Set<string>()
  for (const line of table.split('\n')) {
    const path = connection.exec(line)?.[1]
    if (path !== undefined) paths.add(path)
  }
  return paths
}

/** @param connected of `connectedSockets` */
export function isConnected(places: Layout, pool: FpmPool, connected: ReadonlySet<string>): boolean {
  // An agent before this one bound it by the tenant's name, and its PHP may be awake still.
  const bound = places.fpmBoundSocket(uidOf(places, tenantOf(pool)), pool)
  return [bound, places.fpmHiddenSocket(pool)].some((path) => connected.has(path))
}

/**
 * How often each worker went to sleep or was set aside: one that waits for a connection does neither.
 * @param pids the pool's master and everything below it; the master wakes every second, so it does not count
 */
export function workOf(pids: readonly number[], statusOf: (pid: number) => string | undefined = readStatus): string {
  const all = new Set(pids)
  return pids
    .flatMap((pid) => {
      const status = statusOf(pid)
      const parent = Number(status?.match(/^PPid:\s+(\d+)$/m)?.[1])
      if (status === undefined || !all.has(parent)) return []
      const turns = [...status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s+(\d+)$/gm)].map(([, count]) => count)
      return [`${pid}:${turns.join('+')}`]
    })
    .sort()
    .join(' ')
}

function readStatus(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return undefined // it has ended
  }
}
