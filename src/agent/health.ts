/** The machine's own figures: /proc, file systems, pressure, services. Files of the kernel are parsed here, once. */
import { readFileSync } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { HealthSnapshot } from '../contract/wire.ts'
import type { ServiceState } from './os/services.ts'

export interface HealthSources {
  now(): Date
  states(): Promise<readonly ServiceState[]>
  readonly missing: readonly string[]
  versions(): Readonly<Record<string, string>>
  /** Places whose file systems are shown. */
  readonly mounts: readonly string[]
}

export async function healthSnapshot(sources: HealthSources): Promise<Omit<HealthSnapshot, 'brakes'>> {
  const services = await sources.states()
  return {
    at: sources.now().toISOString(),
    hostname: hostname(),
    uptimeSeconds: Number(text('/proc/uptime').split(' ')[0]),
    cpus: [...text('/proc/stat').matchAll(/^cpu\d+ /gm)].length,
    load: parseLoad(text('/proc/loadavg')),
    memory: parseMemory(text('/proc/meminfo')),
    disks: await disks(sources.mounts, text('/proc/self/mountinfo')),
    pressure: pressure(),
    services: services.map(({ name, state, detail }) => ({ name, state, detail: detail ?? null })),
    missing: [...sources.missing],
    versions: { ...sources.versions() },
  }
}

export function parseLoad(line: string): [number, number, number] {
  const [one, five, fifteen] = line.split(' ').map(Number)
  return [one ?? 0, five ?? 0, fifteen ?? 0]
}

export function parseMemory(meminfo: string): HealthSnapshot['memory'] {
  const bytes = (key: string) => Number(new RegExp(`^${key}: +(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0) * 1024
  return {
    total: bytes('MemTotal'),
    available: bytes('MemAvailable'),
    swapTotal: bytes('SwapTotal'),
    swapFree: bytes('SwapFree'),
  }
}

/** `avg10` of "some" and "full", in percent (kernel, accounting/psi). */
export function parsePressure(file: string): { readonly some: number; readonly full: number } {
  const average = (kind: string) => Number(new RegExp(`^${kind} avg10=([\\d.]+)`, 'm').exec(file)?.[1] ?? 0)
  return { some: average('some'), full: average('full') }
}

function pressure(): HealthSnapshot['pressure'] {
  try {
    const [cpu, memory, io] = ['cpu', 'memory', 'io'].map((name) => parsePressure(text(`/proc/pressure/${name}`)))
    if (cpu === undefined || memory === undefined || io === undefined) return null
    return {
      cpu: cpu.some,
      memorySome: memory.some,
      memoryFull: memory.full,
      ioSome: io.some,
      ioFull: io.full,
    }
  } catch {
    return null // a kernel without PSI, or with psi=0, has no such files
  }
}

/**
 * One entry per file system, under the mount point that mountinfo (proc(5)) names as the nearest above the place. systemd
 * mounts parts of a file system once more for the agent's sandbox: of those only the shortest is shown.
 */
async function disks(places: readonly string[], mountinfo: string): Promise<HealthSnapshot['disks']> {
  const byDevice = new Map<number, string>()
  for (const mount of places.map((place) => mountOf(place, mountinfo))) {
    const { dev } = await stat(mount)
    const known = byDevice.get(dev)
    if (known === undefined || mount.length < known.length) byDevice.set(dev, mount)
  }
  return await Promise.all([...byDevice.values()].map(disk))
}

async function disk(mount: string): Promise<HealthSnapshot['disks'][number]> {
  const { bsize, blocks, bavail, files, ffree } = await statfs(mount)
  const inodesFreePct = files === 0 ? 100 : Math.round((ffree / files) * 1000) / 10
  return { mount, total: bsize * blocks, free: bsize * bavail, inodesFreePct }
}

export function mountOf(place: string, mountinfo: string): string {
  const points = mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point !== '' && (point === '/' || place === point || place.startsWith(`${point}/`)))
  return points.reduce((longest, point) => (point.length > longest.length ? point : longest), '/')
}

function text(file: string): string {
  return readFileSync(file, 'utf8')
}
