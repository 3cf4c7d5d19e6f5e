/** The cookie of a visitor: an opaque 256-bit value, before login as after it. The store knows its digest alone. */
import { createHash, randomBytes } from 'node:crypto'

export const cookieName = '__Host-wcp'
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Strict'

export function newCookieValue(): string {
  return randomBytes(32).toString('base64url')
}

export function cookieHeader(value: string): string {
  return `${cookieName}=${value}; ${attributes}`
}

export const expiredCookieHeader = `${cookieName}=; Max-Age=0; ${attributes}`

/** The value in a `Cookie` header; null when there is none, more than one, or one that the panel never made. */
export function readCookie(header: string | undefined): string | null {
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${cookieName}=`))
    .map((pair) => pair.slice(cookieName.length + 1))
  const [value] = values
  return values.length === 1 && value !== undefined && /^[\w-]{43}$/.test(value) ? value : null
}

export function cookieDigest(value: string): string {
  return createHash('sha256').update(value).digest('hex')
}
