/** The OpenAPI 3.1 document, made from the operations: what it says is what the routes do. */
import { z } from 'zod'
import { errorTable } from '../../contract/errors.ts'
import { type AnyOperation, hasJsonBody, httpBinding, kindOf, verbOf } from '../../contract/operation.ts'
import { Change } from '../../contract/wire.ts'
import { apiRoot } from '../../lib/http-call.ts'
import { TokenGrant, tokensPath } from '../../lib/token-grant.ts'
import type { Context } from '../../resources/context.ts'
import { exampleInput } from '../../resources/index.ts'
import { bootstrapAnswers, bootstrapBodies, bootstrapPath } from './bootstrap-routes.ts'
import { exampleObject, exampleOf } from './openapi-examples.ts'
import { tokenBodies } from './token-routes.ts'

type Json = { [key: string]: unknown }

export function openApiDocument(
  operations: readonly AnyOperation<Context>[],
  about: { version: string; baseUrl: string },
) {
  const paths: Record<string, Json> = {}
  for (const operation of operations) {
    const { method, path } = httpBinding(operation)
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(operation) }
  }
  Object.assign(paths, tokenPaths(), bootstrapPaths())
  return {
    openapi: '3.1.0',
    info: {
      title: 'WCP360',
      version: about.version,
      description:
        'Everything the pages and the wcp command can do. Changes to the machine answer 202 with the job that makes them; ' +
        'with ?plan=1 each change tells what would change, and changes nothing.',
    },
    servers: [{ url: `${about.baseUrl}${apiRoot}` }],
    security: [{ cookie: [] }, { key: [] }],
    tags: [...new Set(operations.map(kindOf))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-wcp',
          description: 'The session of a browser; changes also need its form token in X-CSRF-Token.',
        },
        key: {
          type: 'http',
          scheme: 'bearer',
          description:
            'An API key, wcp_…, for the operations that it names (api-key.create), or an access token of POST /tokens.',
        },
      },
      schemas: {
        Problem: problemSchema,
        Plan: jsonSchema(
          z.strictObject({ plan: z.array(z.strictObject({ type: z.string(), changes: z.array(Change) })) }),
          'output',
        ),
      },
      responses: { Problem: problemResponse },
    },
  }
}

/** An example call and its answer, out of the examples of the document. */
export function exampleCall(operation: AnyOperation<Context>): { readonly body: unknown; readonly answer: unknown } {
  const schema = jsonSchema(operation.output, 'output')
  const { requestBody } = describe(operation)
  const media = asRecord(asRecord(asRecord(requestBody).content)['application/json'])
  return { body: media.example, answer: exampleOf(schema) }
}

function describe(operation: AnyOperation<Context>): Json {
  const { pathKeys } = httpBinding(operation)
  const schema = jsonSchema(operation.input, 'input')
  const properties = asRecord(schema.properties)
  const required = new Set(Array.isArray(schema.required) ? schema.required : [])
  const given = exampleInput(operation)
  const hasBody = hasJsonBody(operation)
  const others = Object.keys(properties).filter((key) => !pathKeys.includes(key))
  const parameter = (where: string) => (name: string) => ({
    name,
    in: where,
    required: where === 'path' || required.has(name),
    ...describedBy(properties[name]),
    schema: properties[name],
    example: given[name] ?? exampleOf(properties[name], name),
  })
  const plan = {
    name: 'plan',
    in: 'query',
    description: 'Tell what would change and change nothing',
    schema: { type: 'string', enum: ['1'] },
    example: '1',
  }
  return {
    operationId: operation.name,
    summary: operation.summary,
    ...(operation.description && { description: operation.description }),
    tags: [kindOf(operation)],
    parameters: [
      ...pathKeys.map(parameter('path')),
      ...(hasBody ? [] : others.map(parameter('query'))),
      ...(operation.effect === 'read' ? [] : [plan]),
      ...headersOf(operation),
    ],
    ...(hasBody && {
      requestBody: {
        required: others.some((key) => required.has(key)),
        content: { 'application/json': bodyMedia(schema, others, given) },
      },
    }),
    ...(operation.bytes === 'body' && {
      requestBody: { required: true, content: { 'application/octet-stream': { schema: anyBytes } } },
    }),
    responses: responses(operation),
  }
}

