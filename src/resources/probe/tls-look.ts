/** A site over HTTPS, by the web server of this machine: its handshake, the certificate that it shows, and its answer. */
import { checkServerIdentity, connect, type TLSSocket } from 'node:tls'
import { type HeadAnswer, headOf, headRequest } from './http-line.ts'
import type { ProbedTls } from './schema.ts'

const address = '127.0.0.1'
const handshakeMs = 5000

export interface TlsLook {
  readonly tls: Omit<ProbedTls, 'at'>
  readonly answer: HeadAnswer
}

export async function lookOverTls(host: string, port: number, now: number): Promise<TlsLook> {
  const begun = performance.now()
  // whose certificate it is, is looked at by itself
  const socket = connect({ host: address, port, servername: host, rejectUnauthorized: false })
  socket.on('error', () => {}) // "close" follows
  try {
    if (!(await isSecure(socket)))
      return { tls: { state: 'failed', validTo: null, ms: null }, answer: { failure: 'closed' } }
    const tls = { ...shownBy(socket, host, now), ms: Math.ceil(performance.now() - begun) }
    socket.write(headRequest(host))
    return { tls, answer: await headOf(socket, begun) }
  } finally {
    socket.destroy()
  }
}

function isSecure(socket: TLSSocket): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => end(false), handshakeMs)
    const end = (isDone: boolean) => {
      clearTimeout(timer)
      resolve(isDone)
    }
    socket.once('secureConnect', () => end(true))
    socket.once('close', () => end(false))
  })
}

function shownBy(socket: TLSSocket, host: string, now: number): Pick<ProbedTls, 'state' | 'validTo'> {
  const certificate = socket.getPeerCertificate()
  const until = Date.parse(certificate.valid_to)
  if (Number.isNaN(until)) return { state: 'failed', validTo: null }
  const validTo = new Date(until).toISOString()
  if (until <= now) return { state: 'expired', validTo }
  const isNamed = checkServerIdentity(host, certificate) === undefined
  return { state: isNamed ? 'valid' : 'other_names', validTo }
}
