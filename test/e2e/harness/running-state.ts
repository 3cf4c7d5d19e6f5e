// A machine frozen while it runs: memory and devices in one file, beside the disks that belong to them.

import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { succeed } from './command.ts'
import { isAlive, type MachineRecord, machineDirectory } from './machine-record.ts'
import { kill } from './qemu.ts'
import { qmp } from './qmp.ts'

const Status = z.object({ status: z.string().optional() })

/** Freezes the machine into `directory`; its QEMU ends and its disks move there. */
export async function freeze(record: MachineRecord, directory: string): Promise<void> {
  const own = machineDirectory(record.name)
  const socket = join(own, 'qmp')
  await qmp(socket, { execute: 'stop' })
  await qmp(socket, { execute: 'migrate-set-parameters', arguments: { 'max-bandwidth': 2 ** 33 } })
  await qmp(socket, { execute: 'migrate', arguments: { uri: `exec:lz4 -1 -q -f - '${directory}/state.lz4'` } })
  await until('query-migrate', socket, 300_000, ({ status }) => {
    if (status === 'failed') throw new Error(`Cannot save the running state of "${record.name}"`)
    return status === 'completed'
  })
  await kill(record)
  for (const disk of ['root.qcow2', 'srv.qcow2']) renameSync(join(own, disk), join(directory, disk))
}

export function hasRunningState(directory: string): boolean {
  return existsSync(join(directory, 'state.lz4'))
}

/** Arguments with which QEMU takes up a frozen machine. */
export function incoming(directory: string): string[] {
  return ['-incoming', `exec:lz4 -d -q -c '${directory}/state.lz4'`]
}

/** Waits until the state is loaded, then lets the machine go on. */
export async function thaw(record: MachineRecord): Promise<void> {
  const socket = join(machineDirectory(record.name), 'qmp')
  await until('query-status', socket, 180_000, ({ status }) => {
    if (!isAlive(record)) throw new Error(`Cannot resume "${record.name}": QEMU ended`)
    return status !== 'inmigrate'
  })
  await qmp(socket, { execute: 'cont' })
}

/** Empty disks of the machine's own over those of `directory`. */
export async function freshDisks(record: MachineRecord, directory: string): Promise<void> {
  for (const disk of ['root.qcow2', 'srv.qcow2']) {
    const argv = [
      'qemu-img',
      'create',
      '-q',
      '-f',
      'qcow2',
      '-F',
      'qcow2',
      '-b',
      join(directory, disk),
      join(machineDirectory(record.name), disk),
    ]
    await succeed(argv)
  }
}

async function until(
  query: string,
  socket: string,
  timeout: number,
  isReached: (reply: z.infer<typeof Status>) => boolean,
) {
  const end = Date.now() + timeout
  while (!isReached(Status.parse(await qmp(socket, { execute: query })))) {
    if (Date.now() > end) throw new Error(`Cannot see ${query} finish in ${timeout} ms`)
    await sleep(25)
  }
}