/** Signing in without a browser, which is no operation: nobody has a permission before. */
function tokenPaths(): Record<string, Json> {
  const content = { 'application/json': { schema: jsonSchema(TokenGrant, 'output') } }
  const post = (name: keyof typeof tokenBodies, summary: string, security: readonly Json[]) => {
    const schema = jsonSchema(tokenBodies[name], 'input')
    const keys = Object.keys(asRecord(schema.properties))
    return {
      post: {
        operationId: `token.${name}`,
        summary,
        tags: ['token'],
        security,
        requestBody: { required: true, content: { 'application/json': bodyMedia(schema, keys) } },
        responses: {
          201: { description: 'Signed in', content },
          ...ofAnyRequest,
          401: problem,
          403: problem,
          422: problem,
          429: problem,
        },
      },
    }
  }
  return {
    [tokensPath]: {
      ...post('password', 'Sign in; 403 with a challenge in its details when a code is still to come', []),
      delete: {
        operationId: 'token.end',
        summary: 'Sign out: ends the session behind the access token',
        tags: ['token'],
        security: [{ key: [] }],
        responses: { 200: { description: 'Done' }, ...ofAnyRequest, 401: problem },
      },
    },
    [`${tokensPath}/code`]: post('code', 'Sign in with the code that was still to come', []),
    [`${tokensPath}/refresh`]: post('refresh', 'Get a new access token for the secret of a session', []),
    [`${tokensPath}/confirm`]: post('confirm', 'Show password or code again, for what is dangerous', [{ key: [] }]),
  }
}

/** The once-only setup: `POST` answers 404 for ever once it is done. */
function bootstrapPaths(): Record<string, Json> {
  const call = (name: string, summary: string, status: number, answer: z.ZodType, body?: z.ZodType) => {
    const schema = body && jsonSchema(body, 'input')
    return {
      operationId: `bootstrap.${name}`,
      summary,
      tags: ['bootstrap'],
      security: [],
      ...(schema && {
        requestBody: {
          required: true,
          content: { 'application/json': bodyMedia(schema, Object.keys(asRecord(schema.properties))) },
        },
      }),
      responses: {
        [status]: { description: 'Done', content: { 'application/json': { schema: jsonSchema(answer, 'output') } } },
        ...ofAnyRequest,
        ...(schema && Object.fromEntries([401, 404, 409, 422, 429].map((code) => [code, problem]))),
        503: problem,
      },
    }
  }
  const { state, root } = bootstrapAnswers
  return {
    [bootstrapPath]: {
      get: call('state', 'Tell where the first boot stands', 200, state),
      post: call('root', 'Show the password of root and the code that was printed', 201, root, bootstrapBodies.root),
    },
    [`${bootstrapPath}/admin`]: {
      post: call('admin', 'Create the first administrator', 201, TokenGrant, bootstrapBodies.admin),
    },
  }
}

/** @param given what the operation's kind says; the rest is made from the schema */
function bodyMedia(schema: Json, keys: readonly string[], given: Json = {}): Json {
  const properties = asRecord(schema.properties)
  const required = Array.isArray(schema.required) ? schema.required.filter((key) => keys.includes(String(key))) : []
  const own = Object.fromEntries(keys.map((key) => [key, properties[key]]))
  return {
    schema: { type: 'object', properties: own, ...(required.length > 0 && { required }), additionalProperties: false },
    example: {
      ...exampleObject({ properties: own }, required.length > 0 ? required.map(String) : keys.slice(0, 1)),
      ...Object.fromEntries(keys.flatMap((key) => (key in given ? [[key, given[key]]] : []))),
    },
  }
}

const problem = { $ref: '#/components/responses/Problem' }

/** Refused before it is known which operation is meant: not well-formed, for another host, or too much. */
const anyRequest = [400, 413, 421, 431]
const ofAnyRequest = Object.fromEntries(anyRequest.map((status) => [status, problem]))

