/** Signatures of DNS messages by a shared key (TSIG, RFC 8945). */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { classAny, headBytes, nameBytes, numbers, type RawRecord, readAnswer, readName } from './message.ts'
import type { Algorithm } from './schema.ts'

export interface TsigKey {
  readonly name: string
  readonly algorithm: Algorithm
  readonly secret: Buffer
}

export interface SignedMessage {
  readonly bytes: Buffer
  readonly mac: Buffer
}

const typeTsig = 250
/** Seconds that the clocks may differ. */
const fudge = 300

/** @param at seconds since 1970 */
export function signMessage(message: Buffer, key: TsigKey, at: number): SignedMessage {
  const id = message.readUInt16BE(0)
  const time = bytesOfTime(at)
  const mac = macOf(key, [message, variables(key, { time, fudge, error: 0, other: Buffer.alloc(0) })])
  const data = Buffer.concat([
    nameBytes(key.algorithm),
    time,
    numbers(fudge, mac.length),
    mac,
    numbers(id, 0, 0), // no error, and nothing else
  ])
  const head = Buffer.concat([nameBytes(key.name), numbers(typeTsig, classAny, 0, 0, data.length)])
  const bytes = Buffer.concat([message, head, data])
  bytes.writeUInt16BE(message.readUInt16BE(10) + 1, 10)
  return { bytes, mac }
}

/** What an answer's signature says. `isTrue`: made by this key, for the answer to that request. */
export interface Judged {
  readonly isTrue: boolean
  /** Of TSIG (RFC 8945, 3); 0: none. */
  readonly error: number
  /** Seconds since 1970 at the server, where it says that the clocks differ. */
  readonly serverTime: number | null
}

/** Throws a RangeError for what is no message. @param at seconds since 1970 */
export function judgeAnswer(message: Buffer, key: TsigKey, request: Pick<SignedMessage, 'mac'>, at: number): Judged {
  const { last } = readAnswer(message)
  if (last?.type !== typeTsig) return { isTrue: false, error: 0, serverTime: null }
  const tsig = readTsig(last)
  const unsigned = Buffer.from(message.subarray(0, last.start))
  unsigned.writeUInt16BE(message.readUInt16BE(10) - 1, 10)
  unsigned.writeUInt16BE(tsig.originalId, 0)
  const wanted = macOf(key, [numbers(request.mac.length), request.mac, unsigned, variables(key, tsig)])
  const isOurs = last.name === key.name.toLowerCase() && tsig.algorithm === key.algorithm
  const isMade = tsig.mac.length === wanted.length && timingSafeEqual(tsig.mac, wanted)
  const time = tsig.time.readUIntBE(0, 6)
  return {
    isTrue: isOurs && isMade && (tsig.error !== 0 || Math.abs(time - at) <= tsig.fudge),
    error: tsig.error,
    serverTime: tsig.other.length === 6 ? tsig.other.readUIntBE(0, 6) : null,
  }
}

interface Variables {
  readonly time: Buffer
  readonly fudge: number
  readonly error: number
  readonly other: Buffer
}

/** RFC 8945, 4.3.3. */
function variables(key: TsigKey, { time, fudge, error, other }: Variables): Buffer {
  const ttl = numbers(0, 0)
  const parts = [nameBytes(key.name), numbers(classAny), ttl, nameBytes(key.algorithm), time]
  return Buffer.concat([...parts, numbers(fudge, error, other.length), other])
}

function macOf({ algorithm, secret }: TsigKey, parts: readonly Buffer[]): Buffer {
  const mac = createHmac(algorithm.replace('hmac-', ''), secret)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

function bytesOfTime(at: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(at, 0, 6)
  return bytes
}

/** Its names are not compressed (RFC 8945, 4.2). */
function readTsig({ data }: RawRecord) {
  const { name: algorithm, end } = readName(data, 0)
  const macLength = data.readUInt16BE(end + 8)
  const macAt = end + 10
  const after = macAt + macLength
  const otherLength = data.readUInt16BE(after + 4)
  if (after + 6 + otherLength > data.length || data.length < headBytes) throw new RangeError('a signature is cut off')
  return {
    algorithm,
    time: data.subarray(end, end + 6),
    fudge: data.readUInt16BE(end + 6),
    mac: data.subarray(macAt, after),
    originalId: data.readUInt16BE(after),
    error: data.readUInt16BE(after + 2),
    other: data.subarray(after + 6, after + 6 + otherLength),
  }
}
