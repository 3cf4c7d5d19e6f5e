import type { FastifyRequest } from 'fastify'

/** The address of the socket's other end, never a header's word; an IPv4 address without its IPv6 clothes. */
export function clientAddress({ raw }: FastifyRequest): string {
  return (raw.socket.remoteAddress ?? 'local').replace(/^::ffff:(?=\d+\.)/, '')
}
