/**
 * So many at once and so many a minute, for each key: a token bucket kept as one number, the moment at which it is full
 * again (GCRA). Told to programs as draft-ietf-httpapi-ratelimit-headers-10 has it.
 */
import { WcpError } from '../../contract/errors.ts'

/** Above it the key that was used longest ago starts anew. */
const mostKeys = 20_000

export interface Allowance {
  readonly perMinute: number
  /** May come at once, after a pause. */
  readonly burst: number
}

export interface Standing {
  readonly name: string
  readonly perMinute: number
  /** May still come now. */
  readonly remaining: number
  /** Seconds until the whole burst may come again. */
  readonly fullInSeconds: number
  /** null: this one may come; else seconds until the next may. */
  readonly waitSeconds: number | null
}

export interface Quota {
  /** Counts one of the key, unless it has to wait. */
  take(key: string): Standing
}

/** @param now monotonic milliseconds: a jump of the clock neither frees nor blocks anybody. */
export function quota(name: string, allowance: () => Allowance, now: () => number = () => performance.now()): Quota {
  /** In the order of the last use. */
  const fullAt = new Map<string, number>()

  function forget(moment: number): void {
    for (const [key, full] of fullAt) {
      if (full > moment && fullAt.size <= mostKeys) return
      fullAt.delete(key)
    }
  }

  return {
    take(key) {
      const { perMinute, burst } = allowance()
      const moment = now()
      const each = 60_000 / perMinute
      const before = Math.max(moment, fullAt.get(key) ?? 0)
      const missing = before + each - moment - burst * each
      const full = missing > 0 ? before : before + each
      if (missing <= 0) {
        fullAt.delete(key)
        fullAt.set(key, full)
        forget(moment)
      }
      return {
        name,
        perMinute,
        remaining: Math.max(0, Math.floor(burst - (full - moment) / each + 1e-9)),
        fullInSeconds: Math.ceil((full - moment) / 1000),
        waitSeconds: missing > 0 ? Math.ceil(missing / 1000) : null,
      }
    },
  }
}

/** `RateLimit-Policy` and `RateLimit` of an answer. */
export function rateLimitHeaders({ name, perMinute, remaining, fullInSeconds }: Standing): Record<string, string> {
  return {
    'ratelimit-policy': `"${name}";q=${perMinute};w=60`,
    ratelimit: `"${name}";r=${remaining};t=${fullInSeconds}`,
  }
}

/** @throws WcpError `too_many_requests` when it has to wait */
export function demandQuota({ name, perMinute, waitSeconds }: Standing): void {
  if (waitSeconds === null) return
  throw new WcpError('too_many_requests', `Cannot do this now: more than ${perMinute} ${name} a minute`, {
    details: { retryAfterSeconds: waitSeconds },
  })
}
