/**
 * The bytes between panel, agent and waker: a 4-byte big-endian length, then JSON in its canonical form.
 *
 * A frame must be exactly what `JSON.stringify` makes of its value: a second key of one name, white space, an unusual
 * escape or a number written twice over does not survive that comparison, so there is one reading of every frame (B4).
 */
export const maxFrameBytes = 256 * 1024
export const maxDepth = 8

/** The sender broke the grammar: the connection is closed, nothing of the frame is used. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

export function encodeFrame(value: unknown): Buffer {
  const text = JSON.stringify(value)
  const length = Buffer.byteLength(text)
  if (length > maxFrameBytes) throw new FrameError(`a frame of ${length} bytes is over the limit of ${maxFrameBytes}`)
  const frame = Buffer.allocUnsafe(4 + length)
  frame.writeUInt32BE(length)
  frame.write(text, 4)
  return frame
}

/** Whether `encodeFrame` takes it, and the other side will. */
export function fitsFrame(value: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(value)) <= maxFrameBytes && !depthExceeds(value, maxDepth)
}

/** Cuts a byte stream into values; throws `FrameError` at the first byte that breaks the grammar. */
export class FrameDecoder {
  #chunks: Buffer[] = []
  #size = 0
  /** Bytes needed before there is something to do; chunks are joined only then, so a drip of bytes costs no more than a gulp. */
  #wanted = 4

  push(chunk: Buffer): unknown[] {
    const values: unknown[] = []
    this.#chunks.push(chunk)
    this.#size += chunk.length
    while (this.#size >= this.#wanted) {
      const bytes = Buffer.concat(this.#chunks)
      const length = bytes.readUInt32BE()
      if (length === 0 || length > maxFrameBytes) throw new FrameError(`a frame of ${length} bytes`)
      const end = 4 + length
      const whole = bytes.length >= end
      if (whole) values.push(parseFrame(bytes.subarray(4, end)))
      const rest = whole ? bytes.subarray(end) : bytes
      this.#chunks = [rest]
      this.#size = rest.length
      this.#wanted = whole ? 4 : end
    }
    return values
  }
}

function parseFrame(body: Buffer): unknown {
  const text = strictUtf8(body)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new FrameError('a frame that is not JSON', { cause })
  }
  if (depthExceeds(value, maxDepth)) throw new FrameError(`a frame nested deeper than ${maxDepth}`)
  if (JSON.stringify(value) !== text) throw new FrameError('a frame that is not canonical JSON')
  // In canonical JSON only a key looks like this. Readers of records leave it out in silence, and nothing may be left out.
  if (text.includes('"__proto__":')) throw new FrameError('a frame with a key that reaches for the prototype')
  return value
}

/** `ignoreBOM` keeps a byte order mark as a character, which then fails as JSON. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function strictUtf8(body: Buffer): string {
  try {
    return utf8.decode(body)
  } catch (cause) {
    throw new FrameError('a frame that is not UTF-8', { cause })
  }
}

/** Without recursion, so that depth itself cannot exhaust the stack. */
function depthExceeds(value: unknown, limit: number): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []))
  }
  return false
}
