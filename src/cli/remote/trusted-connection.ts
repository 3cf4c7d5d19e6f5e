/**
 * A TLS connection to a panel whose certificate is vouched for by an authority, or is the one that a person has compared.
 * Not a byte is sent before that is known.
 */
import { once } from 'node:events'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { WcpError } from '../../contract/errors.ts'
import type { ServerAddress } from './server-address.ts'

const connectMs = 15_000

export interface Certificate {
  /** `AB:CD:…`, SHA-256. */
  readonly fingerprint: string
  /** Null when an authority vouches for it, else what is wrong. */
  readonly problem: string | null
}

/** @throws `unavailable`; `forbidden` when nobody vouches for the certificate and it is not the pinned one */
export async function trustedConnection(server: ServerAddress, pin: string | null): Promise<TLSSocket> {
  const socket = await connected(server)
  const { fingerprint, problem } = certificateOf(socket)
  if (problem === null || (pin !== null && sameFingerprint(pin, fingerprint))) return socket
  socket.destroy()
  const known = pin === null ? problem : 'it is another one than before'
  throw new WcpError('forbidden', `Cannot trust the certificate of ${server.origin}: ${known}`, {
    help: `Its fingerprint is ${fingerprint}. Compare it on the server, then run "wcp login --server ${server.origin}".`,
  })
}

/** The certificate that the server shows, whoever vouches for it. */
export async function certificateAt(server: ServerAddress): Promise<Certificate> {
  const socket = await connected(server)
  try {
    return certificateOf(socket)
  } finally {
    socket.destroy()
  }
}

/** In any case, with or without colons. */
export function sameFingerprint(one: string, other: string): boolean {
  const plain = (text: string) => text.replaceAll(':', '').toLowerCase()
  return plain(one) === plain(other)
}

async function connected({ origin, hostname, port }: ServerAddress): Promise<TLSSocket> {
  const socket = connect({
    host: hostname,
    port,
    ...(isIP(hostname) === 0 && { servername: hostname }), // RFC 6066 §3: no address
    minVersion: 'TLSv1.2',
    rejectUnauthorized: false, // judged by who asked for the connection, before anything is sent
  })
  socket.setTimeout(connectMs, () => socket.destroy(new Error(`no answer in ${connectMs / 1000} s`)))
  try {
    await once(socket, 'secureConnect')
  } catch (cause) {
    throw new WcpError('unavailable', `Cannot reach ${origin}`, {
      cause,
      help: `Check the address and the network (${cause instanceof Error ? cause.message : String(cause)}).`,
    })
  }
  socket.setTimeout(0)
  return socket
}

function certificateOf(socket: TLSSocket): Certificate {
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256
  if (fingerprint === undefined) throw new WcpError('unavailable', 'Cannot trust a server without a certificate')
  if (socket.authorized) return { fingerprint, problem: null }
  const { authorizationError: error } = socket
  return { fingerprint, problem: error instanceof Error ? error.message : String(error) }
}
