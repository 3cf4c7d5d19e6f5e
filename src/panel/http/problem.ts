/** Errors as answers: problem documents for programs, the same words as a page for people. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, WcpError } from '../../contract/errors.ts'
import { storeTrouble } from '../../store/store-trouble.ts'

/** Errors that Fastify and Node report before a handler runs, in our words. */
const knownFaults: Readonly<Record<string, { code: ErrorCode; message: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'too_large', message: 'Cannot accept the request: its body is too large' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'malformed',
    message: 'Cannot read the body: send application/json, or a file as application/octet-stream',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'malformed', message: 'Cannot read the body: its length is wrong' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'malformed', message: 'Cannot read the body: it is empty' },
  FST_ERR_BAD_URL: { code: 'malformed', message: 'Cannot read the address: it is not well-formed' },
  FST_ERR_MAX_PARAM_LENGTH: { code: 'not_found', message: 'Cannot find this address' },
  FST_ERR_HANDLER_TIMEOUT: { code: 'unavailable', message: 'Cannot finish the request in time' },
}

export function toWcpError(error: FastifyError | Error): WcpError {
  if (error instanceof WcpError) return error
  const trouble = storeTrouble(error)
  if (trouble) return trouble
  const code = 'code' in error ? String(error.code) : ''
  const known = knownFaults[code]
  if (known) return new WcpError(known.code, known.message, { cause: error })
  const status = 'statusCode' in error ? Number(error.statusCode) : 500
  if (status >= 400 && status < 500) return new WcpError('malformed', 'Cannot read the request', { cause: error })
  return new WcpError('internal', 'Cannot finish the request', { cause: error })
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: WcpError): FastifyReply {
  return errorHeaders(reply, error)
    .type('application/problem+json')
    .send(JSON.stringify({ ...error.toProblem(), instance: `urn:wcp360:request:${request.id}` }))
}

/** Status and headers that belong to the error, whatever its body is. */
export function errorHeaders(reply: FastifyReply, error: WcpError): FastifyReply {
  const wait = error.details.retryAfterSeconds ?? (error.code === 'unavailable' ? 5 : undefined)
  if (wait !== undefined) reply.header('retry-after', String(wait))
  if (error.code === 'not_signed_in') reply.header('www-authenticate', 'Bearer realm="wcp360", Cookie realm="wcp360"')
  return reply.code(error.status)
}
