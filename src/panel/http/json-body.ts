/** Calls of the API that are no operation: the body by its schema, the answer as JSON. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { badInput } from '../operations/field-errors.ts'

/** @throws WcpError `bad_input` that names the field */
export function readBody<T extends z.ZodObject>(schema: T, { body }: FastifyRequest): z.output<T> {
  const parsed = schema.safeParse(body ?? {})
  if (!parsed.success) throw badInput(parsed.error, body ?? {}, Object.keys(schema.shape))
  return parsed.data
}

export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(value))
}
