/**
 * Slows password guessing without ever locking anybody out (threats C26): failures are counted per account and network,
 * per network, and in total; above its limit each waits longer and longer, and a stranger's failures never count
 * against the owner's own network.
 */
import { isIPv6 } from 'node:net'
import { WcpError } from '../../contract/errors.ts'

const windowMs = 15 * 60_000
const longestWaitMs = 15 * 60_000
const mostKeys = 20_000

export interface ThrottleLimits {
  /** Failures in 15 minutes for one account from one network. */
  readonly perAccount: number
  readonly perNetwork: number
  /** Tries in one minute of all together. */
  readonly globalPerMinute: number
}

export interface Throttle {
  /** Before a password is looked at. Throws `too_many_requests` with `details.retryAfterSeconds`. */
  enter(account: string, address: string): void
  failed(account: string, address: string): void
  succeeded(account: string, address: string): void
}

interface Count {
  failures: number
  first: number
  blockedUntil: number
}

/** @param now monotonic milliseconds: a jump of the clock neither frees nor blocks anybody. */
export function loginThrottle(limits: () => ThrottleLimits, now: () => number = () => performance.now()): Throttle {
  const counts = new Map<string, Count>()
  let minute = { started: now(), tries: 0 }

  const keysOf = (account: string, address: string) => {
    const network = networkOf(address)
    return [
      { key: `account ${account.toLowerCase().slice(0, 320)} ${network}`, limit: limits().perAccount },
      { key: `network ${network}`, limit: limits().perNetwork },
    ]
  }

  return {
    enter(account, address) {
      const moment = now()
      if (moment - minute.started >= 60_000) minute = { started: moment, tries: 0 }
      if (minute.tries >= limits().globalPerMinute) throw waitFor(minute.started + 60_000 - moment)
      const blocked = keysOf(account, address).map(({ key }) => (counts.get(key)?.blockedUntil ?? 0) - moment)
      const wait = Math.max(...blocked)
      if (wait > 0) throw waitFor(wait)
      minute.tries++
    },
    failed(account, address) {
      const moment = now()
      for (const { key, limit } of keysOf(account, address)) {
        const known = counts.get(key)
        const count = known && !isOver(known, moment) ? known : { failures: 0, first: moment, blockedUntil: 0 }
        count.failures++
        if (count.failures >= limit) count.blockedUntil = moment + backoff(count.failures - limit)
        counts.delete(key) // so that the map's order is that of the last failure
        counts.set(key, count)
      }
      forgetOldest(counts, moment)
    },
    succeeded(account, address) {
      const [own] = keysOf(account, address)
      if (own) counts.delete(own.key)
    },
  }
}

/** 30 seconds, doubled with each further failure. */
const backoff = (over: number) => Math.min(longestWaitMs, 30_000 * 2 ** Math.min(over, 10))

const isOver = (count: Count, moment: number) => moment >= Math.max(count.first + windowMs, count.blockedUntil)

function forgetOldest(counts: Map<string, Count>, moment: number): void {
  for (const [key, count] of counts) {
    if (counts.size <= mostKeys && !isOver(count, moment)) return
    counts.delete(key)
  }
}

function waitFor(ms: number): WcpError {
  const seconds = Math.max(1, Math.ceil(ms / 1000))
  return new WcpError('too_many_requests', 'Cannot sign in now: too many attempts', {
    details: { retryAfterSeconds: seconds },
  })
}

/** One network is what one customer of an access provider commands: an IPv4 /24, an IPv6 /64. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
  if (!isIPv6(mapped)) return mapped.split('.').slice(0, 3).join('.')
  const [head = '', tail] = (mapped.split('%')[0] ?? '').split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail ? tail.split(':') : []
  const zeros = tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0')
  return [...front, ...zeros, ...back]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
