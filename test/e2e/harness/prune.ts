// Keeps the cache from growing: the entries used last stay, and whatever a living machine stands on.

import { existsSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { allRecords } from './machine-record.ts'

/** Marks an entry as used now. */
export function touch(directory: string): void {
  utimesSync(directory, new Date(), new Date())
}

/** Among the entries `<flavour>-<hash>` of a directory, removes all but the `count` used last. */
export function keepNewest(directory: string, flavour: string, count: number): void {
  const isEntry = new RegExp(`^${flavour}-[0-9a-f]{12}$`)
  const inUse = new Set(allRecords().flatMap(({ uses }) => uses))
  readdirSync(directory)
    .filter((name) => isEntry.test(name))
    .map((name) => join(directory, name))
    .filter((path) => existsSync(path))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
    .slice(count)
    .filter((path) => !inUse.has(path))
    .forEach((path) => {
      rmSync(path, { recursive: true, force: true })
    })
}
