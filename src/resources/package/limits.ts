/** The limits of a package: as they are entered, and as the machine gets them. */
import { z } from 'zod'
import { EgressPolicy, SshAccess, type TenantLimits } from '../../contract/values.ts'
import type { PlainPackage } from './schema.ts'

function limit(from: number, to: number, description: string) {
  const error = `a whole number from ${from} to ${to}, or null for no limit`
  return z.int({ error }).min(from, { error }).max(to, { error }).nullable().describe(description)
}

const limits = {
  maxDomains: limit(0, 100_000, 'Domains a tenant may have'),
  maxDatabases: limit(0, 1000, 'Databases a tenant may have'),
  cpuPct: limit(5, 10_000, 'CPU in percent of one core: 150 is one and a half'),
  memMb: limit(64, 1_048_576, 'Memory in MB'),
  pids: limit(16, 65_536, 'Processes and threads at once'),
  ioMbps: limit(1, 100_000, 'Disk throughput in MB per second, reading and writing each'),
  diskMb: limit(10, 1_073_741_824, 'Disk space in MB; kept and shown, not enforced'),
  egress: EgressPolicy.describe(
    "Where its programs may connect to. default: everywhere but the provider's own addresses and other servers' port 25; smtp: also that; open: everywhere; none: to this server's sites only",
  ),
  sshAccess: SshAccess.describe(
    'What SSH keys of its tenants give. none: nothing; sftp: their files; shell: also a shell, and with it rsync and git',
  ),
}

/** Left out is no limit. */
export const newLimits = {
  maxDomains: limits.maxDomains.default(null),
  maxDatabases: limits.maxDatabases.default(null),
  cpuPct: limits.cpuPct.default(null),
  memMb: limits.memMb.default(null),
  pids: limits.pids.default(null),
  ioMbps: limits.ioMbps.default(null),
  diskMb: limits.diskMb.default(null),
  egress: limits.egress.default('default'),
  sshAccess: limits.sshAccess.default('sftp'),
}

/** Left out stays as it is. */
export const changedLimits = {
  maxDomains: limits.maxDomains.optional(),
  maxDatabases: limits.maxDatabases.optional(),
  cpuPct: limits.cpuPct.optional(),
  memMb: limits.memMb.optional(),
  pids: limits.pids.optional(),
  ioMbps: limits.ioMbps.optional(),
  diskMb: limits.diskMb.optional(),
  egress: limits.egress.optional(),
  sshAccess: limits.sshAccess.optional(),
}

/** The limits as the root side gets them; it enforces all but the disk space. */
export function limitsOf({ cpuPct, memMb, pids, ioMbps, diskMb, egress, sshAccess }: PlainPackage): TenantLimits {
  return {
    ...{ cpuPct, memMb, pids, ioMbps, diskMb },
    ...(egress !== 'default' && { egress }),
    ...(sshAccess !== 'none' && { sshAccess }),
  }
}
