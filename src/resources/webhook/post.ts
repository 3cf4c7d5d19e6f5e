/**
 * An HTTPS POST to an address that somebody else has chosen: only to the public internet unless the configuration says
 * otherwise, connected to the very address that was looked at, without redirects, and bounded in time and size.
 */
import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns'
import { once } from 'node:events'
import { request } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from './public-address.ts'

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Addresses of this machine and of private networks may be reached. */
  readonly mayBePrivate: boolean
  readonly timeoutMs: number
  /** PEM of whom to trust, instead of what Node trusts. */
  readonly ca?: string | undefined
  /** Asks the resolver of the machine. */
  readonly resolve?: (host: string, options: LookupAllOptions, answer: LookupAnswer) => void
}

type LookupAnswer = (error: Error | null, addresses: LookupAddress[]) => void

/** @returns the status of the answer, whose body is not read. Throws when there is none. */
export async function postTo(url: string, options: PostOptions): Promise<number> {
  const { headers, body, mayBePrivate, timeoutMs, ca, resolve = lookup } = options
  const target = new URL(url)
  const host = target.hostname.replace(/^\[|\]$/g, '')
  // A literal address is connected to without being looked up.
  if (isIP(host) !== 0 && !mayBePrivate && !isPublicAddress(host)) throw notPublic(host)
  const call = request(target, {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
    ca,
    maxHeaderSize: 16 * 1024,
    lookup: checkedLookup(mayBePrivate, resolve),
  })
  try {
    const answered = once(call, 'response')
    call.end(body)
    const [{ statusCode }] = await answered
    return statusCode
  } finally {
    call.on('error', () => {}).destroy()
  }
}

/** Hands only checked addresses to the connection, so that no second look at the name can lead anywhere else. */
function checkedLookup(mayBePrivate: boolean, resolve: NonNullable<PostOptions['resolve']>): LookupFunction {
  return (host, { all }, answer) => {
    resolve(host, { all: true }, (error, addresses) => {
      if (error) return answer(error, [])
      const allowed = addresses.filter(({ address }) => mayBePrivate || isPublicAddress(address))
      const [first] = allowed
      if (first === undefined) return answer(notPublic(host), [])
      return all ? answer(null, allowed) : answer(null, first.address, first.family)
    })
  }
}

function notPublic(host: string): Error {
  return new Error(`"${host}" is no address of the public internet; webhook_targets in the configuration allows others`)
}
