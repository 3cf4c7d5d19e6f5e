/** The REST request that an operation with this input is: what `wcp` sends, and what the terminal page shows. */
import type { Readable } from 'node:stream'
import { type AnyOperation, hasJsonBody, httpBinding, type Method } from '../contract/operation.ts'

export interface HttpCall {
  readonly method: Method
  /** With query, below the server's root: `/api/v1/tenants?limit=10`. */
  readonly target: string
  /** JSON body; undefined for GET and DELETE. */
  readonly body?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  /** Where the bytes of the answer go that are no JSON; without it they are none that is understood. */
  readonly sink?: (bytes: Readable) => Promise<void>
  /** The body where it is bytes and no JSON; taken as fast as the other side takes them, and once. */
  readonly source?: Readable
}

export const apiRoot = '/api/v1'

export function httpCall(
  operation: Pick<AnyOperation, 'http' | 'bytes'>,
  input: Readonly<Record<string, unknown>>,
  plan = false,
): HttpCall {
  const { method, path, pathKeys } = httpBinding(operation)
  const filled = path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(String(input[key])))
  const rest = Object.entries(input).filter(([key, value]) => !pathKeys.includes(key) && value !== undefined)
  const hasBody = hasJsonBody(operation)
  const query = new URLSearchParams([...(hasBody ? [] : rest.map(asQuery)), ...(plan ? [['plan', '1']] : [])])
  return {
    method,
    target: `${apiRoot}${filled}${query.size > 0 ? `?${query}` : ''}`,
    ...(hasBody && { body: Object.fromEntries(rest) }),
  }
}

function asQuery([key, value]: readonly [string, unknown]): string[] {
  return [key, String(value)]
}
