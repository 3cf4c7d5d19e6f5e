/**
 * Has a name server change records of a zone (RFC 2136), by a signed message over TCP, and reads its signed answer. What it
 * did not do is said in words that name the remedy.
 */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { serverAddress } from '../../lib/server-address.ts'
import { numbers, readAnswer, type TxtRecord, updateMessage } from './message.ts'
import { type Judged, judgeAnswer, signMessage, type TsigKey } from './tsig.ts'

export interface Change {
  /** The first that can be reached is asked. */
  readonly servers: readonly string[]
  readonly zone: string
  readonly key: TsigKey
  readonly add?: readonly TxtRecord[]
  readonly remove?: readonly TxtRecord[]
  readonly signal: AbortSignal
  readonly timeoutMs?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** The name server did not do it. Its message is for people. */
export class UpdateRefused extends Error {
  override readonly name = 'UpdateRefused'
  /** It may have done it all the same: nobody heard of it. */
  readonly isUncertain: boolean
  constructor(message: string, { isUncertain = false } = {}) {
    super(message)
    this.isUncertain = isUncertain
  }
}

const defaultTimeoutMs = 10_000
const longestAnswer = 4096
const uncertain = { isUncertain: true }
const [badSignature, badKey, badTime] = [16, 17, 18]
const [notAuthoritative, notAuthorized] = [10, 9]
const unreachable = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EADDRNOTAVAIL', 'ECONNRESET']

/** Throws `UpdateRefused`. */
export async function sendUpdate(change: Change): Promise<void> {
  let failure: unknown
  for (const server of change.servers) {
    try {
      return await askServer(server, change)
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      failure ??= error
    }
  }
  throw failure
}

/** The next address may lead to it. */
class Unreachable extends UpdateRefused {
  constructor(message: string) {
    super(message, { isUncertain: true })
  }
}

async function askServer(server: string, change: Change): Promise<void> {
  const { zone, key, add = [], remove = [], now = Date.now } = change
  const message = updateMessage({ id: randomInt(65_536), zone, add, remove })
  const request = signMessage(message, key, Math.floor(now() / 1000))
  const answer = await exchange(server, request.bytes, change)
  let read: ReturnType<typeof readAnswer>
  let judged: Judged
  try {
    read = readAnswer(answer)
    judged = judgeAnswer(answer, key, request, Math.floor(now() / 1000))
  } catch {
    throw new UpdateRefused(`${server} answers with something else than a DNS message.`, uncertain)
  }
  if (!read.isAnswer || read.id !== message.readUInt16BE(0))
    throw new UpdateRefused(`${server} answers with something else than asked.`, uncertain)
  const problem = problemOf(read.code, judged, { server, zone, key, now: now() })
  if (problem !== null) throw new UpdateRefused(problem, { isUncertain: read.code === 0 })
}

/** Also for who can only be told so by somebody in between: a refusal is believed without a signature, a success is not. */
function problemOf(
  code: number,
  { isTrue, error, serverTime }: Judged,
  { server, zone, key, now }: { server: string; zone: string; key: TsigKey; now: number },
): string | null {
  if (error === badKey)
    return `${server} does not know the key "${key.name}" for ${key.algorithm}, or lets it change nothing here (BADKEY): compare name, algorithm and rights with those at the name server.`
  if (error === badSignature)
    return `${server} finds the signature of the key "${key.name}" wrong (BADSIG): its secret is another one there.`
  if (error === badTime) {
    const there = serverTime === null ? '' : `, there it is ${isoTime(serverTime * 1000)}`
    return `The clocks of this machine and of ${server} differ too much (BADTIME): here it is ${isoTime(now)}${there}.`
  }
  if (error !== 0) return `${server} does not take the signature (TSIG error ${error}).`
  if (code === notAuthorized) return `${server} does not serve the zone ${zone}, or lets nobody change it (NOTAUTH).`
  if (code === notAuthoritative) return `${server} says that the name is not in the zone ${zone} (NOTZONE).`
  if (code === 5) return `${server} does not let the key "${key.name}" change this record of ${zone} (REFUSED).`
  if (code === 4) return `${server} takes no updates (NOTIMP).`
  if (code === 2) return `${server} has failed (SERVFAIL): its log tells why.`
  if (code !== 0) return `${server} does not do it (DNS error ${code}).`
  return isTrue ? null : `${server} answers without a right signature: nobody knows whether it did anything.`
}

/** Over TCP, where nobody can answer in its place without being in between. */
async function exchange(server: string, message: Buffer, { signal, timeoutMs = defaultTimeoutMs }: Change) {
  const address = serverAddress(server)
  if (address === null) throw new Error(`"${server}" is no address`)
  const limit = AbortSignal.timeout(timeoutMs)
  const socket = connect({ ...address, signal: AbortSignal.any([signal, limit]) })
  socket.on('error', () => {})
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, limit]) })
    socket.write(Buffer.concat([numbers(message.length), message]))
    let got = Buffer.alloc(0)
    for await (const part of socket) {
      got = Buffer.concat([got, part])
      const length = got.length < 2 ? undefined : got.readUInt16BE(0)
      if (length !== undefined && length > longestAnswer)
        throw new UpdateRefused(`${server} answers with more than ${longestAnswer} bytes.`, uncertain)
      if (length !== undefined && got.length >= length + 2) return got.subarray(2, length + 2)
    }
    throw new UpdateRefused(`${server} closes the connection without an answer.`, uncertain)
  } catch (error) {
    if (signal.aborted || error instanceof UpdateRefused) throw error
    if (limit.aborted) throw new Unreachable(`${server} does not answer within ${timeoutMs / 1000} seconds (TCP).`)
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const why = `${server} cannot be reached over TCP (${code || 'no connection'}).`
    throw unreachable.includes(code) ? new Unreachable(why) : new UpdateRefused(why, uncertain)
  } finally {
    socket.destroy()
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19)
}
