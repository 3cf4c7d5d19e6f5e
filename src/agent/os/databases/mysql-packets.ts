/**
 * The packets of the MySQL protocol that are needed to sign in over a unix socket and to ask one statement at a time
 * (MariaDB, Client/Server Protocol). What a server sends is bounded before it is read.
 */
import { longestPacket } from './session.ts'

const capabilities = { longPassword: 1, protocol41: 1 << 9, transactions: 1 << 13, secureConnection: 1 << 15 }
const pluginAuth = 1 << 19
const utf8mb4 = 45

/** Splits what comes into packets, and numbers what goes. */
export class Packets {
  #rest: Buffer = Buffer.alloc(0)
  #number = 0

  /** @returns the bodies that are complete now */
  take(chunk: Buffer): readonly Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const bodies: Buffer[] = []
    while (this.#rest.length >= 4) {
      const length = this.#rest.readUIntLE(0, 3)
      if (length > longestPacket) throw new Error(`a packet of ${length} bytes`)
      if (this.#rest.length < 4 + length) break
      this.#number = (this.#rest.readUInt8(3) + 1) % 256
      bodies.push(this.#rest.subarray(4, 4 + length))
      this.#rest = this.#rest.subarray(4 + length)
    }
    return bodies
  }

  answer(body: Buffer): Buffer {
    const head = Buffer.alloc(4)
    head.writeUIntLE(body.length, 0, 3)
    head.writeUInt8(this.#number, 3)
    return Buffer.concat([head, body])
  }

  /** The first one of a question. */
  ask(body: Buffer): Buffer {
    this.#number = 0
    return this.answer(body)
  }
}

/** Without CLIENT_MULTI_STATEMENTS and CLIENT_LOCAL_FILES: one statement is one, and no file is sent. */
export function signIn(name: string): Buffer {
  const { longPassword, protocol41, transactions, secureConnection } = capabilities
  const head = Buffer.alloc(32)
  head.writeUInt32LE((longPassword | protocol41 | transactions | secureConnection | pluginAuth) >>> 0, 0)
  head.writeUInt32LE(longestPacket, 4)
  head.writeUInt8(utf8mb4, 8)
  return Buffer.concat([head, Buffer.from(`${name}\0`), Buffer.from([0]), Buffer.from('mysql_native_password\0')])
}

export function query(text: string): Buffer {
  return Buffer.concat([Buffer.from([3]), Buffer.from(text)])
}

export type Kind = 'ok' | 'error' | 'end' | 'other'

export function kindOf(body: Buffer): Kind {
  switch (body[0]) {
    case 0x00:
      return 'ok'
    case 0xff:
      return 'error'
    case 0xfe:
      return body.length < 9 ? 'end' : 'other'
    default:
      return 'other'
  }
}

/** An error of the server: its number, and what it says without the SQL state. */
export function errorOf(body: Buffer): { readonly number: number; readonly text: string } {
  const text = body.subarray(3).toString('utf8')
  return { number: body.readUInt16LE(1), text: text.startsWith('#') ? text.slice(6) : text }
}

/** The columns of a row as texts. */
export function rowOf(body: Buffer): readonly (string | null)[] {
  const columns: (string | null)[] = []
  for (let at = 0; at < body.length; ) {
    if (body[at] === 0xfb) {
      columns.push(null)
      at++
      continue
    }
    const [length, start] = lengthAt(body, at)
    if (start + length > body.length) throw new Error('a row that is cut off')
    columns.push(body.toString('utf8', start, start + length))
    at = start + length
  }
  return columns
}

/** @returns the length, and where what is so long begins */
function lengthAt(body: Buffer, at: number): readonly [number, number] {
  switch (body.readUInt8(at)) {
    case 0xfc:
      return [body.readUInt16LE(at + 1), at + 3]
    case 0xfd:
      return [body.readUIntLE(at + 1, 3), at + 4]
    case 0xfe:
      throw new Error('a column of more than 16 MiB')
    default:
      return [body.readUInt8(at), at + 1]
  }
}
