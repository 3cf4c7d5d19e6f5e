// The way into a machine: ssh over a loopback port, one connection shared by all commands.

import { spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { command, succeed } from './command.ts'
import { isAlive, type MachineRecord, machineDirectory } from './machine-record.ts'
import { places } from './places.ts'

/** One argument for the guest's shell. */
export function quoted(argument: string): string {
  return `'${argument.replaceAll("'", "'\\''")}'`
}

/** An argument list runs as it is, a text as a bash script. */
export function commandLine(what: readonly string[] | string, seconds: number): string {
  const argv = typeof what === 'string' ? ['bash', '-c', what] : what
  return ['timeout', '-k', '5', String(seconds), ...argv].map(quoted).join(' ')
}

export function sshArguments(record: MachineRecord, line: string): string[] {
  return ['ssh', ...options(record), 'root@127.0.0.1', line]
}

/** Waits for the guest's ssh and opens the shared connection. @param setsClock after a resume it is that of the saved state */
export async function openSsh(record: MachineRecord, timeout: number, setsClock = true): Promise<void> {
  const end = Date.now() + timeout
  while ((await banner(record.sshPort)) !== 'SSH-') {
    if (!isAlive(record)) throw new Error('Cannot reach ssh: QEMU ended')
    if (Date.now() > end) throw new Error(`Cannot reach ssh in ${timeout} ms`)
    await sleep(50)
  }
  rmSync(controlPath(record), { force: true })
  await openShared(record)
  if (setsClock) await succeed(sshArguments(record, `date -s @${Date.now() / 1000 + 0.1}`), { timeout })
}

export async function closeSsh(record: MachineRecord): Promise<void> {
  if (existsSync(controlPath(record))) await command(['ssh', ...options(record), '-O', 'exit', 'root@127.0.0.1'])
  rmSync(controlPath(record), { force: true })
}

/** The shared connection stays in the background, and ends with the machine. */
function openShared(record: MachineRecord): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // No pipes: the process in the background would keep them open.
  const child = spawn('ssh', [...options(record), '-M', '-N', '-f', 'root@127.0.0.1'], {
    stdio: 'ignore',
    timeout: 120_000,
    killSignal: 'SIGKILL',
  })
  child.on('error', reject)
  child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`Cannot log in by ssh: exit code ${code}`))))
  return promise
}

function options(record: MachineRecord): string[] {
  const settings = [
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    'LogLevel=ERROR',
    'ConnectTimeout=120',
    'KexAlgorithms=curve25519-sha256', // the cheapest to emulate
    'Ciphers=aes128-gcm@openssh.com',
    `ControlPath=${controlPath(record)}`,
  ]
  return [
    '-F',
    '/dev/null',
    '-i',
    places.sshKey,
    '-p',
    String(record.sshPort),
    ...settings.flatMap((setting) => ['-o', setting]),
  ]
}

function controlPath(record: MachineRecord): string {
  return join(machineDirectory(record.name), 'ssh')
}

/** The first bytes that the port says: QEMU accepts connections long before the guest listens. */
function banner(port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1').setTimeout(20_000)
  for (const event of ['error', 'timeout', 'close'] as const) socket.once(event, () => resolve(''))
  socket.once('data', (bytes) => resolve(bytes.toString().slice(0, 4)))
  return promise.finally(() => socket.destroy())
}
