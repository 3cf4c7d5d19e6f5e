/**
 * The target of a request, read once. The router decodes an address before it matches, so a check that looks at the bytes
 * of the address sees another one: what a route is, its configuration says; only an address without a route has nothing else.
 */
import type { FastifyRequest } from 'fastify'

/** The REST interface, however its address was written. */
export function isApi(request: FastifyRequest): boolean {
  if (!request.is404) return request.routeOptions.config.access === 'api'
  const path = pathOf(request)
  return path === '/api' || path.startsWith('/api/')
}

/** As the router reads it: without the query, and with what is encoded for no reason decoded. */
export function pathOf({ raw }: FastifyRequest): string {
  const [path = '/'] = (raw.url ?? '/').split('?')
  return decoded(path)
}

/** Without the secret of a link or of setup's address. */
export function loggedPath(request: FastifyRequest): string {
  return pathOf(request)
    .slice(0, 300)
    .replace(/^\/(link|bootstrap)\/(?!admin$).*/s, '/$1/…')
}

/** Everything behind the first question mark, as it was sent. */
export function queryOf({ raw }: FastifyRequest): string {
  const url = raw.url ?? ''
  const mark = url.indexOf('?')
  return mark === -1 ? '' : url.slice(mark + 1)
}

/** The router answers 400 to what cannot be decoded. */
export function decoded(path: string): string {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}
