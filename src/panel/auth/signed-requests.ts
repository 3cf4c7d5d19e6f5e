/** The parts of a request that a program must sign, and that a signed request counts once. */
import type { FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import { readSignature, type SignatureInput, signatureBase } from '../../lib/http-signature.ts'

/** A signature with the words that it is for. */
export interface SignedRequest extends SignatureInput {
  readonly base: string
}

/** May be signed as well; what is not named here cannot be. */
const furtherHeaders = ['content-digest', 'content-type', 'idempotency-key', 'if-match']

/** undefined for a request without a signature. @throws `not_signed_in` for one that leaves out what it must cover */
export function signedRequest({ method, headers, raw }: FastifyRequest): SignedRequest | undefined {
  const { 'signature-input': input, signature } = headers
  if (input === undefined && signature === undefined) return undefined
  const read = typeof input === 'string' && typeof signature === 'string' ? readSignature(input, signature) : null
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  const demanded = ['@method', '@authority', '@path', '@query', ...(hasBody ? ['content-digest'] : [])]
  const [path = '', ...query] = (raw.url ?? '').split('?')
  const values = new Map([
    ['@method', method],
    ['@authority', (headers.host ?? '').toLowerCase().replace(/:443$/, '')],
    ['@path', path],
    ['@query', `?${query.join('?')}`],
    ...furtherHeaders.map((name) => [name, String(headers[name] ?? '')] as const),
  ])
  const isWhole = demanded.every((name) => read?.components.includes(name))
  if (read === null || !isWhole || !read.components.every((name) => values.has(name)))
    throw new WcpError('not_signed_in', 'Cannot read the signature of this request', {
      help: `Send one signature (RFC 9421) by hmac-sha256 over ${demanded.join(', ')}, with created, nonce and keyid.`,
    })
  return { ...read, base: signatureBase(read.components, values, read.parameters) }
}

/** A signature is good for so long; the nonce of each is kept as long. */
const lifeMs = 300_000
/** The clock of the one who signs may be ahead by so much. */
const aheadMs = 2000
const mostKept = 100_000

/**
 * Lets each signed request through once. What was let through is kept in memory alone: so after a start nothing is taken that
 * could have been let through before it.
 */
export function replayGuard(now: () => number = Date.now) {
  const started = now()
  const keptUntil = new Map<string, number>()

  return {
    /** Once the signature is known to be right. @throws `not_signed_in`; `unavailable` when it has to be signed anew later */
    demandNew({ keyId, nonce, created, expires }: SignatureInput): void {
      const moment = now()
      const signedAt = created * 1000
      const until = Math.min(signedAt + lifeMs, expires === null ? Number.POSITIVE_INFINITY : expires * 1000)
      if (signedAt > moment + aheadMs || moment >= until) throw stale()
      if (signedAt <= started + aheadMs) throw later('the panel has just started')
      for (const [one, end] of keptUntil) {
        if (end > moment) break
        keptUntil.delete(one)
      }
      const name = `${keyId} ${nonce}`
      if (keptUntil.has(name)) throw stale()
      if (keptUntil.size >= mostKept) throw later('too many signed requests')
      // All are kept equally long, so that the map's order is that of their ends.
      keptUntil.set(name, moment + lifeMs + aheadMs)
    },
  }
}

function stale(): WcpError {
  return new WcpError(
    'not_signed_in',
    'Cannot accept this signed request: it is too old, from the future, or came before',
    {
      help: 'Sign each request anew, with the present time and a nonce of its own.',
    },
  )
}

function later(why: string): WcpError {
  return new WcpError('unavailable', `Cannot accept signed requests now: ${why}`, {
    help: 'Sign it anew in a moment.',
    details: { retryAfterSeconds: 3 },
  })
}
