/**
 * The body of a request as bytes that are taken one piece after another, as fast as they are wanted; nothing of it is kept. Node
 * ends every request after a time; those that bring bytes go on for as long as enough of them come.
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { WcpError } from '../../contract/errors.ts'
import { sizeText } from '../../lib/size-text.ts'
import { limits } from './limits.ts'

export interface UploadLimits {
  readonly mostBytes: number
  /** Those that came last count: no haste of before makes up for a stop of longer than `graceMs`. */
  readonly leastRate: { readonly bytesPerSecond: number; readonly graceMs: number }
}

export const uploadLimits: UploadLimits = { mostBytes: limits.uploadBody, leastRate: limits.leastRate }

const taking = new WeakSet<Socket>()

/** Whether bytes are taken from it, so that Node's time for a whole request does not count. */
export function isTakenFrom(socket: Socket): boolean {
  return taking.has(socket)
}

/**
 * @param digest the `Content-Digest` that the body has to have
 * @returns whoever reads it learns what is wrong with it, in place of its end
 */
export function uploadBody(incoming: IncomingMessage, bounds = uploadLimits, digest?: string): Readable {
  taking.add(incoming.socket)
  const bytes = Readable.from(piecesOf(incoming, bounds, digest), { objectMode: false })
  return bytes.on('error', () => {}) // told to whoever reads
}

/**
 * What is still on its way when the answer is given is let pass for a moment, so that a client which listens can read the answer.
 * Then it is hung up.
 */
export function hangUpAfter(incoming: IncomingMessage, answer: ServerResponse): void {
  const { socket } = incoming
  const isKept = answer.shouldKeepAlive
  answer.shouldKeepAlive = true // else Node hangs up at once, and who is still sending reads no answer
  const done = () => {
    if (!isKept) socket.destroySoon()
  }
  answer.once('finish', () => {
    taking.delete(socket)
    if (incoming.complete) return done()
    incoming.removeAllListeners('readable') // whoever has read it has left
    setImmediate(() => incoming.resume())
    const hangUp = setTimeout(() => socket.destroy(), limits.lingering)
    for (const end of ['end', 'close']) incoming.once(end, () => clearTimeout(hangUp))
    incoming.once('end', done)
  })
}

async function* piecesOf(
  incoming: IncomingMessage,
  { mostBytes, leastRate }: UploadLimits,
  digest?: string,
): AsyncGenerator<Buffer> {
  const tooLarge = new WcpError('too_large', `Cannot take the file: it is larger than ${sizeText(mostBytes)}`, {
    help: 'Use SFTP for files of this size.',
  })
  if (Number(incoming.headers['content-length'] ?? 0) > mostBytes) throw tooLarge
  const pieces: AsyncIterator<Buffer> = incoming.iterator({ destroyOnReturn: false })
  const hash = digest === undefined ? null : createHash('sha256')
  let taken = 0
  let patience = leastRate.graceMs
  try {
    for (;;) {
      const began = performance.now()
      const { done, value } = await inTime(patience, pieces.next())
      if (done) break
      taken += value.length
      if (taken > mostBytes) throw tooLarge
      const earned = (value.length * 1000) / leastRate.bytesPerSecond
      patience = Math.min(leastRate.graceMs, patience - (performance.now() - began) + earned)
      hash?.update(value)
      yield value
    }
  } finally {
    void pieces.return?.() // somebody else may read on
  }
  if (hash !== null && digest !== `sha-256=:${hash.digest('base64')}:`)
    throw new WcpError('malformed', 'Cannot accept the body: it is not the one of Content-Digest, as sha-256')
}

async function inTime<T>(ms: number, next: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const tooSlow = () => late.reject(new WcpError('malformed', 'Cannot read the body: it comes too slowly'))
  const timer = setTimeout(tooSlow, Math.max(0, ms))
  const broken = (cause: unknown) => {
    throw new WcpError('malformed', 'Cannot read the body: the connection broke off', { cause })
  }
  try {
    return await Promise.race([next.catch(broken), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
