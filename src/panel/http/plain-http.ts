/**
 * A visitor who types the panel's address without "https://" speaks HTTP to the port of TLS. The first byte tells: a TLS
 * record of a handshake begins with 22 (RFC 8446, 5.1). Whoever speaks HTTP is led to the right address, or told in a line;
 * nothing of such a request is acted upon. It goes on counting as a connection until it is hung up.
 */
import type { Server } from 'node:https'
import type { Socket } from 'node:net'

export interface PlainHttp {
  /** A redirect names the host that the visitor has asked for, so it must be one of the panel's. */
  acceptsHost(host: string): boolean
  /** Milliseconds to the first byte; the handshake has a limit of its own. */
  readonly firstByteMs: number
  /** Milliseconds in which the answer may be read. */
  readonly lingeringMs: number
}

const handshake = 22

/** For a server that has no other listeners of connections yet than those of TLS itself. */
export function answerPlainHttp(server: Server, rules: PlainHttp): void {
  const speakTls = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const hangUp = () => socket.destroy()
    const patience = setTimeout(hangUp, rules.firstByteMs)
    socket.once('close', () => clearTimeout(patience))
    socket.on('error', () => {}) // 'close' follows
    socket.once('end', hangUp)
    socket.once('data', (first: Buffer) => {
      clearTimeout(patience)
      socket.pause()
      if (first[0] !== handshake) return answer(socket, first.toString('latin1'), rules)
      socket.off('end', hangUp)
      socket.unshift(first)
      for (const listener of speakTls) listener.call(server, socket)
    })
  })
}

function answer(socket: Socket, head: string, { acceptsHost, lingeringMs }: PlainHttp): void {
  const target = /^(?:GET|HEAD) (\/[!-~]{0,2000}) HTTP\/1\.[01]\r\n/.exec(head)?.[1]
  const host = /\r\nhost:[ \t]*([!-~]{1,260})[ \t]*\r\n/i.exec(head)?.[1]
  // A program that calls the API has sent its key in the clear: it is to fail, not to be led on (ASVS 4.1.2).
  const isPage = target !== undefined && !/^\/+api(?:[/?]|$)/i.test(target)
  const location = isPage && host !== undefined && acceptsHost(host) ? `https://${host}${target}` : undefined
  const text = 'This port speaks HTTPS: use an address that begins with https://\n'
  const lines = [
    location === undefined ? 'HTTP/1.1 400 Bad Request' : 'HTTP/1.1 307 Temporary Redirect',
    ...(location === undefined ? [] : [`Location: ${location}`]),
    'Content-Type: text/plain',
    `Content-Length: ${text.length}`,
    'Cache-Control: no-store',
    'Connection: close',
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`)
  socket.resume() // what comes besides is thrown away: unread, it would have the answer thrown away
  const hangUp = setTimeout(() => socket.destroy(), lingeringMs)
  socket.once('close', () => clearTimeout(hangUp))
}
