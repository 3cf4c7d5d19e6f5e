/** The namespaces of one tenant's PHP below bubblewrap: argv only, nothing is started here. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { groupText, hiddenPaths, passwdText } from './fpm-command.ts'
import type { Layout } from './layout.ts'
import type { TenantIdentity } from './tenant-identity.ts'

export interface Sandbox {
  readonly argv: readonly string[]
  /** The input that the child reads from descriptor 4 on. */
  readonly data: readonly Uint8Array[]
}

export interface SandboxOptions {
  readonly exists?: (path: string) => boolean
  /** Further directories of root's that may be read. */
  readonly readable?: readonly string[]
  /** Further words of bubblewrap's own. */
  readonly more?: readonly string[]
}

/** Root starts it, so there is no user namespace: owners, quotas and socket credentials stay what they are. */
export function sandboxed(
  places: Layout,
  tenant: TenantIdentity,
  { exists = existsSync, readable = [], more = [] }: SandboxOptions = {},
): Sandbox {
  const own = places.customers.tenant(tenant.name)
  const tmp = places.customers.tmp(tenant.name)
  const config = places.web.fpmConfig(tenant.name)
  const mergedUsr = ['bin', 'sbin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`])
  const shown = ['/usr', '/etc', '/run'].flatMap((path) => ['--ro-bind', path, path])
  // Those outside /etc and /run are absent anyway.
  const hidden = hiddenPaths
    .filter((path) => /^\/(etc|run)\//.test(path) && exists(path))
    .flatMap((path) => ['--perms', '0000', '--tmpfs', path])
  return {
    argv: [
      '/usr/bin/bwrap',
      ...['--unshare-pid', '--unshare-ipc', '--unshare-uts'],
      ...shown,
      ...mergedUsr,
      ...hidden,
      ...[
        '--perms',
        '0444',
        '--ro-bind-data',
        '4',
        '/etc/passwd',
        '--perms',
        '0444',
        '--ro-bind-data',
        '5',
        '/etc/group',
      ],
      ...['--proc', '/proc', '--dev', '/dev', '--dir', '/var', '--symlink', '/run', '/var/run'],
      ...['/tmp', '/var/tmp'].flatMap((path) => temporary(path, tmp)),
      ...[own, config, places.web.hosts, ...readable].flatMap(ancestors).flatMap((path) => ['--dir', path]),
      ...['--bind', own, own],
      ...[config, ...readable].flatMap((path) => ['--ro-bind', path, path]),
      // By these nginx names a site; its own among all that the web server has.
      ...['--ro-bind', places.web.sites(tenant.name), places.web.hosts],
      ...more,
      ...['--chdir', '/', '--'],
    ],
    data: [Buffer.from(passwdText(places, tenant)), Buffer.from(groupText(tenant))],
  }
}

/**
 * The tenant's own directory there. A tree that lies below one itself, as a developer's may, gets an empty one: root makes
 * no directory inside what a tenant may write to.
 */
function temporary(path: string, tmp: string): string[] {
  return tmp.startsWith(`${path}/`) ? ['--perms', '1777', '--tmpfs', path] : ['--bind', tmp, path]
}

/** bubblewrap itself would make them for root alone. */
function ancestors(path: string): string[] {
  const parent = dirname(path)
  return parent === '/' ? [] : [...ancestors(parent), parent]
}

/** Everything is given up before PHP begins: no group but its own, no capability, none to be had again. */
export function setprivArgv(tenant: TenantIdentity): readonly string[] {
  return [
    `--reuid=${tenant.uid}`,
    `--regid=${tenant.gid}`,
    '--clear-groups',
    '--no-new-privs',
    '--bounding-set=-all',
    '--inh-caps=-all',
    '--ambient-caps=-all',
    '--',
  ]
}
