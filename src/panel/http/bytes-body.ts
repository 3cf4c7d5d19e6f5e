/** A file as an answer: the browser saves it, and takes nothing of it for a page of the panel (threats §4, V5). */
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'

const Bytes = z.object({ name: z.string(), size: z.int(), bytes: z.instanceof(Readable) })

/** @param value answer of an operation whose `bytes` is `answer` */
export function sendBytes(reply: FastifyReply, value: unknown): FastifyReply {
  const { name, size, bytes } = Bytes.parse(value)
  return reply
    .type('application/octet-stream')
    .header('content-length', size)
    .header('content-disposition', saved(name))
    .send(bytes)
}

/** RFC 6266: the name as text for all browsers there are, and without its odd characters for others. */
function saved(name: string): string {
  const plain = name.replace(/[^ -~]|["\\%]/g, '_')
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
