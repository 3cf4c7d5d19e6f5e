/**
 * The way from a tenant's processes to the kept output: a named pipe, which the kernel bounds and whose writers wait. They
 * hold both ends, so an agent that ends kills nobody with SIGPIPE: they wait, and the next agent opens the pipe by its name.
 */
import { chownSync, constants, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { WcpError } from '../../../contract/errors.ts'
import { lastError, libc } from '../libc.ts'
import { KeptOutput } from './kept-output.ts'

const { O_NONBLOCK, O_RDONLY, O_RDWR } = constants
/** Reading costs the agent's time and the machine's disk, not the tenant's: faster writers wait. */
const bytesPerSecond = 64 * 1024 * 1024
const burstBytes = 16 * 1024 * 1024

/** In root's own directory; the pipe itself is the tenant's, so that programs may open /dev/stdout. */
export function makePipe(path: string, { uid, gid }: { uid: number; gid: number }): void {
  if (libc().mkfifo(path, 0o600) !== 0) throw new WcpError('machine_failed', `Cannot make "${path}": ${lastError()}`)
  chownSync(path, uid, gid)
}

/** For a child to write to; the caller closes it. */
export function pipeForWriter(path: string): number {
  return openSync(path, O_RDWR) // of both ends, so it does not wait for one: see fifo(7)
}

export class OutputPipe {
  readonly #socket: Socket
  #isLeft = false
  /** All writers have gone, or it was left. */
  readonly done: Promise<void>

  /** While a writer holds the pipe: without one it is at its end at once. */
  static async open(path: string, record: string): Promise<OutputPipe> {
    const output = await KeptOutput.open(record)
    try {
      return new OutputPipe(openSync(path, O_RDONLY | O_NONBLOCK), output)
    } catch (error) {
      await output.close()
      throw error
    }
  }

  private constructor(fd: number, output: KeptOutput) {
    this.#socket = new Socket({ fd, readable: true, writable: false })
    this.done = this.#pump(output)
    this.done.catch(() => {}) // told to whoever waits for it
  }

  /** The pipe keeps its content for the next reader. */
  async leave(): Promise<void> {
    this.#isLeft = true
    this.#socket.destroy()
    await this.done
  }

  async #pump(output: KeptOutput): Promise<void> {
    const began = performance.now()
    let total = 0
    try {
      for await (const chunk of this.#socket) {
        await output.add(chunk as Buffer) // no encoding was set
        total += (chunk as Buffer).length
        const aheadMs = ((total - burstBytes) / bytesPerSecond) * 1000 - (performance.now() - began)
        if (aheadMs > 1) await sleep(aheadMs)
      }
    } catch (error) {
      if (!this.#isLeft) throw error
    } finally {
      await output.close()
    }
  }
}
