/** The REST request that does the same as an input, as text for people: secrets masked, what is not known yet in braces. */
import { type AnyOperation, httpBinding } from '../../contract/operation.ts'
import { httpCall } from '../../lib/http-call.ts'

export interface ApiCall {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly body: Readonly<Record<string, unknown>> | null
}

export function apiCall(
  operation: AnyOperation,
  input: Record<string, unknown>,
  { plan = false }: { plan?: boolean } = {},
): ApiCall {
  const unknown = httpBinding(operation).pathKeys.filter((key) => input[key] === undefined)
  const secret = (operation.secret ?? []).filter((key) => input[key] !== undefined)
  const shown = {
    ...input,
    ...Object.fromEntries(unknown.map((key) => [key, `{${key}}`])),
    ...Object.fromEntries(secret.map((key) => [key, '…'])),
  }
  const { method, target, body } = httpCall(operation, shown, plan)
  return { method, path: target.replaceAll('%7B', '{').replaceAll('%7D', '}'), body: body ?? null }
}

export function apiCallText({ method, path, body }: ApiCall): string {
  const json = body === null || Object.keys(body).length === 0 ? '' : `\n${JSON.stringify(body, null, 2)}`
  return `${method} ${path}${json}`
}
