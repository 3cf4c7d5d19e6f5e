// A Debian server of one's own for a test: booted or resumed, used by ssh, cut off from power at will.

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandOptions, command, type Outcome, tail } from './command.ts'
import { type CopyOptions, copyIn, copyOut } from './copy.ts'
import { prepareHost } from './host.ts'
import { isAlive, type MachineRecord, machineDirectory, readRecord, writeRecord } from './machine-record.ts'
import { freePort, gone, kill, launch } from './qemu.ts'
import { monitor } from './qmp.ts'
import { freeze, freshDisks, hasRunningState, incoming, thaw } from './running-state.ts'
import { closeSsh, commandLine, openSsh, sshArguments } from './ssh.ts'

export type RunOptions = Pick<CommandOptions, 'input' | 'timeout'>
type NewMachine = Omit<MachineRecord, 'sshPort' | 'forwards' | 'pid'>

export class Machine implements AsyncDisposable {
  #record: MachineRecord

  private constructor(record: MachineRecord) {
    this.#record = record
  }

  /** Use `start` or `warm` of start.ts: they know what to stand on. A base with a running state is resumed, another one booted. */
  static async create(wanted: NewMachine): Promise<Machine> {
    const previous = readRecord(wanted.name)
    if (previous && isAlive(previous)) throw new Error(`Cannot start "${wanted.name}": it is up already`)
    rmSync(machineDirectory(wanted.name), { recursive: true, force: true })
    mkdirSync(machineDirectory(wanted.name), { recursive: true, mode: 0o700 })
    const machine = new Machine({ ...wanted, sshPort: await freePort(), forwards: {}, pid: 0 })
    writeRecord(machine.#record)
    try {
      await machine.#attempt('start', () => machine.#begin())
    } catch (error) {
      await machine.stop()
      throw error
    }
    return machine
  }

  /** A machine that another process has started. */
  static attach(name: string): Machine {
    const record = readRecord(name)
    if (!record) throw new Error(`Cannot find a machine named "${name}"`)
    return new Machine(record)
  }

  get record(): MachineRecord {
    return this.#record
  }

  /** What the serial console has said so far. */
  console(): string {
    const path = join(machineDirectory(this.#record.name), 'console.log')
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }

  /** As root: an argument list as it is, a text as a bash script. Any exit code is an answer; only a machine out of reach is an error. */
  run(what: readonly string[] | string, { input = '', timeout = 120_000 }: RunOptions = {}): Promise<Outcome> {
    const seconds = Math.ceil(timeout / 1000)
    return this.#attempt('run a command', async () => {
      const line = commandLine(what, seconds)
      const outcome = await command(sshArguments(this.#record, line), { input, timeout: (seconds + 30) * 1000 })
      if (outcome.code === 255) throw new Error(`Cannot reach the machine by ssh: ${outcome.stderr}`)
      if (outcome.code === 124)
        throw new Error(
          `Cannot wait for ${JSON.stringify(what)}: still running after ${timeout} ms\n${tail(outcome.stderr)}`,
        )
      return outcome
    })
  }

  /** The standard output of a command that must succeed. */
  async succeed(what: readonly string[] | string, options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(what, options)
    if (code === 0) return stdout
    return this.#attempt('run a command', () =>
      Promise.reject(new Error(`${JSON.stringify(what)}: exit code ${code}\n${tail(stderr || stdout)}`)),
    )
  }

  /** A file becomes the file `to`, a directory's content the content of `to`; owned by root, modes kept. */
  copyIn(from: string, to: string, options: CopyOptions = {}): Promise<void> {
    return this.#attempt('copy in', () => copyIn(this.#record, from, to, options))
  }

  /** The same in the other direction. */
  copyOut(from: string, to: string, options: CopyOptions = {}): Promise<void> {
    return this.#attempt('copy out', () => copyOut(this.#record, from, to, options))
  }

  /** The loopback port of this host that leads to a tcp port of the guest; the same one for the machine's whole life. */
  async forward(guestPort: number): Promise<number> {
    const known = this.#record.forwards[guestPort]
    if (known !== undefined) return known
    const port = await freePort()
    await this.#attempt('forward a port', () =>
      monitor(this.#socket, `hostfwd_add net0 tcp:127.0.0.1:${port}-:${guestPort}`),
    )
    this.#keep({ forwards: { ...this.#record.forwards, [guestPort]: port } })
    return port
  }

  /** Keeps memory and disks as they are now under a name of plain letters; the machine goes on. */
  snapshot(tag = 'snapshot'): Promise<void> {
    return this.#attempt('take a snapshot', async () => {
      await closeSsh(this.#record)
      await monitor(this.#socket, `savevm ${tag}`, 120_000)
      await openSsh(this.#record, 60_000)
    })
  }

  /** Back to a snapshot, also after a power cut; without a tag, to what the machine was when it started. */
  restore(tag?: string): Promise<void> {
    return this.#attempt('restore', async () => {
      await closeSsh(this.#record)
      if (tag === undefined) {
        await kill(this.#record)
        await this.#begin()
      } else {
        if (isAlive(this.#record)) await monitor(this.#socket, `loadvm ${tag}`, 120_000)
        else await this.#launch(['-loadvm', tag])
        await openSsh(this.#record, 60_000)
      }
    })
  }

  /** What was not synced in the guest is lost. */
  powerCut(): Promise<void> {
    return kill(this.#record)
  }

  /** An orderly shutdown. */
  async powerOff(timeout = 120_000): Promise<void> {
    await this.run(['systemctl', '--no-block', 'poweroff'])
    await this.#attempt('power off', () => gone(this.#record, timeout))
  }

  /** From what had reached the disks. Resolves when ssh answers; `settled` waits for the rest. */
  bootAgain(): Promise<void> {
    return this.#attempt('boot', async () => {
      if (isAlive(this.#record)) throw new Error('Cannot boot: it is up')
      await this.#launch()
      await openSsh(this.#record, 180_000)
    })
  }

  /** Waits until systemd has nothing left to start; the names of failed units. */
  async settled(timeout = 180_000): Promise<string[]> {
    await this.run(['systemctl', 'is-system-running', '--wait'], { timeout })
    const failed = await this.succeed(['systemctl', 'list-units', '--failed', '--plain', '--no-legend'])
    return failed.split('\n').flatMap((line) => line.split(' ')[0] || [])
  }

  /** Saves the running machine into a directory as a base for others, and ends it. */
  async freezeInto(directory: string): Promise<void> {
    await this.succeed('sync; fstrim -a; echo 3 >/proc/sys/vm/drop_caches')
    await this.#attempt('freeze', async () => {
      await closeSsh(this.#record)
      await freeze(this.#record, directory)
    })
    await this.stop()
  }

  /** Ends the machine and drops its disks. */
  async stop(): Promise<void> {
    await closeSsh(this.#record)
    await kill(this.#record)
    rmSync(machineDirectory(this.#record.name), { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #begin(): Promise<void> {
    await freshDisks(this.#record, this.#record.base)
    const isFrozen = hasRunningState(this.#record.base)
    await this.#launch(isFrozen ? incoming(this.#record.base) : [])
    if (isFrozen) await thaw(this.#record)
    await openSsh(this.#record, isFrozen ? 60_000 : 180_000)
  }

  async #launch(more: readonly string[] = []): Promise<void> {
    this.#keep({ pid: await launch(await prepareHost(), this.#record, more) })
  }

  #keep(change: Partial<MachineRecord>): void {
    this.#record = { ...this.#record, ...change }
    writeRecord(this.#record)
  }

  get #socket(): string {
    return join(machineDirectory(this.#record.name), 'qmp')
  }

  async #attempt<T>(deed: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (cause) {
      throw new Error(
        `Cannot ${deed} on machine "${this.#record.name}": ${String(cause)}\n--- console ---\n${tail(this.console())}`,
        { cause },
      )
    }
  }
}
