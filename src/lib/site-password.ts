/** Passwords of protected directories: made here, shown once, and kept as a verifier alone. */
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { SiteUserVerifier } from '../contract/site-settings.ts'

/** Without those that are taken for others. */
const signs = 'abcdefghijkmnpqrstuvwxyz23456789'
const groups = 5
const groupLength = 5

/** 125 bits, in groups that can be read out and typed. */
export function newSitePassword(): string {
  const group = () => Array.from({ length: groupLength }, () => signs[randomInt(signs.length)]).join('')
  return Array.from({ length: groups }, group).join('-')
}

/** RFC 2307, as nginx reads it. It is computed at each request, so it has to be quick: the password carries the strength. */
export function siteVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const digest = createHash('sha1').update(password).update(salt).digest()
  return SiteUserVerifier.parse(`{SSHA}${Buffer.concat([digest, salt]).toString('base64')}`)
}
