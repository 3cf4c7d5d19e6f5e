/** So many in a span of time for each key, and no more; what came before is forgotten as it grows old. */
import { WcpError } from '../../contract/errors.ts'

const mostKeys = 20_000

export interface RateLimit {
  /** Throws `too_many_requests` with `details.retryAfterSeconds`. */
  enter(key: string): void
}

/** @param now monotonic milliseconds */
export function rateLimit(most: number, spanMs: number, now: () => number = () => performance.now()): RateLimit {
  const moments = new Map<string, number[]>()
  return {
    enter(key) {
      const moment = now()
      const recent = (moments.get(key) ?? []).filter((one) => one > moment - spanMs)
      const [oldest] = recent
      if (oldest !== undefined && recent.length >= most)
        throw new WcpError('too_many_requests', 'Cannot do this now: it was asked for too often', {
          details: { retryAfterSeconds: Math.ceil((oldest + spanMs - moment) / 1000) },
        })
      moments.delete(key) // so that the map's order is that of the last use
      moments.set(key, [...recent, moment])
      const [first] = moments.keys()
      if (moments.size > mostKeys && first !== undefined) moments.delete(first)
    },
  }
}
