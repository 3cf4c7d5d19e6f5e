import { lstatSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Layout } from '../layout.ts'
import { phpDirectory, type TenantRun } from './tenant-run.ts'

/**
 * Makes `php` mean the version of the site. The directory is root's, the same for all tenants, and never changed. The
 * agent's start makes those of the versions installed by then, so that a command leaves nothing new that is shared.
 */
export function ownPhp(places: Layout, run: Pick<TenantRun, 'php'>): void {
  const directory = phpDirectory(places, run)
  if (directory === undefined || run.php === null) return
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  const name = join(directory, 'php')
  if (lstatSync(name, { throwIfNoEntry: false }) === undefined) symlinkSync(`/usr/bin/php${run.php}`, name)
}
