import type { Socket } from 'node:net'
import type { FastifyRequest } from 'fastify'

/** The address of the socket's other end, never a header's word; an IPv4 address without its IPv6 clothes. */
export function clientAddress({ raw }: FastifyRequest): string {
  return peerAddress(raw.socket) ?? 'local'
}

/** undefined for the private socket. */
export function peerAddress({ remoteAddress }: Socket): string | undefined {
  return remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '')
}
