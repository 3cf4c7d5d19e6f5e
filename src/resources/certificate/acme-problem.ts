/** An authority's refusal, in its own words (RFC 8555, 6.7), and how long it asks to be left alone. */
import { z } from 'zod'
import type { AcmeAnswer } from './acme-http.ts'

const Problem = z.object({ type: z.string().default(''), detail: z.string().default('') })
/** Nobody is waited for longer. */
const longestMs = 7 * 86_400_000

export class AcmeProblem extends Error {
  /** The last part of its URN: `badNonce`, `rateLimited`. */
  readonly type: string
  readonly retryAfterMs: number | null
  /** It is about the account or the authority, not about this order. */
  readonly isForAll: boolean

  constructor(
    type: string,
    message: string,
    { retryAfterMs = null, isForAll = false }: Partial<Pick<AcmeProblem, 'retryAfterMs' | 'isForAll'>> = {},
  ) {
    super(message)
    this.name = 'AcmeProblem'
    this.type = type
    this.retryAfterMs = retryAfterMs
    this.isForAll = isForAll
  }
}

export function problemOf(answer: Pick<AcmeAnswer, 'status' | 'headers' | 'body'>): AcmeProblem {
  const { type, detail } = problemIn(answer.body)
  const said = detail === '' ? `it answered ${answer.status}` : detail
  return new AcmeProblem(type, `The authority refuses: ${said}`, {
    retryAfterMs: retryAfter(answer.headers['retry-after']),
    isForAll: answer.status === 429 || answer.status >= 500,
  })
}

/** @param text of a problem document, or of anything */
export function problemIn(text: unknown): { type: string; detail: string } {
  const found = Problem.safeParse(typeof text === 'string' ? jsonOf(text) : text)
  const { type, detail } = found.success ? found.data : { type: '', detail: '' }
  return { type: type.replace(/^urn:ietf:params:acme:error:/, ''), detail: oneLine(detail) }
}

/** Seconds, or a moment (RFC 9110, 10.2.3). */
export function retryAfter(value: string | undefined, now = Date.now()): number | null {
  if (value === undefined) return null
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), longestMs)
}

/** Strangers' words on a page and in a log. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').slice(0, 400)
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
