// A Debian server of one's own for a test: commands, files and ports of it. See start.ts for how to get one.

import { type CommandOptions, command, type Outcome, tail } from './command.ts'
import { type CopyOptions, copyIn, copyOut } from './copy.ts'
import { MachineLife, type NewMachine } from './machine-life.ts'
import { readRecord } from './machine-record.ts'
import { freePort, gone } from './qemu.ts'
import { monitor } from './qmp.ts'
import { commandLine, sshArguments } from './ssh.ts'

export type RunOptions = Pick<CommandOptions, 'input' | 'timeout'>

export class Machine extends MachineLife {
  /** Use `start`, `boot` or `warm` of start.ts: they know what to stand on. */
  static async create(wanted: NewMachine): Promise<Machine> {
    const machine = new Machine(await Machine.newRecord(wanted))
    await machine.begin()
    return machine
  }

  /** A machine that another process has started. */
  static attach(name: string): Machine {
    const record = readRecord(name)
    if (!record) throw new Error(`Cannot find a machine named "${name}"`)
    return new Machine(record)
  }

  /**
   * As root: an argument list as it is, a text as a bash script. Any exit code is an answer;
   * a machine out of reach and a command still running after `timeout` (ms, 120,000 unless given) are errors.
   */
  run(what: readonly string[] | string, { input = '', timeout = 120_000 }: RunOptions = {}): Promise<Outcome> {
    return this.attempt('run a command', async () => {
      const seconds = Math.ceil(timeout / 1000)
      const line = sshArguments(this.record, commandLine(what, seconds))
      const outcome = await command(line, { input, timeout: (seconds + 30) * 1000 })
      if (outcome.code === 255) throw new Error(`ssh gave up: ${outcome.stderr}`)
      if (outcome.code === 124)
        throw new Error(`${shown(what)} still runs after ${timeout} ms\n${tail(outcome.stderr)}`)
      return outcome
    })
  }

  /** The standard output of a command that must succeed. */
  async succeed(what: readonly string[] | string, options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(what, options)
    return this.attempt('run a command', async () => {
      if (code !== 0) throw new Error(`${shown(what)} ended with ${code}\n${tail(stderr || stdout)}`)
      return stdout
    })
  }

  /** A file becomes the file `to`, a directory's content the content of `to`; owned by root, modes kept. */
  copyIn(from: string, to: string, options: CopyOptions = {}): Promise<void> {
    return this.attempt('copy in', () => copyIn(this.record, from, to, options))
  }

  /** The same in the other direction. */
  copyOut(from: string, to: string, options: CopyOptions = {}): Promise<void> {
    return this.attempt('copy out', () => copyOut(this.record, from, to, options))
  }

  /**
   * The loopback port of this host that leads to a tcp port of the guest; the same one for the machine's whole life.
   * For few connections at once: QEMU listens with a queue of one (its `tcpx_listen`), and of a burst the kernel drops the
   * rest, which waits for its own retransmissions, up to a minute. Ask for much at once inside the guest.
   */
  async forward(guestPort: number): Promise<number> {
    const known = this.record.forwards[guestPort]
    if (known !== undefined) return known
    const port = await freePort()
    await this.attempt('forward a port', () =>
      monitor(this.socket, `hostfwd_add net0 tcp:127.0.0.1:${port}-:${guestPort}`),
    )
    this.keep({ forwards: { ...this.record.forwards, [guestPort]: port } })
    return port
  }

  /** Waits until systemd has nothing left to start; the names of failed units. */
  async settled(timeout = 600_000): Promise<string[]> {
    await this.run(['systemctl', 'is-system-running', '--wait'], { timeout })
    const failed = await this.succeed(['systemctl', 'list-units', '--failed', '--plain', '--no-legend'])
    return failed.split('\n').flatMap((line) => line.split(' ')[0] || [])
  }

  /** An orderly shutdown. */
  async powerOff(timeout = 120_000): Promise<void> {
    await this.run(['systemctl', '--no-block', 'poweroff'])
    await this.attempt('power off', () => gone(this.record, timeout))
  }

  /** Saves the running machine into a directory as a base for others, and ends it. */
  async freezeInto(directory: string): Promise<void> {
    await this.succeed('sync; fstrim -a; echo 3 >/proc/sys/vm/drop_caches')
    await this.freeze(directory)
  }
}

function shown(what: readonly string[] | string): string {
  return JSON.stringify(what).slice(0, 300)
}
