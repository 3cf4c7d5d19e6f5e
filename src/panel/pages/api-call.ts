/** The REST request that does the same as an input, as text for people. */
import { type AnyOperation, httpBinding } from '../../contract/operation.ts'
import { wordOf } from '../../lib/command-spec.ts'

export interface ApiCall {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly body: Record<string, unknown> | null
}

/** Path parameters that the input lacks stay in braces; secrets are masked. */
export function apiCall(
  operation: AnyOperation,
  input: Record<string, unknown>,
  more: { plan?: boolean } = {},
): ApiCall {
  const { method, path, pathKeys } = httpBinding(operation)
  const filled = path.replaceAll(/\{(\w+)\}/g, (braced: string, key: string) =>
    input[key] === undefined ? braced : encodeURIComponent(String(input[key])),
  )
  const rest = Object.entries(input).filter(([key, value]) => !pathKeys.includes(key) && value !== undefined)
  const isQuery = method === 'GET' || method === 'DELETE'
  const query = new URLSearchParams(isQuery ? rest.map(([key, value]) => [key, wordOf(value)]) : [])
  if (more.plan) query.set('plan', '1')
  const body = Object.fromEntries(rest.map(([key, value]) => [key, operation.secret?.includes(key) ? '…' : value]))
  return {
    method,
    path: `/api/v1${filled}${query.size > 0 ? `?${query}` : ''}`,
    body: isQuery ? null : body,
  }
}

export function apiCallText(call: ApiCall): string {
  const body =
    call.body === null || Object.keys(call.body).length === 0 ? '' : `\n${JSON.stringify(call.body, null, 2)}`
  return `${call.method} ${call.path}${body}`
}
