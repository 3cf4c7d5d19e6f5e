/**
 * API keys as text: `wcp_`, ten letters by which a key is found and recognised, forty of its secret (200 random bits), and
 * seven by which those who scan source code for secrets know a real one without asking anybody.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { letters, randomLetters } from '../letters.ts'

const prefix = 'wcp_'
const selectorLength = 10
const secretLength = 40
const checkLength = 7

/** `digest` is what the store keeps; the key itself is shown once. */
export interface NewToken {
  readonly token: string
  readonly selector: string
  readonly digest: string
}

export function newToken(): NewToken {
  const selector = randomLetters(selectorLength)
  const body = prefix + selector + randomLetters(secretLength)
  const token = body + checkOf(body)
  return { token, selector, digest: tokenDigest(token) }
}

/** CRC-32 of all before it, five bits a letter, the highest first. */
function checkOf(body: string): string {
  const sum = BigInt(crc32(body))
  return Array.from({ length: checkLength }, (_, place) => letters[Number((sum >> BigInt(30 - 5 * place)) & 31n)]).join(
    '',
  )
}

/** The letters by which it is found; null for what is no key, also when a letter was lost on the way. */
export function selectorOf(token: string): string | null {
  const isShaped = new RegExp(`^${prefix}[${letters}]{${selectorLength + secretLength + checkLength}}$`).test(token)
  if (!isShaped || checkOf(token.slice(0, -checkLength)) !== token.slice(-checkLength)) return null
  return token.slice(prefix.length, prefix.length + selectorLength)
}

/** The key id that a signature by this key names. */
export function keyIdOf(token: string): string {
  return token.slice(0, prefix.length + selectorLength)
}

/** The one that a signature names; null for what is no name of a key. */
export function selectorOfKeyId(keyId: string): string | null {
  const isShaped = new RegExp(`^${prefix}[${letters}]{${selectorLength}}$`).test(keyId)
  return isShaped ? keyId.slice(prefix.length) : null
}

/** How people recognise it. */
export function beginningOf(selector: string): string {
  return `${prefix}${selector}…`
}

/** No key and no salt: nobody can try 200 random bits. */
function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

export function isTokenOf(digest: string, token: string): boolean {
  return timingSafeEqual(Buffer.from(digest, 'hex'), Buffer.from(tokenDigest(token), 'hex'))
}
