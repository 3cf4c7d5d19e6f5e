/**
 * The output of one run on root's disk: the newest bytes only, so that its size has a bound while it is written, with the
 * place of each byte in the whole, so that a reader who comes again goes on where it was.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../error-code.ts'

/** Two of them are kept. */
const segmentBytes = 8 * 1024 * 1024
const segmentName = /^output\.(\d{15})$/

export interface OutputPage {
  /** Place of the first byte; after the one that was asked for when those before it are not kept. */
  readonly from: number
  readonly bytes: Buffer
  readonly next: number
}

export class KeptOutput {
  readonly #directory: string
  #file: FileHandle | undefined
  #start = 0
  #end = 0

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** Goes on after what an earlier life of the agent wrote. */
  static async open(directory: string): Promise<KeptOutput> {
    const output = new KeptOutput(directory)
    try {
      await output.#open(segmentsIn(directory).at(-1) ?? 0)
      return output
    } catch (error) {
      await output.close()
      throw error
    }
  }

  /** Output that a full disk does not take is dropped: its writer must not wait for room. */
  async add(bytes: Buffer): Promise<void> {
    try {
      await this.#append(bytes)
    } catch (error) {
      if (errorCode(error) !== 'ENOSPC') throw error
    }
  }

  async #append(bytes: Buffer): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      if (this.#end - this.#start >= segmentBytes) await this.#turn()
      const piece = rest.subarray(0, segmentBytes - (this.#end - this.#start))
      await this.#file?.appendFile(piece)
      this.#end += piece.length
      rest = rest.subarray(piece.length)
    }
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  async #turn(): Promise<void> {
    await this.close()
    for (const old of segmentsIn(this.#directory).slice(0, -1)) rmSync(segment(this.#directory, old))
    await this.#open(this.#end)
  }

  async #open(start: number): Promise<void> {
    this.#file = await open(segment(this.#directory, start), 'a', 0o600)
    this.#start = start
    this.#end = start + (await this.#file.stat()).size
  }
}

/** @param after how many bytes of the whole the reader has already */
export async function readOutput(directory: string, after: number, most: number): Promise<OutputPage> {
  const starts = segmentsIn(directory)
  const start = starts.findLast((one) => one <= after) ?? starts[0]
  if (start === undefined) return { from: 0, bytes: Buffer.alloc(0), next: 0 }
  const from = Math.max(start, after)
  const file = await open(segment(directory, start), 'r')
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(most), 0, most, from - start)
    const following = starts[starts.indexOf(start) + 1]
    if (bytesRead === 0 && following !== undefined && following > after) return readOutput(directory, following, most)
    return { from, bytes: buffer.subarray(0, bytesRead), next: from + bytesRead }
  } finally {
    await file.close()
  }
}

function segmentsIn(directory: string): readonly number[] {
  if (!existsSync(directory)) return [] // it has not begun
  return readdirSync(directory)
    .flatMap((name) => segmentName.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((one, other) => one - other)
}

function segment(directory: string, start: number): string {
  return join(directory, `output.${String(start).padStart(15, '0')}`)
}
