/** The REST interface: one route per operation, made from the registry. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import { type AnyOperation, httpBinding, verbOf } from '../../contract/operation.ts'
import { apiRoot } from '../../lib/http-call.ts'
import { contentDigest } from '../../lib/http-signature.ts'
import type { Context } from '../../resources/context.ts'
import { parseForm } from './form-body.ts'
import { limits } from './limits.ts'
import { queryReader } from './query-input.ts'
import { parseStrictJson } from './strict-json.ts'
import { queryOf } from './target.ts'
import { entityTag, isKnown, termsOf } from './terms.ts'
import type { JobPlan, Outcome, Terms } from './types.ts'

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

export function registerRest(
  app: FastifyInstance,
  operations: readonly AnyOperation<Context>[],
  door: OperationDoor,
): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: limits.jsonBody },
    async (request: FastifyRequest, body: Buffer) => {
      demandSignedDigest(request, body)
      return parseStrictJson(utf8(body), limits.jsonDepth)
    },
  )
  for (const operation of operations) registerOperation(app, operation, door)
}

/** A signed request signs the digest of its body, which is known here. */
function demandSignedDigest({ headers }: FastifyRequest, body: Buffer): void {
  if (headers.signature === undefined || headers['content-digest'] === contentDigest(body)) return
  throw new WcpError('malformed', 'Cannot accept the body: it is not the one of Content-Digest, as sha-256')
}

/** Pages take forms and nothing else. */
export function registerPageParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer', bodyLimit: limits.formBody },
    async (_: FastifyRequest, body: Buffer) => parseForm(utf8(body)),
  )
}

function registerOperation(app: FastifyInstance, operation: AnyOperation<Context>, door: OperationDoor): void {
  const { method, path, pathKeys } = httpBinding(operation)
  const readQuery = queryReader(() => operation.input)
  const hasBody = method !== 'GET' && method !== 'DELETE'
  app.route({
    method,
    url: `${apiRoot}${path.replace(/\{(\w+)\}/g, ':$1')}`,
    config: { access: 'api', operation: operation.name },
    async handler(request, reply) {
      const { query, isPlan } = splitQuery(request, operation)
      if (hasBody) refuseQuery(query)
      const given = hasBody ? bodyOf(request) : withoutBody(request, readQuery(query))
      const input = join(given, request.params, pathKeys)
      if (isPlan) return sendJson(reply, { plan: await door.plan(request, operation, input) })
      if (operation.effect === 'read') return answerRead(request, reply, await door.run(request, operation, input))
      return answer(reply, operation, await door.run(request, operation, input, termsOf(request.headers)))
    },
  })
}

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
  if (job !== undefined) return sendJson(reply.code(202).header('location', `${apiRoot}/jobs/${job}`), value)
  return sendJson(reply.code(verbOf(operation) === 'create' ? 201 : 200), value)
}

function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(value))
}

function splitQuery(request: FastifyRequest, operation: AnyOperation<Context>) {
  const query = new URLSearchParams(queryOf(request))
  const plan = query.getAll('plan')
  query.delete('plan')
  if (plan.length === 0) return { query, isPlan: false }
  if (operation.effect === 'machine' && plan.length === 1 && plan[0] === '1') return { query, isPlan: true }
  const accepted = operation.effect === 'machine' ? '1' : 'nothing: this operation does not change the machine'
  throw refused('plan', 'cannot be used so', accepted)
}

function refuseQuery(query: URLSearchParams): void {
  const [key] = query.keys()
  if (key !== undefined) throw refused(key, 'does not belong into the query', 'fields in the JSON body')
}

function bodyOf({ body }: FastifyRequest): Record<string, unknown> {
  if (body === undefined) return {}
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw refused('body', 'is not an object', 'a JSON object with the fields of the operation')
  return asObject(body)
}

/** Fastify leaves the body of a GET unread, so it is the headers that tell of one. */
function withoutBody<T>({ headers }: FastifyRequest, value: T): T {
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
    throw new WcpError('malformed', 'Cannot accept a body with this method: use the query')
  return value
}

/** Field by field into an object without a prototype, so that no key can mean more than itself. */
function join(given: Record<string, unknown>, params: unknown, pathKeys: readonly string[]): Record<string, unknown> {
  const input: Record<string, unknown> = Object.assign(Object.create(null), given)
  const inPath = asObject(params)
  for (const key of pathKeys) {
    if (Object.hasOwn(given, key)) throw refused(key, 'is in the address already', 'the field in the address only')
    input[key] = inPath[key]
  }
  return { ...input }
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function refused(field: string, problem: string, accepted: string): WcpError {
  return new WcpError('bad_input', `Cannot accept the request: "${field.slice(0, 80)}" ${problem}`, {
    fields: [{ field: field.slice(0, 80), problem, accepted }],
  })
}

function utf8(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch (cause) {
    throw new WcpError('malformed', 'Cannot read the body: it is not UTF-8', { cause })
  }
}
