/** The answer to HTTP without TLS on the port of TLS: OpenSSL tells such a request from others by its first word. */
import type { Server } from 'node:https'
import { Socket } from 'node:net'

const text = 'This port speaks HTTPS: use an address that begins with https://\n'
const answer = [
  'HTTP/1.1 400 Bad Request',
  'Content-Type: text/plain',
  `Content-Length: ${text.length}`,
  'Cache-Control: no-store',
  'Connection: close',
  '',
  text,
].join('\r\n')

/** Every failed handshake ends its connection; nothing of what came is acted upon. */
export function endFailedHandshakes(server: Server): void {
  server.on('tlsClientError', (error: Error & { code?: string }, front) => {
    // Past TLS, whose own side has no keys to say anything with.
    const below: unknown = Reflect.get(front, '_parent')
    if (error.code === 'ERR_SSL_HTTP_REQUEST' && below instanceof Socket && below.writable) below.write(answer)
    front.destroy() // after what the kernel has taken
  })
}
