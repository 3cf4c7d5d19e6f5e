/** Names, limits and sandbox of a tenant's transient units: argv only, nothing is started here. */
import type { EgressPolicy, TenantLimits, TenantName } from '../../contract/values.ts'
import type { Usage } from './ceiling.ts'
import { fpmCommand, hiddenPaths, seenOptions } from './fpm-command.ts'
import { type FpmPool, poolOf } from './fpm-pool.ts'
import type { Layout } from './layout.ts'
import { providerAddresses, resolvers } from './outside-addresses.ts'
import type { FpmStart } from './services.ts'
import type { TenantIdentity } from './tenant-identity.ts'

/** Above every tenant's slice. */
export const customersSlice = 'wcp.slice'

/** A tenant's name has no dash, so this is a child of `wcp.slice` and of nothing else. */
export function sliceUnit(tenant: TenantName): string {
  return `wcp-${tenant}.slice`
}

export function fpmUnit(pool: FpmPool): string {
  return `wcp-fpm-${pool}`
}

export function ceilingProperties({ memoryBytes, tasks }: Usage): readonly string[] {
  return [`MemoryMax=${memoryBytes}`, `TasksMax=${tasks}`]
}

/** For `systemctl set-property`; an empty value or "infinity" takes an earlier limit away. */
export function limitProperties(limits: TenantLimits, disk: string): readonly string[] {
  const io = limits.ioMbps === null ? '' : `${disk} ${limits.ioMbps}M`
  return [
    `CPUQuota=${limits.cpuPct === null ? '' : `${limits.cpuPct}%`}`,
    // No MemoryHigh: without swap it can stall a process for ever instead of ending it.
    `MemoryMax=${limits.memMb === null ? 'infinity' : `${limits.memMb}M`}`,
    `MemorySwapMax=${limits.memMb === null ? 'infinity' : '0'}`,
    `TasksMax=${limits.pids ?? 'infinity'}`,
    `IOReadBandwidthMax=${io}`,
    `IOWriteBandwidthMax=${io}`,
  ]
}

/**
 * One `systemd-run`: the socket, and the service that its first connection starts. systemd keeps the
 * socket, so a master that was killed is started again by the next request.
 */
export function startFpmArgv(
  places: Layout,
  start: FpmStart,
  webGroup: string,
  isFiltered: boolean,
): readonly string[] {
  const command = fpmCommand(places, start, phpLog(start.name), seenOptions(places, start.name, places.web.hosts))
  return [
    '--quiet',
    '--collect',
    `--unit=${fpmUnit(poolOf(start.name, start.apart))}`,
    `--slice=${sliceUnit(start.name)}`,
    `--uid=${start.uid}`,
    `--gid=${start.gid}`,
    ...socketProperties(places, start, webGroup).map((property) => `--socket-property=${property}`),
    ...sandboxProperties(places, start, isFiltered).map((property) => `--property=${property}`),
    ...Object.entries(command.env).map(([name, value]) => `--setenv=${name}=${value}`),
    '--',
    command.file,
    ...command.argv,
  ]
}

/** To the journal, where the unit's own limits of rate and size hold for it. */
function phpLog(tenant: TenantName) {
  return { error_log: 'syslog', 'syslog.ident': `php-${tenant}` }
}

function socketProperties(places: Layout, { uid, name, apart }: FpmStart, webGroup: string): readonly string[] {
  return [
    `ListenStream=${places.fpmBoundSocket(uid, poolOf(name, apart))}`,
    'SocketUser=root',
    `SocketGroup=${webGroup}`,
    'SocketMode=0760', // the x bit is for nginx's -x, see unix-listen.ts
    'Backlog=511',
  ]
}

/**
 * Control groups, and the directories by which systemd hands mounts on to units, bear the names of all tenants.
 * `ProtectHome` hides the homes; `/run/systemd` itself is needed to hide anything, so its telling parts are named.
 */
