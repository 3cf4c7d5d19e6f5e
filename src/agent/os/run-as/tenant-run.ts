/** One run of a tenant's command, and how such a run can end. */
import type { TenantCommand } from '../../../contract/tenant-command.ts'
import type { Id, TenantLimits } from '../../../contract/values.ts'
import type { Layout } from '../layout.ts'
import type { TenantIdentity } from '../tenant-identity.ts'

export interface RunLimits {
  readonly seconds: number
  /** Below systemd for all of its processes together; without systemd for each. null: the tenant's own limit alone. */
  readonly memMb: number | null
  readonly pids: number
}

export interface TenantRun extends TenantIdentity {
  /** Names unit, record and output; begun once, and never again. */
  readonly id: Id
  readonly command: TenantCommand
  /** PHP version that `php` means; null: the machine's own. */
  readonly php: string | null
  /** Where it begins. Entered by the tenant, inside the sandbox: root resolves nothing in it. */
  readonly directory: string
  readonly limits: RunLimits
  /** Further directories of root's that it may read. */
  readonly readable?: readonly string[]
  /** The tenant's limits as a whole; its slice has them. */
  readonly sliceLimits: TenantLimits
}

export type RunEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  /** `stopped`: told to. `lost`: the machine or the root side ended meanwhile, and nobody saw how it went. */
  | { readonly kind: 'timeout' | 'memory' | 'stopped' | 'lost' | 'unstarted' }

/** The same words below systemd and without. env(1) begins with nothing, whatever the service manager adds. */
export function tenantArgv(
  places: Layout,
  run: Pick<TenantRun, 'name' | 'php' | 'directory'> & { readonly command: readonly string[] },
): readonly string[] {
  const own = phpDirectory(places, run)
  const env = {
    PATH: [...(own === undefined ? [] : [own]), '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    HOME: places.customers.home(run.name),
    USER: run.name,
    LOGNAME: run.name,
    LANG: 'C.UTF-8',
  }
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return ['/usr/bin/env', '--ignore-environment', `--chdir=${run.directory}`, '--', ...assignments, ...run.command]
}

/** Holds one name, `php`, that leads to the site's version. */
export function phpDirectory({ web }: Layout, { php }: Pick<TenantRun, 'php'>): string | undefined {
  return php === null ? undefined : web.php(php)
}

/** What it may read of root's beyond the tenant's view. */
export function readableOf(places: Layout, run: Pick<TenantRun, 'php' | 'readable'>): readonly string[] {
  const php = phpDirectory(places, run)
  return [...(php === undefined ? [] : [php]), ...(run.readable ?? [])]
}

/** The name by which the kernel and systemd know the run. */
export function runName(id: Id): string {
  return `wcp-run-${id}`
}
