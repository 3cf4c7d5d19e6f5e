/** The limits that the kernel holds a tenant's slice to, beside those that it should have (cgroup v2). */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { TenantLimits, TenantName } from '../../contract/values.ts'
import { errorCode } from './error-code.ts'
import type { Layout } from './layout.ts'
import { customersSlice, sliceUnit } from './systemd-services-units.ts'

export interface SliceLimits {
  readonly tenant: TenantName
  readonly limits: TenantLimits
}

/**
 * What differs, as `pids.max: max instead of 64`. Nothing where there is no such slice, as without a process of the tenant, and
 * nothing of what this kernel does not limit.
 */
export function limitsNotInForce(places: Layout, { tenant, limits }: SliceLimits): readonly string[] {
  const slice = join(places.cgroups, customersSlice, sliceUnit(tenant))
  if (!existsSync(slice)) return []
  const memory = limits.memMb === null ? 'max' : String(limits.memMb * 2 ** 20)
  return [
    unlike(places, slice, 'memory.max', memory),
    // missing where swap is not accounted for
    textOf(slice, 'memory.swap.max') !== undefined &&
      unlike(places, slice, 'memory.swap.max', limits.memMb === null ? 'max' : '0'),
    unlike(places, slice, 'pids.max', String(limits.pids ?? 'max')),
    unlikeProcessor(places, slice, { tenant, limits }),
    unlikeDisk(places, slice, limits),
  ].flatMap((line) => line || [])
}

function unlike(places: Layout, slice: string, file: string, wanted: string): string | undefined {
  const found = textOf(slice, file)
  if (found === undefined) return missing(places, file, wanted)
  return found === wanted ? undefined : `${file}: ${found} instead of ${wanted}`
}

/** systemd takes a controller from a slice that it knows no limit of; where the kernel has none, nothing can be limited. */
function missing({ cgroups }: Layout, file: string, wanted: string): string | undefined {
  const controllers = textOf(cgroups, 'cgroup.controllers')?.split(' ') ?? []
  const isLimited = wanted !== 'max' && controllers.includes(file.slice(0, file.indexOf('.')))
  return isLimited ? `${file}: none instead of ${wanted}` : undefined
}

/** While PHP wakes the quota is raised (`wake-burst.ts`): this begins and ends with a note of it, which is looked for on both sides. */
function unlikeProcessor(places: Layout, slice: string, { tenant, limits }: SliceLimits): string | undefined {
  const isWaking = () => existsSync(places.fpmBurst(tenant))
  if (isWaking()) return undefined
  const found = textOf(slice, 'cpu.max')
  const wanted = limits.cpuPct === null ? 'max' : `${limits.cpuPct} %`
  if (isWaking()) return undefined
  if (found === undefined) return missing(places, 'cpu.max', wanted)
  const [quota = '', period = ''] = found.split(' ')
  const percent = quota === 'max' ? null : (Number(quota) / Number(period)) * 100
  const isSame =
    percent === null || limits.cpuPct === null ? percent === limits.cpuPct : Math.abs(percent - limits.cpuPct) < 0.1
  return isSame ? undefined : `cpu.max: ${found} instead of ${wanted}`
}

/** systemd's "M" of a bandwidth (systemd.resource-control(5)). */
const million = 1_000_000

/** Of the disk below the customers' trees; a lower limit that somebody gave to another disk is none of ours. */
function unlikeDisk(places: Layout, slice: string, { ioMbps }: TenantLimits): string | undefined {
  const found = textOf(slice, 'io.max')
  if (ioMbps === null) return undefined
  const isPlain = isPlainDisk(places.customers.root)
  const wanted = ['rbps', 'wbps'].map((key) => `${key}=${ioMbps * million}`)
  if (found === undefined) return isPlain ? missing(places, 'io.max', wanted.join(' ')) : undefined
  const isThere = found.split('\n').some((line) => wanted.every((word) => line.split(' ').includes(word)))
  if (isThere || (found === '' && !isPlain)) return undefined
  return `io.max: ${found === '' ? 'nothing' : found.replaceAll('\n', '; ')} instead of ${wanted.join(' ')}`
}

/** systemd finds no disk to limit where a file system lies on several, or on none. */
function isPlainDisk(path: string): boolean {
  const { dev } = statSync(path)
  const major = ((dev >>> 8) & 0xfff) >>> 0
  const minor = ((dev & 0xff) | ((dev >>> 12) & 0xfff00)) >>> 0
  const disk = `/sys/dev/block/${major}:${minor}`
  if (!existsSync(disk)) return false
  return existsSync(join(disk, 'partition')) || readdirSync(join(disk, 'slaves')).length === 0
}

function textOf(slice: string, file: string): string | undefined {
  try {
    return readFileSync(join(slice, file), 'utf8').trim()
  } catch (error) {
    // ENODEV: the slice went while its file was open
    if (['ENOENT', 'ENODEV'].includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}
