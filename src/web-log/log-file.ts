/** A log of a bounded size: a full file is put aside as `.1`, an older one as the next, and the oldest goes. */
import { closeSync, constants, fstatSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants

export interface LogFileOptions {
  readonly path: string
  /** Bytes of one file. */
  readonly size: number
  /** Files that are kept beside the one that is written. */
  readonly kept: number
}

export class LogFile {
  readonly #options: LogFileOptions
  #fd: number
  #used: number
  #waiting: string[] = []
  #waitingBytes = 0

  constructor(options: LogFileOptions) {
    this.#options = options
    this.#fd = open(options.path)
    const { size, gid } = fstatSync(this.#fd)
    this.#used = size
    // Of a version whose logs had another group: who reads the log could not read this one.
    if (gid !== statSync(dirname(options.path)).gid) this.#putAside()
  }

  /** Bytes that wait for `write`. */
  get waiting(): number {
    return this.#waitingBytes
  }

  add(line: string): void {
    this.#waiting.push(line)
    this.#waitingBytes += Buffer.byteLength(line) + 1
  }

  /** Brings what was added to the disk. Throws when that takes nothing; the lines are gone then. */
  write(): void {
    if (this.#waiting.length === 0) return
    const text = Buffer.from(`${this.#waiting.join('\n')}\n`)
    this.#waiting = []
    this.#waitingBytes = 0
    if (this.#used > 0 && this.#used + text.length > this.#options.size) this.#putAside()
    this.#used += writeSync(this.#fd, text)
  }

  #putAside(): void {
    const { path, kept } = this.#options
    for (let at = kept - 1; at > 0; at--) renameIfThere(`${path}.${at}`, `${path}.${at + 1}`)
    renameSync(path, `${path}.1`)
    closeSync(this.#fd)
    this.#fd = open(path)
    this.#used = 0
  }
}

function open(path: string): number {
  return openSync(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o640)
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error // Node's own calls throw these
  }
}
