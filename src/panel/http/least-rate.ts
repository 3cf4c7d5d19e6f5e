/**
 * A client that reads slowly holds its answer in the panel's memory. While something waits to be sent, it has to be taken at
 * a least rate, counted from the moment at which nothing waited any more: what the kernel has taken at once is to its credit.
 */
import type { Server, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { isRecord } from '../../contract/fields.ts'

export interface LeastRate {
  readonly bytesPerSecond: number
  /** For so long it may be slower. */
  readonly graceMs: number
  /** How often it is looked at. */
  readonly everyMs: number
}

interface Connection {
  readonly socket: Socket
  /** Where answers are written to: TLS above the socket, or the socket itself. */
  readonly front: Socket
  /** When nothing waited any more, and what had been taken by then. */
  readonly since: number
  readonly taken: number
}

/** Hangs up on clients that read more slowly; root's private socket has no such limit. */
export function demandLeastRate(server: Server, { bytesPerSecond, graceMs, everyMs }: LeastRate): void {
  const connections = new Map<string, Connection>()

  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket)
    if (peer === null) return
    connections.set(peer, { socket, front: socket, since: performance.now(), taken: 0 })
    socket.once('close', () => connections.delete(peer))
  })
  server.on('secureConnection', (front: TLSSocket) => {
    const peer = peerOf(front)
    const known = peer === null ? undefined : connections.get(peer)
    if (peer !== null && known !== undefined) connections.set(peer, { ...known, front })
  })

  function look(): void {
    const now = performance.now()
    for (const [peer, { socket, front, since, taken: before }] of connections) {
      const { queued, taken } = kernelsView(socket)
      if (queued === 0 && front.writableLength === 0) connections.set(peer, { socket, front, since: now, taken })
      else if (now - since > graceMs && (taken - before) * 1000 < bytesPerSecond * (now - since)) front.destroy()
    }
  }

  const timer = setInterval(look, everyMs).unref()
  server.once('close', () => clearInterval(timer))
}

/** No two connections to one port have the same; null for a socket of this machine alone. */
function peerOf({ remoteAddress, remotePort }: Socket): string | null {
  return remoteAddress === undefined ? null : `${remoteAddress} ${remotePort}`
}

/**
 * Bytes that the kernel has taken, and that are on their way to it. Node says both of its handle alone: the length of its queue
 * falls while a single long write goes on (`Socket.prototype._onTimeout` of Node's `lib/net.js` tells by it whether one does).
 */
function kernelsView(socket: Socket): { readonly queued: number; readonly taken: number } {
  const handle: unknown = Reflect.get(socket, '_handle')
  const { writeQueueSize, bytesWritten } = isRecord(handle) ? handle : {}
  if (typeof writeQueueSize !== 'number' || typeof bytesWritten !== 'number') return { queued: 0, taken: 0 }
  return { queued: writeQueueSize, taken: bytesWritten - writeQueueSize }
}
