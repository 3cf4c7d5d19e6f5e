/** A line of the terminal page that is a REST call, as `GET /api/v1/tenants` or `POST /api/v1/tenants {"name": "acme"}`. */
import type { FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import { isRecord } from '../../contract/fields.ts'
import { type AnyOperation, httpBinding } from '../../contract/operation.ts'
import { apiRoot } from '../../lib/http-call.ts'
import { path } from '../../lib/safe-url.ts'
import { limits } from '../http/limits.ts'
import { statusOf } from '../http/rest.ts'
import { restReader } from '../http/rest-input.ts'
import { parseStrictJson } from '../http/strict-json.ts'
import { apiCall } from './api-call.ts'
import type { PageKit } from './page-kit.ts'
import { refusalOf, withoutBytes } from './terminal-run.ts'
import type { TerminalEntry } from './terminal-session.ts'

const shape = /^(GET|POST|PUT|PATCH|DELETE)\s+(\S+)\s*(.*)$/su

export function isCall(line: string): boolean {
  return shape.test(line)
}

/** The answer is shown as it is: the status, and the JSON. */
export async function runCall(kit: PageKit, request: FastifyRequest, line: string): Promise<TerminalEntry> {
  const [, method = '', target = '', json = ''] = shape.exec(line) ?? []
  // A body that is not understood may hold a secret, so it is not kept.
  let shown = `${method} ${target}`
  try {
    const { operation, params, query } = find(kit.deps.operations, method, target)
    const body = json === '' ? undefined : parseStrictJson(json, limits.jsonDepth)
    const { input, isPlan } = restReader(operation)({ params, query, body })
    shown = lineOf(operation, input, isPlan)
    if (isPlan) return entry(shown, 200, { plan: await kit.deps.plan(request, operation, input) })
    const { value, jobIds } = withoutBytes(await kit.deps.run(request, operation, input))
    const [job] = jobIds
    return entry(shown, statusOf(operation, jobIds), value, job === undefined ? null : path`/jobs/${job}`)
  } catch (thrown) {
    const error = refusalOf(thrown)
    return { ...entry(shown, error.status, error.toProblem()), failed: true }
  }
}

function entry(line: string, status: number, value: unknown, job: string | null = null): TerminalEntry {
  return { line, call: null, text: `HTTP ${status}\n${JSON.stringify(value, null, 2)}`, json: null, failed: false, job }
}

/** With secrets masked. */
function lineOf(operation: AnyOperation, input: Record<string, unknown>, plan: boolean): string {
  const { method, path: target, body } = apiCall(operation, input, { plan })
  return `${method} ${target}${isRecord(body) && Object.keys(body).length > 0 ? ` ${JSON.stringify(body)}` : ''}`
}

/** Of two that fit, the one with fewer fields in its address. */
function find(operations: readonly AnyOperation[], method: string, target: string) {
  const [address = '', words = ''] = target.split('?', 2)
  const fitting = operations.flatMap((operation) => {
    const binding = httpBinding(operation)
    const params = binding.method === method ? paramsOf(`${apiRoot}${binding.path}`, address) : undefined
    return params === undefined ? [] : [{ operation, params, fields: binding.pathKeys.length }]
  })
  const [found] = fitting.toSorted((one, other) => one.fields - other.fields)
  if (found) return { ...found, query: new URLSearchParams(words) }
  throw new WcpError('not_found', `Cannot find ${method} ${address}`, {
    help: `Addresses begin with ${apiRoot}/; the API page lists them.`,
  })
}

function paramsOf(pattern: string, address: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), address.split('/')]
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [at, part] of wanted.entries()) {
    const word = given[at] ?? ''
    const key = /^\{(\w+)\}$/.exec(part)?.[1]
    if (key === undefined ? part !== word : word === '') return undefined
    if (key !== undefined) params[key] = decoded(word)
  }
  return params
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word)
  } catch (cause) {
    throw new WcpError('malformed', 'Cannot read the address: it is not well-formed', { cause })
  }
}