function responses(operation: AnyOperation<Context>): Json {
  const schema = operation.bytes === 'answer' ? anyBytes : jsonSchema(operation.output, 'output')
  const media = operation.bytes === 'answer' ? 'application/octet-stream' : 'application/json'
  const content = { [media]: { schema, example: exampleOf(schema) } }
  const problems = Object.fromEntries(
    [...anyRequest, 401, 403, 404, 409, ...(operation.effect === 'read' ? [] : [412]), 422, 429, 500, 503].map(
      (status) => [status, problem],
    ),
  )
  if (operation.effect === 'machine')
    return {
      200: {
        description: 'With plan=1: what would change. Without: nothing had to be done on the machine.',
        ...jsonContent({ anyOf: [{ $ref: '#/components/schemas/Plan' }, schema] }, planExample),
      },
      202: {
        description: 'The job that makes the change',
        headers: { Location: { description: 'Address of the job', schema: { type: 'string' } } },
        content,
      },
      ...problems,
    }
  const headers = operation.effect === 'read' && operation.bytes === undefined && { headers: { ETag: entityTag } }
  const unchanged = operation.effect === 'read' &&
    operation.bytes === undefined && { 304: { description: 'What If-None-Match names is still so' } }
  const done = { description: 'Done', ...headers, content }
  if (operation.effect === 'read') return { 200: done, ...unchanged, ...problems }
  const plan = { $ref: '#/components/schemas/Plan' }
  const planned = { description: 'With plan=1: what would change', ...jsonContent(plan, planExample) }
  if (verbOf(operation) === 'create') return { 200: planned, 201: done, ...problems }
  return {
    200: {
      description: 'Done; with plan=1: what would change',
      ...jsonContent({ anyOf: [plan, schema] }, planExample),
    },
    ...problems,
  }
}

function jsonContent(schema: Json, example: Json) {
  return { content: { 'application/json': { schema, example } } }
}

const anyBytes: Json = { type: 'string', contentMediaType: 'application/octet-stream' }

const entityTag: Json = { description: 'Version of the answer', schema: { type: 'string' } }

const planExample: Json = {
  plan: [
    {
      type: 'domain.create',
      changes: [{ step: 'site files of shop.example.com', action: 'create', diff: null }],
    },
  ],
}

/** A change may come with a key and, when it is about one thing, with a version; reading with what is known already. */
function headersOf(operation: AnyOperation<Context>): Json[] {
  const header = (name: string, description: string, example: string) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
    example,
  })
  const version = '"6mZ0W1mJcEwW0T4o0m9J7Q"'
  if (operation.effect === 'read') return [header('If-None-Match', 'ETag of an answer that is known', version)]
  const existing =
    'existing-job: the same call within an hour is answered with the job that is there, unless it failed or what it made has changed'
  const key = 'Sent again with the same key, the call is not made again: the first answer is given, for 24 hours'
  if (operation.bytes === 'body') return []
  return [
    header('Idempotency-Key', key, '5b1c9e0a-3c0f-4c57-9f6e-2f0d5f1b8a11'),
    ...(operation.effect === 'machine' ? [header('Prefer', existing, 'existing-job')] : []),
    ...(httpBinding(operation).pathKeys.length > 0
      ? [header('If-Match', 'ETag of what was read: when it was changed since, the answer is 412', version)]
      : []),
  ]
}

const problemSchema: Json = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'help', 'instance'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string', description: 'What could not be done, and why' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(errorTable) },
    help: { type: 'string', description: 'What to do next' },
    instance: { type: 'string', description: 'The request, as the log names it' },
    fields: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'problem'],
        properties: { field: { type: 'string' }, problem: { type: 'string' }, accepted: { type: 'string' } },
      },
    },
    details: { type: 'object', additionalProperties: { type: ['string', 'number'] } },
  },
}

const problemResponse: Json = {
  description: 'What went wrong, by the table of errors',
  content: {
    'application/problem+json': {
      schema: { $ref: '#/components/schemas/Problem' },
      example: {
        type: 'https://wcp360.invalid/errors/bad_input',
        title: 'Cannot accept the input: name is missing',
        status: 422,
        code: 'bad_input',
        help: errorTable.bad_input.help,
        instance: 'urn:wcp360:request:9b2f7c1e-4a53-4c41-8a0e-6b1f0d3c2a10',
        fields: [{ field: 'name', problem: 'is missing' }],
      },
    },
  },
}

/** Draft 2020-12, which is what OpenAPI 3.1 speaks; a transformed value is described by what goes in or comes out. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', target: 'draft-2020-12' })
  return rest
}

function describedBy(schema: unknown): Json {
  const { description } = asRecord(schema)
  return typeof description === 'string' ? { description } : {}
}

function asRecord(value: unknown): Json {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
