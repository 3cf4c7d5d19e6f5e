/**
 * Slows password guessing without ever locking anybody out (threats C26): failures are counted per account and network,
 * per network, and in total; above its limit each waits longer and longer, and a stranger's failures never count
 * against the owner's own network. A try counts as failed from its beginning, so that tries at once cannot outrun it.
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
  /** Before anything is looked at: counts the try. Throws `too_many_requests` with `details.retryAfterSeconds`. */
  enter(account: string, address: string): Attempt
}

/** One counted try; left alone it stays a failure. */
export interface Attempt {
  /** Forgets the failures of the account from this network. */
  succeeded(): void
  /** Nothing was checked, so that nothing could be learnt from it. */
  withdrawn(): void
}

interface Count {
  failures: number
  first: number
  blockedUntil: number
}

/**
 * @param onRefused hears of each try that has to wait
 * @param now monotonic milliseconds: a jump of the clock neither frees nor blocks anybody
 */
export function loginThrottle(
  limits: () => ThrottleLimits,
  onRefused: (address: string) => void,
  now: () => number = () => performance.now(),
): Throttle {
  const counts = new Map<string, Count>()
  let minute = { started: now(), tries: 0 }

  /** Milliseconds until the next try may come; none when it may now. */
  function waitOf(keys: readonly string[], moment: number): number {
    if (moment - minute.started >= 60_000) minute = { started: moment, tries: 0 }
    if (minute.tries >= limits().globalPerMinute) return minute.started + 60_000 - moment
    return Math.max(0, ...keys.map((key) => (counts.get(key)?.blockedUntil ?? 0) - moment))
  }

  function count(key: string, limit: number, moment: number): void {
    const known = counts.get(key)
    const one = known && !isOver(known, moment) ? known : { failures: 0, first: moment, blockedUntil: 0 }
    one.failures++
    if (one.failures >= limit) one.blockedUntil = moment + backoff(one.failures - limit)
    counts.delete(key) // so that the map's order is that of the last try
    counts.set(key, one)
  }

  function giveBack(key: string, limit: number): void {
    const one = counts.get(key)
    if (one === undefined) return
    one.failures--
    if (one.failures < limit) one.blockedUntil = 0
    if (one.failures <= 0) counts.delete(key)
  }

  return {
    enter(account, address) {
      const { perAccount, perNetwork } = limits()
      const moment = now()
      const network = `network ${networkOf(address)}`
      const own = `account ${account.toLowerCase().slice(0, 320)} ${network}`
      const wait = waitOf([own, network], moment)
      if (wait > 0) {
        onRefused(address)
        throw waitFor(wait)
      }
      minute.tries++
      count(own, perAccount, moment)
      count(network, perNetwork, moment)
      forgetOldest(counts, moment)
      return {
        succeeded() {
          counts.delete(own)
          giveBack(network, perNetwork)
        },
        withdrawn() {
          giveBack(own, perAccount)
          giveBack(network, perNetwork)
        },
      }
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
