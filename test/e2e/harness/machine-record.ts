// What is known about a machine outside of the process that started it: one file in the machine's own directory.

import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { isRunning } from './lock.ts'
import { places } from './places.ts'
import { Registry } from './registries.ts'

export const MachineRecord = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,30}$/),
  flavour: z.string(),
  /** Directory of the image: kernel and initial RAM disk. */
  image: z.string(),
  /** Directory of the disks under the machine's own, with a running state in it or not. */
  base: z.string(),
  /** Every directory that must stay while the machine lives: backing files form a chain. */
  uses: z.array(z.string()),
  registries: z.array(Registry),
  memory: z.number(),
  processors: z.number(),
  sshPort: z.number(),
  /** Guest port → loopback port of the host. */
  forwards: z.record(z.string(), z.number()),
  /** The process that the machine ends with, or null when it survives its maker. */
  owner: z.number().nullable(),
  pid: z.number(),
})
export type MachineRecord = z.infer<typeof MachineRecord>

export function machineDirectory(name: string): string {
  return join(places.machines, name)
}

export function readRecord(name: string): MachineRecord | undefined {
  const path = join(machineDirectory(name), 'machine.json')
  return existsSync(path) ? MachineRecord.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined
}

export function writeRecord(record: MachineRecord): void {
  const path = join(machineDirectory(record.name), 'machine.json')
  writeFileSync(`${path}.new`, JSON.stringify(record, null, 2))
  renameSync(`${path}.new`, path)
}

export function allRecords(): MachineRecord[] {
  if (!existsSync(places.machines)) return []
  return readdirSync(places.machines).flatMap((name) => readRecord(name) ?? [])
}

/** True while the recorded process is QEMU and works for this machine: pids are used again. */
export function isAlive({ name, pid }: MachineRecord): boolean {
  if (pid === 0) return false
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${machineDirectory(name)}/qmp`)
  } catch {
    return false
  }
}

/** Removes what the machines of dead test processes left behind. */
export function sweepOrphans(): void {
  for (const record of allRecords()) {
    if (record.owner === null || isRunning(record.owner)) continue
    if (isAlive(record)) process.kill(record.pid, 'SIGKILL')
    rmSync(machineDirectory(record.name), { recursive: true, force: true })
  }
}
