/** What a REST call asks of its operation: the fields of address, query and body as one input. */
import { WcpError } from '../../contract/errors.ts'
import { type AnyOperation, hasJsonBody, httpBinding } from '../../contract/operation.ts'
import { queryReader } from './query-input.ts'

export interface RestCall {
  /** By the names of the operation's path, decoded. */
  readonly params: unknown
  readonly query: URLSearchParams
  /** Parsed JSON; undefined when there was none. */
  readonly body: unknown
}

export interface RestInput {
  /** As given; the operation's schema judges it. */
  readonly input: Record<string, unknown>
  /** Asked for what would change, and for no effect. */
  readonly isPlan: boolean
}

/** @throws WcpError `bad_input` that names a field which came in the wrong place */
export function restReader(operation: AnyOperation): (call: RestCall) => RestInput {
  const { pathKeys } = httpBinding(operation)
  const readQuery = queryReader(() => operation.input)
  const hasBody = hasJsonBody(operation)
  return ({ params, query: all, body }) => {
    const { query, isPlan } = splitQuery(all, operation)
    if (hasBody) refuseQuery(query)
    const given = hasBody ? bodyFields(body) : readQuery(query)
    return { input: join(given, params, pathKeys), isPlan }
  }
}

function splitQuery(all: URLSearchParams, operation: AnyOperation) {
  const query = new URLSearchParams(all)
  const plan = query.getAll('plan')
  query.delete('plan')
  if (plan.length === 0) return { query, isPlan: false }
  if (operation.effect !== 'read' && plan.length === 1 && plan[0] === '1') return { query, isPlan: true }
  const accepted = operation.effect === 'read' ? 'nothing: this operation changes nothing' : '1'
  throw refused('plan', 'cannot be used so', accepted)
}

function refuseQuery(query: URLSearchParams): void {
  const [key] = query.keys()
  if (key !== undefined) throw refused(key, 'does not belong into the query', 'fields in the JSON body')
}

function bodyFields(body: unknown): Record<string, unknown> {
  if (body === undefined) return {}
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw refused('body', 'is not an object', 'a JSON object with the fields of the operation')
  return asObject(body)
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
