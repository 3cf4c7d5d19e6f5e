/** The share of root's disk for what commands printed, of a tenant and of all together: the newest runs stay. */
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

interface Share {
  readonly runs: number
  readonly bytes: number
}

const ofTenant: Share = { runs: 50, bytes: 64 * 1024 * 1024 }
/** Runs of all are few enough to be looked at within a tenth of a second. */
const ofAll: Share = { runs: 5000, bytes: 2 * 1024 ** 3 }

/** Runs before each begin, so the share is exceeded by what runs now at most. */
export function pruneRuns(runs: string): void {
  prune(endedIn(runs), ofTenant)
}

/** Runs of every tenant, which are as many as a panel in wrong hands makes. @param root with a directory of each tenant */
export function pruneAllRuns(root: string): void {
  if (!existsSync(root)) return
  const every = readdirSync(root).flatMap((tenant) => endedIn(join(root, tenant)))
  prune(every, ofAll)
}

interface Ended {
  readonly path: string
  readonly at: number
  readonly bytes: number
}

function prune(ended: readonly Ended[], most: Share): void {
  let bytes = 0
  for (const [place, run] of ended.toSorted((one, other) => other.at - one.at).entries()) {
    bytes += run.bytes
    if (place >= most.runs || bytes > most.bytes) rmSync(run.path, { recursive: true })
  }
}

function endedIn(runs: string): readonly Ended[] {
  if (!existsSync(runs)) return []
  return readdirSync(runs)
    .map((name) => join(runs, name))
    .filter((path) => existsSync(join(path, 'end')))
    .map((path) => ({ path, at: lstatSync(join(path, 'end')).mtimeMs, bytes: sizeOf(path) }))
}

function sizeOf(run: string): number {
  return readdirSync(run).reduce((sum, name) => sum + lstatSync(join(run, name)).size, 0)
}
