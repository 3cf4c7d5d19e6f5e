/** How a tenant's PHP-FPM master is started: pure, the same below systemd and below direct supervision. */
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { TenantLimits, TenantName } from '../../contract/values.ts'
import type { Layout } from './layout.ts'
import type { FpmStart } from './services.ts'
import type { TenantIdentity } from './tenant-identity.ts'

export interface FpmCommand {
  readonly file: string
  readonly argv: readonly string[]
  /** FPM takes the listening descriptor 3 for the pool whose `listen` is spelled the same. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * @param log PHP's settings of where its own messages go, such as `error_log`; an application may choose another place.
 * @param options directory of what is chosen for single sites, as PHP sees it; undefined where nothing was
 */
export function fpmCommand(
  places: Layout,
  start: FpmStart,
  log: Readonly<Record<string, string>>,
  options: string | undefined,
): FpmCommand {
  return {
    file: fpmBinary(start.php),
    argv: [
      '--nodaemonize',
      '--force-stderr',
      '--fpm-config',
      places.web.fpmConfig(start.name),
      // Shared memory is taken before the pool's settings are read, so it must be said here.
      '-d',
      `opcache.memory_consumption=${opcacheMb(start.limits)}`,
      '-d',
      'opcache.interned_strings_buffer=8',
      ...Object.entries(log).flatMap(([name, value]) => ['-d', `${name}=${value}`]),
    ],
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      FPM_SOCKETS: `${places.fpmSocket(start.name)}=3`,
      // after the directory of the distribution, which the empty part stands for
      ...(options !== undefined && { PHP_INI_SCAN_DIR: `:${options}` }),
    },
  }
}

/** @param sites where the tenant's PHP sees its own sites */
export function seenOptions(places: Layout, tenant: TenantName, sites: string): string | undefined {
  const directory = places.web.phpOptions(tenant)
  return existsSync(directory) ? join(sites, basename(directory)) : undefined
}

export function fpmBinary(php: string): string {
  return `/usr/sbin/php-fpm${php}`
}

/** The tenant's view of /etc/passwd: root, because programs expect it, and itself (C29). */
export function passwdText(places: Layout, tenant: TenantIdentity): string {
  const home = places.customers.home(tenant.name)
  return `root:x:0:0:root:/root:/usr/sbin/nologin\n${tenant.name}:x:${tenant.uid}:${tenant.gid}::${home}:/usr/sbin/nologin\n`
}

export function groupText(tenant: { readonly name: TenantName; readonly gid: number }): string {
  return `root:x:0:\n${tenant.name}:x:${tenant.gid}:\n`
}

/** Parts of the file system that no site needs and that tell about the machine or its other tenants. */
export const hiddenPaths = [
  '/boot',
  '/etc/nginx',
  '/etc/ssh',
  '/etc/systemd',
  '/etc/userdb',
  '/etc/wcp360',
  '/home',
  '/media',
  '/mnt',
  '/opt',
  '/root',
  '/run/dbus',
  '/run/nscd',
  '/run/systemd',
  '/run/user',
  '/run/wcp360',
] as const

/** Shared memory for compiled scripts; it is taken page by page as scripts are compiled, and ends with the master. */
export function opcacheMb({ memMb }: TenantLimits): number {
  return memMb === null ? 128 : Math.max(16, Math.min(128, Math.floor(memMb / 4)))
}
