/** The API reference as a page: every operation that this visitor may call, out of the registry. */
import type { FastifyInstance } from 'fastify'
import type { Field } from '../../contract/fields.ts'
import { type AnyOperation, httpBinding, kindOf } from '../../contract/operation.ts'
import { usageLine } from '../../lib/command-spec.ts'
import type { Texts } from '../../lib/texts.ts'
import { exampleCall } from '../http/openapi.ts'
import { openApiPath } from '../http/server.ts'
import type { PageKit } from './page-kit.ts'
import { offered } from './terminal-run.ts'

export function apiRoutes(app: FastifyInstance, kit: PageKit): void {
  app.get('/api-reference', { config: { access: 'session' } }, (request, reply) => {
    const t = kit.textsOf(request)
    const operations = offered(kit, request)
    const kinds = [...new Set(operations.map(kindOf))]
    return kit.send(request, reply, {
      template: 'api/reference',
      title: t.api.title,
      model: {
        head: {
          title: t.api.title,
          lede: t.api.lede,
          actions: [{ title: t.api.document, href: openApiPath }],
        },
        groups: kinds.map((kind) => ({
          id: kind,
          title: t.kinds[kind]?.many ?? kind,
          operations: operations.filter((operation) => kindOf(operation) === kind).map((one) => entry(t, one)),
        })),
      },
    })
  })
}

/** The same for everybody and for as long as the panel runs. */
const examples = new Map<string, ReturnType<typeof exampleCall>>()

function exampleFor(operation: AnyOperation): ReturnType<typeof exampleCall> {
  const found = examples.get(operation.name) ?? exampleCall(operation)
  examples.set(operation.name, found)
  return found
}

const inJson = (value: unknown) => (value === undefined ? null : JSON.stringify(value, null, 2))

function entry(t: Texts, operation: AnyOperation): object {
  const { method, path } = httpBinding(operation)
  const { body, answer } = exampleFor(operation)
  return {
    body: inJson(body),
    answer: inJson(answer),
    id: operation.name,
    method,
    path: `/api/v1${path}`,
    summary: operation.summary,
    description: operation.description ?? '',
    note: [
      ...(operation.effect === 'machine' ? [t.api.jobAnswer] : []),
      ...(operation.effect === 'read' ? [] : [t.api.planned]),
    ].join(' '),
    usage: usageLine(operation),
    form: operation.effect === 'read' ? null : `/do/${operation.name}`,
    fields: operation.fields.map((field) => ({
      name: field.name,
      type: typeText(field),
      required: field.required,
      about: field.description ?? '',
    })),
  }
}

function typeText({ type, choices, nullable, min, max, maxLength }: Field): string {
  const words = choices.length > 0 ? choices.join(' | ') : type
  const bounds = min === undefined && max === undefined ? '' : ` ${min ?? ''}…${max ?? ''}`
  const length = maxLength === undefined ? '' : ` ≤ ${maxLength}`
  return `${words}${bounds}${length}${nullable ? ' | null' : ''}`
}
