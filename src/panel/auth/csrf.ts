/**
 * Two locks against forged requests (threats C16), because a tenant's site may be "same-site" with the panel: the browser
 * must say that the request comes from the panel's own origin, and the form must carry a token of this visitor's cookie.
 */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { WcpError } from '../../contract/errors.ts'
import { keyedDigest } from './keys.ts'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

export const isSafe = (method: string) => safeMethods.has(method)

/**
 * Throws `forbidden` unless the browser says `Sec-Fetch-Site: same-origin` or, when it does not know that header, its
 * `Origin` is exactly where the request was sent. Text browsers know neither: for them it is the origin of `Referer`.
 */
export function demandOwnOrigin(headers: IncomingHttpHeaders, ownOrigins: readonly string[]): void {
  const site = headers['sec-fetch-site']
  const origin = headers.origin ?? originOf(headers.referer)
  if (site === undefined ? ownOrigins.includes(origin) : site === 'same-origin') return
  throw new WcpError('forbidden', 'Cannot accept the request: it does not come from a page of this panel')
}

function originOf(referer: string | undefined): string {
  return referer !== undefined && URL.canParse(referer) ? new URL(referer).origin : ''
}

export function csrfToken(key: Buffer, cookie: string): string {
  return keyedDigest(key, 'form', cookie)
}

export function demandToken(key: Buffer, cookie: string | null, token: unknown): void {
  if (cookie !== null && typeof token === 'string' && equalText(token, csrfToken(key, cookie))) return
  throw new WcpError('forbidden', 'Cannot accept the form: it has no valid token', {
    help: 'Open the form again and send it once more.',
  })
}

function equalText(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}
