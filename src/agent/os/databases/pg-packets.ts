/**
 * The messages of PostgreSQL's protocol (Frontend/Backend Protocol, version 3.0) that are needed to sign in over a unix
 * socket and to ask one statement at a time. What a server sends is bounded before it is read.
 */
import { longestPacket } from './session.ts'

/** Splits what comes into messages: one byte of their kind, and the body. */
export class Messages {
  #rest: Buffer = Buffer.alloc(0)

  /** @returns the messages that are complete now, without their length */
  take(chunk: Buffer): readonly Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const whole: Buffer[] = []
    while (this.#rest.length >= 5) {
      const length = this.#rest.readUInt32BE(1) // itself included
      if (length < 4 || length > longestPacket) throw new Error(`a message of ${length} bytes`)
      if (this.#rest.length < 1 + length) break
      whole.push(Buffer.concat([this.#rest.subarray(0, 1), this.#rest.subarray(5, 1 + length)]))
      this.#rest = this.#rest.subarray(1 + length)
    }
    return whole
  }
}

const protocol3 = 196608

export function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const words = Object.entries(parameters).flatMap(([name, value]) => [text(name), text(value)])
  return withLength(Buffer.concat([int32(protocol3), ...words, Buffer.from([0])]))
}

/** By the extended query, which takes one statement: several in one text are refused by the server. */
export function query(sql: string): Buffer {
  const none = Buffer.alloc(2) // of parameters, formats and what else is counted
  return Buffer.concat([
    message('P', text(''), text(sql), none),
    message('B', text(''), text(''), none, none, none),
    message('E', text(''), int32(0)),
    message('S'),
  ])
}

export function kindOf(whole: Buffer): string {
  return whole.toString('latin1', 0, 1)
}

/** What an error says: its code, and the message without details and places. */
export function errorOf(whole: Buffer): { readonly code: string; readonly text: string } {
  const fields = new Map<string, string>()
  for (const field of whole.toString('utf8', 1).split('\0')) fields.set(field.charAt(0), field.slice(1))
  return { code: fields.get('C') ?? '', text: fields.get('M') ?? '' }
}

/** The columns of a row as texts. */
export function rowOf(whole: Buffer): readonly (string | null)[] {
  const count = whole.readInt16BE(1)
  const columns: (string | null)[] = []
  let at = 3
  for (let index = 0; index < count; index++) {
    const length = whole.readInt32BE(at)
    at += 4
    if (length < -1 || at + length > whole.length) throw new Error('a row that is cut off')
    columns.push(length === -1 ? null : whole.toString('utf8', at, at + length))
    at += Math.max(length, 0)
  }
  return columns
}

/** Way to sign in that is asked for; 0: none, who we are was seen on the socket. */
export function wayOf(whole: Buffer): number {
  return whole.readInt32BE(1)
}

function message(kind: string, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(kind, 'latin1'), withLength(Buffer.concat(parts))])
}

function withLength(body: Buffer): Buffer {
  return Buffer.concat([int32(4 + body.length), body])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** A NUL would end it early. */
function text(value: string): Buffer {
  if (value.includes('\0')) throw new Error('a text with NUL')
  return Buffer.from(`${value}\0`)
}
