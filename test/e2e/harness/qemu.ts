// Starts and ends the emulator. TCG only: it runs where there is no KVM, as in most CI.

import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { tail } from './command.ts'
import type { Qemu } from './host.ts'
import { isAlive, type MachineRecord, machineDirectory } from './machine-record.ts'
import { qmp } from './qmp.ts'
import { guestForwards } from './registries.ts'

// psi=1: pressure figures. panic=-1 with -no-reboot: a kernel panic ends QEMU, and so the waiting test.
const kernelCommandLine =
  'root=/dev/vda rw console=ttyS0 net.ifnames=0 psi=1 quiet panic=-1 mitigations=off nokaslr random.trust_cpu=on tsc=reliable ' +
  'systemd.show_status=yes systemd.journald.forward_to_console=1 systemd.journald.max_level_console=warning'

/** Raise `revision` in recipe.ts with any change here: a saved state fits only the machine that it was saved from. */
export function qemuArguments(record: MachineRecord): string[] {
  const own = machineDirectory(record.name)
  const inward = [['22', record.sshPort], ...Object.entries(record.forwards)]
  const inbound = inward.map(([guest, host]) => `hostfwd=tcp:127.0.0.1:${host}-:${guest}`)
  const network = ['user,id=net0,restrict=on', ...inbound, ...guestForwards(record.registries)]
  // cache=unsafe leaves out only the host's fsync: what the guest has synced reaches the host's page cache, which outlives QEMU.
  const disk = (name: string) => [
    '-drive',
    `file=${join(own, `${name}.qcow2`)},if=none,id=${name},cache=unsafe,discard=unmap`,
    '-device',
    `virtio-blk-pci,drive=${name}`,
  ]
  return [
    ...[
      '-accel',
      'tcg,thread=multi,tb-size=512',
      '-machine',
      'pc,usb=off,vmport=off',
      '-cpu',
      'max',
      '-nodefaults',
      '-no-reboot',
    ],
    ...[
      '-smp',
      String(record.processors),
      '-m',
      String(record.memory),
      '-display',
      'none',
      '-vga',
      'none',
      '-rtc',
      'base=utc,clock=host',
    ],
    ...['-chardev', `file,id=console,path=${join(own, 'console.log')},append=on`, '-serial', 'chardev:console'],
    ...['-qmp', `unix:${join(own, 'qmp')},server=on,wait=off`],
    ...[
      '-kernel',
      join(record.image, 'vmlinuz'),
      '-initrd',
      join(record.image, 'initrd.img'),
      '-append',
      kernelCommandLine,
    ],
    ...disk('root'),
    ...disk('srv'),
    ...[
      '-netdev',
      network.join(','),
      '-device',
      'virtio-net-pci,netdev=net0,mac=52:54:00:12:34:56,romfile=',
      '-device',
      'virtio-rng-pci',
    ],
  ]
}

/** Starts QEMU and resolves with its pid once it answers. With an owner it dies with the thread that started it. */
export async function launch(qemu: Qemu, record: MachineRecord, more: readonly string[] = []): Promise<number> {
  const own = machineDirectory(record.name)
  rmSync(join(own, 'qmp'), { force: true })
  const bound = record.owner === null ? [] : ['--pdeathsig', 'KILL']
  const log = openSync(join(own, 'qemu.log'), 'w')
  const child = spawn('setpriv', [...bound, '--', qemu.program, ...qemuArguments(record), ...more], {
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  const { promise: ended, reject } = Promise.withResolvers<never>()
  const report = () => reject(new Error(`Cannot start QEMU: ${tail(readFileSync(join(own, 'qemu.log'), 'utf8'))}`))
  child.on('error', reject)
  child.once('exit', report)
  await Promise.race([answering(join(own, 'qmp')), ended])
  child.off('exit', report) // later ends are noticed by whoever waits for something
  return child.pid ?? 0
}

/** SIGKILL: what was not synced in the guest is lost, as in a power cut. */
export async function kill(record: MachineRecord): Promise<void> {
  if (!isAlive(record)) return
  process.kill(record.pid, 'SIGKILL')
  await gone(record, 30_000)
}

export async function gone(record: MachineRecord, timeout: number): Promise<void> {
  const end = Date.now() + timeout
  while (!isOver(record.pid)) {
    if (Date.now() > end) throw new Error(`Cannot see the end of QEMU ${record.pid} in ${timeout} ms`)
    await sleep(20)
  }
}

/** True once the last thread has ended: only then are the disks let go. The remains may wait for a parent. */
function isOver(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).length === 1 && /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('Cannot find a free port')
  return address.port
}

async function answering(socket: string): Promise<void> {
  const end = Date.now() + 120_000
  for (;;) {
    try {
      await qmp(socket, { execute: 'query-status' })
      return
    } catch (cause) {
      if (Date.now() > end) throw new Error('Cannot reach QEMU: its control socket is silent', { cause })
      await sleep(20)
    }
  }
}
