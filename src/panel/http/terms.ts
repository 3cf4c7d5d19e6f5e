/** The headers of a call beside the operation: against which version it counts, and that it counts once. */
import type { IncomingHttpHeaders } from 'node:http'
import { WcpError } from '../../contract/errors.ts'
import { versionOf } from '../operations/versions.ts'
import type { Terms } from './types.ts'

/** A strong validator (RFC 9110, 8.8.3). */
export function entityTag(value: unknown): string {
  return `"${versionOf(value)}"`
}

export function termsOf(headers: IncomingHttpHeaders): Terms {
  const key = idempotencyKey(headers['idempotency-key'])
  const wanted = headers['if-match']
  const tags = wanted === undefined ? undefined : entityTags('If-Match', wanted)
  return {
    ...(key !== undefined && { idempotencyKey: key }),
    ...(prefers(headers.prefer, 'existing-job') && { prefersExistingJob: true as const }),
    // A weak tag never matches here (RFC 9110, 13.1.1).
    ...(tags !== undefined && { precondition: (present) => tags === '*' || tags.includes(entityTag(present)) }),
  }
}

/** RFC 7240; what is not known here is ignored. */
function prefers(header: string | string[] | undefined, preference: string): boolean {
  const all = [header ?? []].flat().flatMap((line) => line.split(','))
  return all.some((one) => one.split(/[;=]/, 1)[0]?.trim().toLowerCase() === preference)
}

/** Whether the client has this answer already. */
export function isKnown(headers: IncomingHttpHeaders, tag: string): boolean {
  const wanted = headers['if-none-match']
  if (wanted === undefined) return false
  const tags = entityTags('If-None-Match', wanted)
  return tags === '*' || tags.some((one) => one.replace(/^W\//, '') === tag)
}

function entityTags(name: string, text: string): readonly string[] | '*' {
  if (text.trim() === '*') return '*'
  const tags = text.split(',').map((part) => part.trim())
  if (tags.length <= 20 && tags.every((tag) => /^(W\/)?"[\x21\x23-\x7e]*"$/.test(tag))) return tags
  throw new WcpError('malformed', `Cannot read the header ${name}`, {
    help: 'Send "*", or the ETag of an earlier answer in its quotation marks.',
  })
}

/** A string of RFC 9651, as draft-ietf-httpapi-idempotency-key-header has it; bare, as many clients send it, too. */
function idempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const key = typeof header === 'string' ? /^(?:"([\w.:~+/=-]{1,128})"|([\w.:~+/=-]{1,128}))$/.exec(header) : null
  if (key !== null) return key[1] ?? key[2]
  throw new WcpError('malformed', 'Cannot read the header Idempotency-Key', {
    help: 'Send up to 128 letters, digits and . : ~ + / = _ -, such as a UUID.',
  })
}
