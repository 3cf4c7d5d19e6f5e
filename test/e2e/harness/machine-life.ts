// The life of a machine: start, snapshots, power cuts, boots, end. What is done inside of it is in machine.ts.

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { tail } from './command.ts'
import { prepareHost } from './host.ts'
import { isAlive, type MachineRecord, machineDirectory, readRecord, writeRecord } from './machine-record.ts'
import { freePort, kill, launch } from './qemu.ts'
import { monitor } from './qmp.ts'
import { freeze, freshDisks, hasRunningState, incoming, thaw } from './running-state.ts'
import { closeSsh, openSsh } from './ssh.ts'

// Half a minute and three seconds on an idle host; ten times as much when its processors are shared.
const bootTimeout = 600_000
const resumeTimeout = 180_000

export type NewMachine = Omit<MachineRecord, 'sshPort' | 'forwards' | 'pid'>

export class MachineLife implements AsyncDisposable {
  #record: MachineRecord

  protected constructor(record: MachineRecord) {
    this.#record = record
  }

  protected static async newRecord(wanted: NewMachine): Promise<MachineRecord> {
    const previous = readRecord(wanted.name)
    if (previous && isAlive(previous)) throw new Error(`Cannot start "${wanted.name}": it is up already`)
    rmSync(machineDirectory(wanted.name), { recursive: true, force: true })
    mkdirSync(machineDirectory(wanted.name), { recursive: true, mode: 0o700 })
    const record = { ...wanted, sshPort: await freePort(), forwards: {}, pid: 0 }
    writeRecord(record)
    return record
  }

  get record(): MachineRecord {
    return this.#record
  }

  /** What the serial console has said so far. */
  console(): string {
    const path = join(machineDirectory(this.#record.name), 'console.log')
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }

  /** Keeps memory and disks as they are now under a name of plain letters; the machine goes on. */
  snapshot(tag = 'snapshot'): Promise<void> {
    return this.attempt('take a snapshot', async () => {
      await closeSsh(this.#record)
      await monitor(this.socket, `savevm ${tag}`, 120_000)
      await openSsh(this.#record, resumeTimeout)
    })
  }

  /** Back to a snapshot, also after a power cut; without a tag, to what the machine was when it started, and snapshots are gone. */
  restore(tag?: string): Promise<void> {
    return this.attempt('restore', async () => {
      await closeSsh(this.#record)
      if (tag === undefined) {
        await kill(this.#record)
        await this.#begin()
      } else {
        if (isAlive(this.#record)) await monitor(this.socket, `loadvm ${tag}`, 120_000)
        else await this.#launch(['-loadvm', tag])
        await openSsh(this.#record, resumeTimeout)
      }
    })
  }

  /** What was not synced in the guest is lost. */
  powerCut(): Promise<void> {
    return kill(this.#record)
  }

  /**
   * From what had reached the disks. Resolves when ssh answers; `settled` waits for the rest.
   * @param clock what the machine's own clock says then, such as `2001-01-01T00:00:00`, and nobody sets right; the true time
   * unless told.
   */
  bootAgain({ clock }: { readonly clock?: string } = {}): Promise<void> {
    return this.attempt('boot', async () => {
      if (isAlive(this.#record)) throw new Error('it is up')
      await this.#launch(clock === undefined ? [] : ['-rtc', `base=${clock},clock=vm`])
      await openSsh(this.#record, bootTimeout, clock === undefined)
    })
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

  /** First start. A base with a running state is resumed, another one booted. */
  protected async begin(): Promise<void> {
    try {
      await this.attempt('start', () => this.#begin())
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  protected async freeze(directory: string): Promise<void> {
    await this.attempt('freeze', async () => {
      await closeSsh(this.#record)
      await freeze(this.#record, directory)
    })
    await this.stop()
  }

  protected get socket(): string {
    return join(machineDirectory(this.#record.name), 'qmp')
  }

  protected keep(change: Partial<MachineRecord>): void {
    this.#record = { ...this.#record, ...change }
    writeRecord(this.#record)
  }

  /** Every failure carries the end of the console. */
  protected async attempt<T>(deed: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Error(
        `Cannot ${deed} on machine "${this.#record.name}": ${why}\n--- console ---\n${tail(this.console())}`,
        { cause },
      )
    }
  }

  async #begin(): Promise<void> {
    const { base } = this.#record
    await freshDisks(this.#record, base)
    await this.#launch(hasRunningState(base) ? incoming(base) : [])
    if (hasRunningState(base)) await thaw(this.#record)
    await openSsh(this.#record, bootTimeout)
  }

  async #launch(more: readonly string[] = []): Promise<void> {
    this.keep({ pid: await launch(await prepareHost(), this.#record, more) })
  }
}