const hiddenFromUnits = [
  '/sys/fs/cgroup',
  ...hiddenPaths.filter((path) => !['/home', '/root', '/run/user', '/run/systemd'].includes(path)),
  ...['propagate', 'sessions', 'system.control', 'transient', 'units', 'userdb', 'users'].map(
    (part) => `/run/systemd/${part}`,
  ),
]

/** PHP's own part; `systemd-analyze security` must stay at 3.0 or below. */
export function sandboxProperties(places: Layout, start: FpmStart, isFiltered: boolean): readonly string[] {
  return [
    'Type=exec',
    // One more try; then the socket fails too, and the wake is answered with it.
    'StartLimitIntervalSec=10s',
    'StartLimitBurst=2',
    'KillMode=mixed',
    'KillSignal=SIGQUIT',
    'TimeoutStopSec=25',
    'OOMPolicy=continue', // a worker that grew too large ends alone
    `SyslogIdentifier=php-${start.name}`,
    'LogRateLimitIntervalSec=10s',
    'LogRateLimitBurst=200',
    ...tenantView(places, start, { policy: start.limits.egress, isFiltered }),
  ]
}

export interface TenantNetwork {
  readonly policy: EgressPolicy | undefined
  /** The rules of `egress.ts` are in force: they leave the tenant what it serves to itself on loopback. */
  readonly isFiltered: boolean
}

/**
 * The sandbox of every process of a tenant: the rules of threats C12 and C29.
 * @param readable further directories of root's
 */
export function tenantView(
  places: Layout,
  tenant: TenantIdentity,
  network: TenantNetwork,
  readable: readonly string[] = [],
): readonly string[] {
  const own = places.customers.tenant(tenant.name)
  const tmp = places.customers.tmp(tenant.name)
  const config = places.web.fpmConfig(tenant.name)
  // By these nginx names a site; its own among all that the web server has.
  const sites = `${places.web.sites(tenant.name)}:${places.web.hosts}`
  const accounts = `${places.fpmPasswd(tenant.name)}:/etc/passwd ${places.fpmGroup(tenant.name)}:/etc/group`
  return [
    'UMask=0022',
    'LimitCORE=0',
    'LimitNOFILE=4096',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=',
    'AmbientCapabilities=',
    'PrivateDevices=yes',
    'PrivateIPC=yes',
    'ProtectProc=invisible',
    'ProcSubset=pid',
    'ProtectSystem=strict',
    'ProtectHome=yes',
    'ProtectClock=yes',
    'ProtectControlGroups=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'LockPersonality=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'RestrictNamespaces=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@resources @privileged',
    'SystemCallFilter=@chown', // WordPress and others hand files to their own group
    'SystemCallErrorNumber=EPERM',
    ...addressProperties(network),
    // Of customers' trees there is only its own; /tmp lies on its own quota and outlives an idle stop.
    `TemporaryFileSystem=${places.customers.root}:ro ${places.web.root}:ro /var/lib:ro /var/log:ro /var/spool:ro /dev/shm:mode=1777,size=64M`,
    `BindPaths=${own} ${tmp}:/tmp ${tmp}:/var/tmp`,
    `BindReadOnlyPaths=${[config, sites, ...readable, accounts].join(' ')}`,
    `InaccessiblePaths=${hiddenFromUnits.map((path) => `-${path}`).join(' ')}`,
  ]
}

/** A second wall, which stands while somebody flushes the rules of nftables; resolvers come first, wherever they are (C29). */
function addressProperties({ policy, isFiltered }: TenantNetwork): readonly string[] {
  const provider = policy === 'open' ? [] : [...providerAddresses.ipv4, ...providerAddresses.ipv6]
  // In numbers: systemd-run takes the word "localhost" alone, not beside others.
  const denied = [...(isFiltered ? [] : ['127.0.0.0/8', '::1/128']), ...provider]
  const { ipv4, ipv6 } = resolvers()
  const allowed = ['127.0.0.53', '127.0.0.54', ...ipv4, ...ipv6]
  return denied.length === 0 ? [] : [`IPAddressDeny=${denied.join(' ')}`, `IPAddressAllow=${allowed.join(' ')}`]
}
