/** One request for a customer's site, through the real web server. */
import { type Agent, request } from 'node:http'
import type { Product } from '../support/product.ts'

export interface SiteAnswer {
  readonly status: number
  readonly body: string
}

/** Status 0: the connection was closed without an answer. */
export function get(
  { ports }: Product,
  host: string,
  path: string,
  agent: Agent | false = false,
  headers: Readonly<Record<string, string>> = {},
): Promise<SiteAnswer> {
  const { promise, resolve } = Promise.withResolvers<SiteAnswer>()
  const options = { host: '127.0.0.1', port: ports.http, path, headers: { host, ...headers }, agent, timeout: 30_000 }
  const asked = request(options, (answer) => {
    let body = ''
    answer.setEncoding('latin1').on('data', (chunk) => (body += chunk))
    answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    answer.on('error', () => resolve({ status: 0, body }))
  })
  asked.on('timeout', () => asked.destroy())
  asked.on('error', () => resolve({ status: 0, body: '' })).end()
  return promise
}
