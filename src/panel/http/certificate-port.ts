/**
 * The port that asks for a certificate: the same panel, behind a TLS server of its own, because a browser that is asked
 * for one puts a question to its user (RFC 8446, 4.3.2), and nobody who has none should ever see it.
 *
 * Any certificate is let through the handshake, which proves that the visitor has its key; what it is worth is for the
 * sign-in to say. Each connection proves it anew: none is resumed, and none is negotiated a second time.
 */
import { constants, type X509Certificate } from 'node:crypto'
import type { Server } from 'node:https'
import { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import { keyFingerprint } from '../../resources/client-certificate/read-certificate.ts'
import { httpsServer, type PanelServer, setTls, type TlsFiles } from './server.ts'

const secureOptions = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION

export interface CertificatePort {
  readonly raw: Server
  /** For the next connections. */
  setTls(files: TlsFiles): void
}

export function certificatePort(panel: PanelServer, tls: TlsFiles): CertificatePort {
  const server = httpsServer(tls, { requestCert: true, rejectUnauthorized: false, secureOptions })
  server.on('request', (request, response) => panel.raw.emit('request', request, response))
  server.on('clientError', (error, socket) => panel.raw.emit('clientError', error, socket))
  return { raw: server, setTls: (files) => setTls(server, files, { secureOptions }) }
}

/** The certificate that the connection of this request has shown; undefined on the port that does not ask. */
export function shownCertificate({ raw }: FastifyRequest): X509Certificate | undefined {
  return raw.socket instanceof TLSSocket ? raw.socket.getPeerX509Certificate() : undefined
}

/** See `keyFingerprint`; null where no certificate was shown, or one whose key nobody can read. */
export function shownKey(request: FastifyRequest): string | null {
  try {
    const certificate = shownCertificate(request)
    return certificate === undefined ? null : keyFingerprint(certificate.publicKey)
  } catch {
    return null
  }
}

/** Under the name by which the visitor came, which the door has judged. */
export function certificateUrl({ headers }: FastifyRequest, port: number): string {
  const url = new URL(`https://${headers.host}`)
  url.port = String(port)
  return url.origin
}
