/** Clients that take their time, all at once and from the beginning of the run, so that nothing has to wait for them. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:tls'
import { limits } from '../../src/panel/http/limits.ts'
import type { Product } from '../support/product.ts'

export interface SlowEnd {
  readonly what: string
  /** null: still open when more than enough time was over. */
  readonly seconds: number | null
}

/** For a host that is busy; how late a limit is noticed is in the limits. */
const slackMs = 15_000
const { headersTimeout, requestTimeout, checkingInterval, idleTimeout, lingering } = limits
const headMs = headersTimeout + checkingInterval + lingering
const bodyMs = requestTimeout + checkingInterval + lingering

/** @param page something that is long enough to fill a connection when it is asked for again and again */
export function slowClients({ ports: { panel } }: Product, host: string, page: string): Promise<readonly SlowEnd[]> {
  const head = `Host: ${host}\r\n`
  const form = `POST /login HTTP/1.1\r\n${head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nemail=`
  const clients: readonly (readonly [what: string, allowedMs: number, begin: (socket: Socket) => void])[] = [
    ['nothing after the handshake', headMs, () => {}],
    ['half a head', headMs, (socket) => socket.write('GET / HTTP/1.1\r\nHost: x')],
    ['a head in drips', headMs, (socket) => drip(socket, `GET /login HTTP/1.1\r\n${head}X: `)],
    ['half a body', bodyMs, (socket) => socket.write(form)],
    ['a body in drips', bodyMs, (socket) => drip(socket, form)],
    ['silence after an answer', headMs, (socket) => socket.write(`GET /healthz HTTP/1.1\r\n${head}\r\n`)],
  ]
  return Promise.all([
    ...clients.map(([what, allowedMs, begin]) => ended(what, secure(panel), 'secureConnect', allowedMs, begin)),
    ended('no handshake', plain(panel), 'connect', headersTimeout, () => {}),
    ended('half a handshake', plain(panel), 'connect', headersTimeout, (socket) =>
      socket.write('\x16\x03\x01\x02\x00'),
    ),
    unread(panel, `GET ${page} HTTP/1.1\r\n${head}\r\n`),
  ])
}

/** Its own half stays open whatever the panel does: only whoever hangs up gets rid of it. */
const plain = (port: number) => connectTcp({ host: '127.0.0.1', port, allowHalfOpen: true })
const secure = (port: number) => connect({ socket: plain(port), rejectUnauthorized: false })

function ended(
  what: string,
  socket: Socket,
  ready: 'connect' | 'secureConnect',
  allowedMs: number,
  begin: (socket: Socket) => void,
): Promise<SlowEnd> {
  const { promise, resolve } = Promise.withResolvers<SlowEnd>()
  const began = performance.now()
  const end = (seconds: number | null) => {
    clearTimeout(timer)
    socket.destroy()
    resolve({ what, seconds })
  }
  const timer = setTimeout(() => end(null), allowedMs + slackMs)
  // What was hung up on is noticed by writing: the answer to a byte is a reset.
  const probe = setInterval(() => socket.readableEnded && socket.write('x'), 500)
  socket.on('error', () => {}) // 'close' follows
  socket.on('close', () => {
    clearInterval(probe)
    end((performance.now() - began) / 1000)
  })
  socket.resume()
  socket.on(ready, () => begin(socket))
  return promise
}

function drip(socket: Socket, text: string): void {
  socket.write(text)
  const timer = setInterval(() => socket.write('x'), 500)
  socket.once('close', () => clearInterval(timer))
}

/**
 * Asks often and reads nothing. Whoever does not read does not learn that it was hung up on, so the panel's own socket is
 * looked for: it has to be there with something to send, and then to be gone.
 */
async function unread(port: number, request: string): Promise<SlowEnd> {
  const what = 'answers that nobody reads'
  for (let tries = 0; tries < 5; tries++) {
    const socket = await askedInVain(port, request)
    const began = performance.now()
    let hasWaited = false
    for (let ms = 0; ms < 2 * idleTimeout + slackMs; ms = performance.now() - began) {
      const held = heldBy(port, Number(socket.localPort))
      hasWaited ||= held !== null && held.unsent > 0
      if (held === null) break
      await pause(500)
    }
    const seconds = (performance.now() - began) / 1000
    const isHeld = heldBy(port, Number(socket.localPort)) !== null
    socket.destroy()
    if (hasWaited) return { what, seconds: isHeld ? null : seconds }
    if (isHeld) break
  }
  return { what: `${what}: everything was taken`, seconds: null }
}

/**
 * One request after the other. What comes while Node's parser rests ends the connection at once (HPE_PAUSED), as it does
 * on a busy machine: then nothing is known of answers that wait, and it is tried again.
 */
async function askedInVain(port: number, request: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
  socket.on('error', () => {}) // 'close' follows
  await once(socket, 'secureConnect')
  socket.pause()
  for (let asked = 0; asked < 200; asked++) {
    socket.write(request)
    await pause(25)
  }
  return socket
}

/** The panel's end of a connection, as the kernel has it; null once no process has it. See proc_net_tcp of the kernel's documentation. */
function heldBy(port: number, client: number): { readonly unsent: number } | null {
  const hex = (number: number) => number.toString(16).toUpperCase().padStart(4, '0')
  const [own, other] = [`:${hex(port)}`, `:${hex(client)}`]
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'utf8').split('\n')) {
      const [, local = '', remote = '', , queues = '', , , , , inode = '0'] = line.trim().split(/ +/)
      if (!local.endsWith(own) || !remote.endsWith(other) || inode === '0') continue
      return { unsent: Number.parseInt(queues.split(':')[0] ?? '0', 16) }
    }
  }
  return null
}
