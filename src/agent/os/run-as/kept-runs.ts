/** A tenant's share of root's disk for what its commands printed: the newest runs stay. */
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const mostRuns = 50
const mostBytes = 64 * 1024 * 1024

/** Runs before each begin, so the share is exceeded by what runs now at most. */
export function pruneRuns(runs: string): void {
  if (!existsSync(runs)) return
  const ended = readdirSync(runs)
    .map((name) => join(runs, name))
    .filter((path) => existsSync(join(path, 'end')))
    .map((path) => ({ path, at: lstatSync(join(path, 'end')).mtimeMs, bytes: sizeOf(path) }))
    .toSorted((one, other) => other.at - one.at)
  let bytes = 0
  for (const [place, run] of ended.entries()) {
    bytes += run.bytes
    if (place >= mostRuns || bytes > mostBytes) rmSync(run.path, { recursive: true })
  }
}

function sizeOf(run: string): number {
  return readdirSync(run).reduce((sum, name) => sum + lstatSync(join(run, name)).size, 0)
}
