/**
 * The bytes between panel and file worker: frames of JSON and frames of a file's bytes over one connection, in both directions
 * and without a buffer for more than one of them. An empty frame of bytes is their end.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'

/** Of a list of 500 names, each byte of them as %XX. */
const mostJson = 2 * 1024 * 1024
const mostBytes = 64 * 1024
const headBytes = 5

export type FileFrame =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'bytes'; readonly bytes: Buffer }

/** The other side broke the grammar, or the connection ended. */
export class FileLineError extends Error {
  override readonly name = 'FileLineError'
}

export class FileLine {
  readonly #socket: Socket
  readonly #frames: AsyncGenerator<FileFrame, undefined>

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {}) // told to whoever reads or writes
    this.#frames = framesOf(socket)
  }

  /** undefined: the other side has ended. */
  async next(): Promise<FileFrame | undefined> {
    return (await this.#frames.next()).value
  }

  async json(): Promise<unknown> {
    const frame = await this.next()
    if (frame?.kind === 'json') return frame.value
    throw new FileLineError(frame === undefined ? 'the connection ended' : 'bytes where words belong')
  }

  async say(value: unknown): Promise<void> {
    await this.#write(0, Buffer.from(JSON.stringify(value)))
  }

  /** Resolves when more may be sent. */
  async send(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at += mostBytes) await this.#write(1, bytes.subarray(at, at + mostBytes))
  }

  async sendEnd(): Promise<void> {
    await this.#write(1, Buffer.alloc(0))
  }

  async #write(kind: number, body: Buffer): Promise<void> {
    if (this.#socket.destroyed || this.#socket.writableEnded) throw new FileLineError('the connection ended')
    const head = Buffer.alloc(headBytes)
    head.writeUInt8(kind)
    head.writeUInt32BE(body.length, 1)
    this.#socket.cork()
    this.#socket.write(head)
    const isTaken = this.#socket.write(body)
    this.#socket.uncork()
    if (isTaken) return
    const given = new AbortController()
    const ended = once(this.#socket, 'close', { signal: given.signal }).then(() => {
      throw new FileLineError('the connection ended')
    })
    ended.catch(() => {}) // it was drained
    try {
      await Promise.race([once(this.#socket, 'drain', { signal: given.signal }), ended])
    } finally {
      given.abort()
    }
  }
}

async function* framesOf(socket: Socket): AsyncGenerator<FileFrame, undefined> {
  let chunks: Buffer[] = []
  let size = 0
  let wanted = headBytes
  for await (const chunk of socket) {
    chunks.push(chunk as Buffer) // no encoding is set
    size += (chunk as Buffer).length
    while (size >= wanted) {
      const joined = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
      const end = headBytes + lengthOf(joined)
      if (joined.length >= end) yield frameOf(joined.readUInt8(), joined.subarray(headBytes, end))
      const rest = joined.length >= end ? joined.subarray(end) : joined
      wanted = joined.length >= end ? headBytes : end
      chunks = [rest]
      size = rest.length
    }
  }
  if (size > 0) throw new FileLineError('the connection ended within a frame')
  return undefined
}

function lengthOf(bytes: Buffer): number {
  const kind = bytes.readUInt8()
  const length = bytes.readUInt32BE(1)
  if (kind > 1 || length > (kind === 0 ? mostJson : mostBytes)) throw new FileLineError('a frame that is none')
  return length
}

function frameOf(kind: number, body: Buffer): FileFrame {
  if (kind === 1) return { kind: 'bytes', bytes: body }
  try {
    return { kind: 'json', value: JSON.parse(body.toString()) }
  } catch (cause) {
    throw new FileLineError('a frame that is not JSON', { cause })
  }
}
