/** The little of DNS messages (RFC 1035) that updates take (RFC 2136): one request, and the head of its answer. */

export interface TxtRecord {
  readonly name: string
  readonly text: string
}

/** `add` leaves others of the same name as they are, and so does `remove`. */
export interface Update {
  readonly id: number
  readonly zone: string
  readonly add: readonly TxtRecord[]
  readonly remove: readonly TxtRecord[]
}

export const classAny = 255
const [typeSoa, typeTxt] = [6, 16]
const [classIn, classNone] = [1, 254]
const opcodeUpdate = 5
/** Whoever looks too early asks again soon. */
const ttlSeconds = 60
export const headBytes = 12

/** Without a signature. */
export function updateMessage({ id, zone, add, remove }: Update): Buffer {
  const head = numbers(id, opcodeUpdate << 11, 1, 0, add.length + remove.length, 0)
  return Buffer.concat([
    head,
    nameBytes(zone),
    numbers(typeSoa, classIn),
    ...add.map((one) => record(one, classIn, ttlSeconds)),
    // of that name the one with that text alone (RFC 2136, 2.5.4)
    ...remove.map((one) => record(one, classNone, 0)),
  ])
}

/** Uncompressed and in lower case, as signatures count it (RFC 8945, 4.3.3). */
export function nameBytes(name: string): Buffer {
  const labels = name
    .toLowerCase()
    .split('.')
    .map((label) => Buffer.from(label, 'latin1'))
  if (labels.some(({ length }) => length < 1 || length > 63)) throw new Error(`"${name}" is no name of the DNS`)
  return Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), label]), Buffer.from([0])])
}

/** 16 bits each. */
export function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2)
  for (const [place, value] of values.entries()) bytes.writeUInt16BE(value, place * 2)
  return bytes
}

function record({ name, text }: TxtRecord, recordClass: number, ttl: number): Buffer {
  const content = Buffer.from(text, 'latin1')
  if (content.length > 255) throw new Error('a text of more than 255 bytes')
  const head = Buffer.alloc(10)
  head.writeUInt16BE(typeTxt, 0)
  head.writeUInt16BE(recordClass, 2)
  head.writeUInt32BE(ttl, 4)
  head.writeUInt16BE(content.length + 1, 8)
  return Buffer.concat([nameBytes(name), head, Buffer.from([content.length]), content])
}

export interface Answer {
  readonly id: number
  readonly isAnswer: boolean
  readonly code: number
  /** Records behind the last one that the head counts as no signature. */
  readonly last: RawRecord | undefined
}

export interface RawRecord {
  readonly start: number
  readonly name: string
  readonly type: number
  readonly data: Buffer
}

/** Throws a RangeError for what is no message. */
export function readAnswer(message: Buffer): Answer {
  const flags = message.readUInt16BE(2)
  let at = headBytes
  for (let zones = message.readUInt16BE(4); zones > 0; zones--) at = readName(message, at).end + 4
  let last: RawRecord | undefined
  const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10)
  for (let left = records; left > 0; left--) {
    const { name, end } = readName(message, at)
    const [type, length] = [message.readUInt16BE(end), message.readUInt16BE(end + 8)]
    const dataAt = end + 10
    if (dataAt + length > message.length) throw new RangeError('a record ends behind its message')
    last = { start: at, name, type, data: message.subarray(dataAt, dataAt + length) }
    at = dataAt + length
  }
  return { id: message.readUInt16BE(0), isAnswer: (flags & 0x8000) !== 0, code: flags & 0x0f, last }
}

/** @returns in lower case, and where the next thing begins */
export function readName(message: Buffer, from: number): { name: string; end: number } {
  const labels: string[] = []
  let at = from
  let end: number | undefined
  // each label or pointer takes a step: none of them leads round for ever
  for (let steps = 0; steps < 128; steps++) {
    const length = message.readUInt8(at)
    if (length === 0) return { name: labels.join('.'), end: end ?? at + 1 }
    if ((length & 0xc0) === 0xc0) {
      end ??= at + 2
      at = message.readUInt16BE(at) & 0x3fff
    } else if (length < 64) {
      if (at + 1 + length > message.length) throw new RangeError('a name ends behind its message')
      labels.push(message.toString('latin1', at + 1, at + 1 + length).toLowerCase())
      at += 1 + length
    } else throw new RangeError('a label of an unknown kind')
  }
  throw new RangeError('a name without an end')
}
