/** The REST interface: every operation of the registry behind one route. */
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import { type AnyOperation, verbOf } from '../../contract/operation.ts'
import type { Id } from '../../contract/values.ts'
import { apiRoot } from '../../lib/http-call.ts'
import { contentDigest } from '../../lib/http-signature.ts'
import type { Context } from '../../resources/context.ts'
import { sendBytes } from './bytes-body.ts'
import { parseForm } from './form-body.ts'
import { sendJson } from './json-body.ts'
import { limits } from './limits.ts'
import type { RestTable } from './rest-table.ts'
import { parseStrictJson } from './strict-json.ts'
import { queryOf } from './target.ts'
import { entityTag, isKnown, termsOf } from './terms.ts'
import type { JobPlan, Outcome, Terms } from './types.ts'
import { hangUpAfter, uploadBody, uploadLimits } from './upload-body.ts'

/** The one door, as the REST interface sees it. */
export interface OperationDoor {
  run(
    request: FastifyRequest,
    operation: AnyOperation<Context>,
    input: unknown,
    terms?: Terms,
  ): Promise<Outcome<unknown>>
  plan(request: FastifyRequest, operation: AnyOperation<Context>, input: unknown): Promise<readonly JobPlan[]>
}

export function registerRest(app: FastifyInstance, table: RestTable, door: OperationDoor): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: limits.jsonBody },
    async (request: FastifyRequest, body: Buffer) => {
      demandSignedDigest(request, body)
      return parseStrictJson(utf8(body), limits.jsonDepth)
    },
  )
  app.addContentTypeParser('application/octet-stream', async ({ addressed }: FastifyRequest, body: Readable) => {
    if (addressed?.operation.bytes === 'body') return body
    throw new WcpError('malformed', 'Cannot read the body: send application/json')
  })
  const call = {
    // before anything is read of a body
    async onRequest(request: FastifyRequest, reply: FastifyReply) {
      request.addressed = table.at(request.method, request.raw.url ?? '/')
      if (request.addressed === null) reply.callNotFound()
      else if (request.addressed.operation.bytes === 'body') hangUpAfter(request.raw, reply.raw)
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) => answerCall(request, reply, door),
  }
  app.route({
    method: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'],
    url: `${apiRoot}/*`,
    config: { access: 'api', methodsOf: table.methodsOf },
    ...call,
  })
  for (const { method, url } of table.bytes)
    app.route({ method, url, config: { access: 'api' }, handlerTimeout: limits.bytesTimeout, ...call })
}

/** A signed request signs the digest of its body, which is known here. */
function demandSignedDigest({ headers }: FastifyRequest, body: Buffer): void {
  if (headers.signature === undefined || headers['content-digest'] === contentDigest(body)) return
  throw new WcpError('malformed', 'Cannot accept the body: it is not the one of Content-Digest, as sha-256')
}

/** Pages take forms and nothing else; the token of each is checked before anything of a file is taken. */
export function registerPageParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer', bodyLimit: limits.formBody },
    async (_: FastifyRequest, body: Buffer) => parseForm(utf8(body)),
  )
  app.addContentTypeParser('multipart/form-data', async ({ routeOptions, raw }: FastifyRequest) => {
    if (routeOptions.config.takesFiles) {
      const { uploadForm } = await import('./upload-form.ts') // with its library, for the few who come with files
      return await uploadForm(raw)
    }
    throw new WcpError('malformed', 'Cannot read the form: it brings files, and none are taken here')
  })
}

async function answerCall(request: FastifyRequest, reply: FastifyReply, door: OperationDoor): Promise<FastifyReply> {
  const { addressed, body } = request
  if (addressed === null) throw new Error('no operation was found for this call')
  const { operation } = addressed
  if (!bodied.has(request.method)) refuseBody(request)
  const { input, isPlan } = addressed.read({ query: new URLSearchParams(queryOf(request)), body })
  if (operation.bytes === 'answer') return sendBytes(reply, (await door.run(request, operation, input)).value)
  if (isPlan) return sendJson(reply, { plan: await door.plan(request, operation, input) })
  if (operation.effect === 'read') return answerRead(request, reply, await door.run(request, operation, input))
  const terms = termsOf(request.headers)
  const all = operation.bytes === 'body' ? { ...terms, body: uploadOf(request) } : terms
  return answer(reply, operation, await door.run(request, operation, input, all))
}

function uploadOf({ body, raw, headers }: FastifyRequest): Readable {
  if (body !== undefined && body !== raw)
    throw new WcpError('bad_input', 'Cannot accept the request: "body" is JSON', {
      fields: [{ field: 'body', problem: 'is JSON', accepted: 'the bytes of the file, as application/octet-stream' }],
    })
  const digest = [headers['content-digest'] ?? 'none'].flat().join(', ')
  return uploadBody(raw, uploadLimits, headers.signature === undefined || body === undefined ? undefined : digest)
}

const bodied: ReadonlySet<string> = new Set(['POST', 'PATCH', 'PUT'])

function answerRead({ headers }: FastifyRequest, reply: FastifyReply, { value }: Outcome<unknown>) {
  const tag = entityTag(value)
  reply.header('etag', tag)
  return isKnown(headers, tag) ? reply.code(304).send() : sendJson(reply, value)
}

function answer(
  reply: FastifyReply,
  operation: AnyOperation<Context>,
  { value, jobIds, isRepeated }: Outcome<unknown>,
) {
  if (isRepeated) reply.header('idempotency-replayed', 'true')
  const [job] = jobIds
  if (job !== undefined) reply.header('location', `${apiRoot}/jobs/${job}`)
  return sendJson(reply.code(statusOf(operation, jobIds)), value)
}

/** 202 while a job goes on with it. */
export function statusOf(operation: AnyOperation, jobIds: readonly Id[]): 200 | 201 | 202 {
  if (jobIds.length > 0) return 202
  return verbOf(operation) === 'create' ? 201 : 200
}

/** Fastify leaves the body of a GET unread, so it is the headers that tell of one. */
function refuseBody({ headers }: FastifyRequest): void {
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
    throw new WcpError('malformed', 'Cannot accept a body with this method: use the query')
}

function utf8(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch (cause) {
    throw new WcpError('malformed', 'Cannot read the body: it is not UTF-8', { cause })
  }
}
