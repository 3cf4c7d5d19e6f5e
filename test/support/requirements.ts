/** What a group of tests needs of the machine: each answers what is missing with the remedy, or undefined. */
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const searched = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', ...postgresDirectories()]

function postgresDirectories(): readonly string[] {
  return ['18', '17', '16', '15'].map((major) => `/usr/lib/postgresql/${major}/bin`)
}

export function program(name: string, debianPackage: string): string | undefined {
  return searched.some((directory) => existsSync(join(directory, name)))
    ? undefined
    : `${name} is not installed; run "apt-get install ${debianPackage}"`
}

export function fpm(): string | undefined {
  return ['8.5', '8.4', '8.3', '8.2', '8.1'].some((version) => existsSync(`/usr/sbin/php-fpm${version}`))
    ? undefined
    : 'php-fpm is not installed; run "apt-get install php-fpm"'
}

export function root(): string | undefined {
  return process.getuid?.() === 0 ? undefined : 'it sets owners and starts servers; run it as root'
}

/** An authoritative name server. */
export function nameServer(): string | undefined {
  return program('nsd', 'nsd')
}

/** One that takes signed updates. */
export function updatedNameServer(): string | undefined {
  return root() ?? program('knotd', 'knot')
}

/** Real sites without systemd. */
export function hosting(): string | undefined {
  return root() ?? program('nginx', 'nginx') ?? fpm() ?? program('bwrap', 'bubblewrap')
}

/** Layers over the machine's own directories. */
export function overlay(): string | undefined {
  const isKnown = readFileSync('/proc/filesystems', 'utf8').includes('\toverlay\n')
  return isKnown ? undefined : 'the kernel has no overlayfs; run "modprobe overlay"'
}

/** A certification authority for tests. */
export function authority(): string | undefined {
  return program('pebble', 'pebble')
}
