/** Asks the DNS for the TXT records of one name, in bounded time. What the servers answer is an answer, never an error. */
import { Resolver } from 'node:dns/promises'

export type TxtAnswer =
  /** Each record as one text, its parts put together (RFC 7208, 3.3). */
  | { readonly kind: 'records'; readonly values: readonly string[] }
  /** There is no such name, or it has no TXT record. */
  | { readonly kind: 'absent'; readonly why: string }
  /** A server answered, and not with what was asked: its zone or its signatures are broken, or it does not answer us. */
  | { readonly kind: 'server_failure'; readonly why: string }
  | { readonly kind: 'no_answer'; readonly why: string }

export interface LookupOptions {
  /** Addresses with or without ports; none: those of the system, as they are configured at this moment. */
  readonly servers: readonly string[]
  /** Ends the look at once. */
  readonly signal?: AbortSignal
  /** For one question to one server. */
  readonly tryMs?: number
  /** For everything; then what is still asked is given up. */
  readonly totalMs?: number
}

export async function lookUpTxt(
  name: string,
  { servers, signal, tryMs = 2000, totalMs = 10_000 }: LookupOptions,
): Promise<TxtAnswer> {
  const resolver = new Resolver({ timeout: tryMs, tries: 2 })
  if (servers.length > 0) resolver.setServers(servers)
  const cancel = () => resolver.cancel()
  const timer = setTimeout(cancel, totalMs)
  signal?.addEventListener('abort', cancel)
  try {
    const records = await resolver.resolveTxt(name)
    return { kind: 'records', values: records.map((parts) => parts.join('')) }
  } catch (error) {
    return answerOf(error instanceof Error && 'code' in error ? String(error.code) : String(error))
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
  }
}

/** The codes of c-ares (node:dns, "Error codes"). */
function answerOf(code: string): TxtAnswer {
  if (code === 'ENOTFOUND') return { kind: 'absent', why: 'there is no such name (NXDOMAIN)' }
  if (code === 'ENODATA') return { kind: 'absent', why: 'the name has no TXT record' }
  const why = code.replace(/^E/, '')
  const failures = ['ESERVFAIL', 'EREFUSED', 'EFORMERR', 'ENOTIMP', 'EBADRESP']
  return failures.includes(code) ? { kind: 'server_failure', why } : { kind: 'no_answer', why }
}
