/** Requirements of the machine, whatever the daemon does: kernel, control groups, pressure, memory, disk, programs. */
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs'
import { release, totalmem } from 'node:os'
import { type Check, type Finding, ok, problem, warning } from './check.ts'

const GiB = 1024 ** 3

export const machineChecks: readonly Check[] = [
  { name: 'operating system', run: operatingSystem },
  { name: 'kernel', run: kernel },
  { name: 'systemd', run: systemd },
  { name: 'cgroup v2', run: cgroups },
  { name: 'pressure (PSI)', run: pressure },
  { name: 'memory', run: memory },
  { name: 'disk', run: disk },
  { name: 'nginx', run: () => program('/usr/sbin/nginx', 'nginx') },
  { name: 'php-fpm', run: phpFpm },
  { name: 'nftables', run: firewall },
  { name: 'accounts lookup', run: nameService },
]

function operatingSystem(): Finding {
  const text = readFileSync('/etc/os-release', 'utf8')
  const value = (key: string) => new RegExp(`^${key}="?([^"\\n]*)`, 'm').exec(text)?.[1] ?? ''
  const name = value('PRETTY_NAME')
  const isKnown =
    { debian: ['12', '13'], ubuntu: ['22.04', '24.04'] }[value('ID')]?.includes(value('VERSION_ID')) ?? false
  return isKnown ? ok(name) : warning(`${name} is not tested`, 'Use Debian 13 or 12, or Ubuntu 24.04 or 22.04.')
}

/** 5.14 has cgroup.kill (cgroups(7)), which ends a tenant's processes without a race. */
function kernel(): Finding {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  const isNew = major > 5 || (major === 5 && minor >= 14)
  return isNew ? ok(release()) : problem(`${release()} is older than 5.14`, 'Install the current kernel and reboot.')
}

function systemd(): Finding {
  return existsSync('/run/systemd/system')
    ? ok('process 1')
    : warning(
        'not process 1: wcpd supervises by itself, without limits per tenant',
        'Use a whole or virtual server rather than a container.',
      )
}

function cgroups(): Finding {
  const file = '/sys/fs/cgroup/cgroup.controllers'
  const remedy = 'Boot with "systemd.unified_cgroup_hierarchy=1" and all controllers.'
  if (!existsSync(file)) return warning('not mounted: limits of packages are not enforced', remedy)
  const present = readFileSync(file, 'utf8').trim().split(' ')
  const absent = ['cpu', 'io', 'memory', 'pids'].filter((name) => !present.includes(name))
  return absent.length === 0
    ? ok(present.join(' '))
    : warning(`without ${absent.join(', ')}: those limits are not enforced`, remedy)
}

function pressure(): Finding {
  return existsSync('/proc/pressure/cpu')
    ? ok('available')
    : warning('not available: no pressure figures', 'Boot the kernel with "psi=1".')
}

function memory(): Finding {
  const shown = `${(totalmem() / GiB).toFixed(1)} GiB`
  return totalmem() > 0.9 * GiB ? ok(shown) : warning(`${shown} is little`, 'Give the server 1 GiB or more.')
}

function disk(): Finding {
  const low = ['/', '/srv', '/var']
    .filter((mount) => existsSync(mount))
    .map((mount) => ({ mount, ...statfsSync(mount) }))
    .filter(({ bavail, bsize, ffree, files }) => bavail * bsize < GiB || (files > 0 && ffree / files < 0.02))
  if (low.length === 0) return ok('more than 1 GiB and 2 % of inodes free')
  return problem(
    `nearly full: ${low.map(({ mount }) => mount).join(', ')}`,
    'Free or add space; the trash empties itself after 30 days.',
  )
}

function firewall(): Finding {
  return existsSync('/usr/sbin/nft')
    ? ok('available')
    : warning(
        'missing: customers reach addresses of the cloud provider, services of this machine and port 25 of others',
        'Install the package "nftables".',
      )
}

function phpFpm(): Finding {
  const versions = readdirSync('/usr/sbin').flatMap((name) => /^php-fpm(\d+\.\d+)$/.exec(name)?.[1] ?? [])
  return versions.length > 0 ? ok(versions.join(', ')) : problem('not installed', 'Run "apt-get install php-fpm".')
}

function program(path: string, debianPackage: string): Finding {
  return existsSync(path) ? ok(path) : problem(`${path} is not there`, `Run "apt-get install ${debianPackage}".`)
}

/** Tenants' accounts are records in /etc/userdb, which nss-systemd(8) reads. */
function nameService(): Finding {
  const text = readFileSync('/etc/nsswitch.conf', 'utf8')
  const without = ['passwd', 'group'].filter((database) => !new RegExp(`^${database}:.*\\bsystemd\\b`, 'm').test(text))
  return without.length === 0
    ? ok('nss-systemd')
    : problem(
        `"systemd" is not named for ${without.join(' and ')}`,
        'Install libnss-systemd and add "systemd" to those lines of /etc/nsswitch.conf.',
      )
}
