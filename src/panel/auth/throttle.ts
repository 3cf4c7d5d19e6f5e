/**
 * Slows password guessing without ever locking anybody out (threats C26). Strangers' failures are counted per account and
 * network, per network, per range of networks, and in total; above its limit each waits longer and longer. Who is known is
 * counted for themselves, so no number of strangers makes them wait. A try counts as failed from its beginning, so that
 * tries at once cannot outrun it, and one that is refused later for want of room stays counted.
 */
import { WcpError } from '../../contract/errors.ts'
import type { Known } from './acquaintance.ts'
import { whence } from './network.ts'

const windowMs = 15 * 60_000
const longestWaitMs = 15 * 60_000
const mostKeys = 20_000
/** Times as many failures as from one network. */
const rangeIsWorth = 8

export interface ThrottleLimits {
  /** Failures in 15 minutes for one account from one network. */
  readonly perAccount: number
  readonly perNetwork: number
  /** Strangers' tries in one minute; the second half is for ranges of networks that have not tried of late. */
  readonly globalPerMinute: number
}

export interface Try {
  readonly account: string
  readonly address: string
  readonly known: Known
  /** The password was right, or a session is there: it does not count among the strangers' of the minute. */
  readonly isBegun?: true
}

export interface Throttle {
  /** Before anything is looked at: counts the try. Throws `too_many_requests` with `details.retryAfterSeconds`. */
  enter(one: Try): Attempt
}

/** One counted try; left alone it stays a failure. */
export interface Attempt {
  /** Forgets the failures of the account from this network, or of this device. */
  succeeded(): void
  /** Nothing was checked, because what would check is away. */
  withdrawn(): void
}

interface Count {
  failures: number
  first: number
  blockedUntil: number
}

interface Counter {
  readonly key: string
  readonly limit: number
}

/** `own`: of the account, or of what is known; `shared`: of all who come from there. */
interface Counters {
  readonly own: Counter
  readonly shared: readonly Counter[]
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
  function waitOf(counters: readonly Counter[], moment: number): number {
    return Math.max(0, ...counters.map(({ key }) => (counts.get(key)?.blockedUntil ?? 0) - moment))
  }

  /** Of the strangers: a range that has not tried of late still gets in when the others have had their half. */
  function waitOfMinute(address: string, moment: number): number {
    if (moment - minute.started >= 60_000) minute = { started: moment, tries: 0 }
    const before = counts.get(rangeKey(address))
    const most = limits().globalPerMinute
    const share = before === undefined || isOver(before, moment) ? most : Math.ceil(most / 2)
    return minute.tries >= share ? minute.started + 60_000 - moment : 0
  }

  function count({ key, limit }: Counter, moment: number): void {
    const known = counts.get(key)
    const one = known && !isOver(known, moment) ? known : { failures: 0, first: moment, blockedUntil: 0 }
    one.failures++
    if (one.failures >= limit) one.blockedUntil = moment + backoff(one.failures - limit)
    counts.delete(key) // so that the map's order is that of the last try
    counts.set(key, one)
  }

  function giveBack({ key, limit }: Counter): void {
    const one = counts.get(key)
    if (one === undefined) return
    one.failures--
    if (one.failures < limit) one.blockedUntil = 0
    if (one.failures <= 0) counts.delete(key)
  }

  return {
    enter(one) {
      const moment = now()
      const { own, shared } = countersOf(one, limits())
      const isOfMinute = one.known === null && one.isBegun !== true
      const wait = Math.max(waitOf([own, ...shared], moment), isOfMinute ? waitOfMinute(one.address, moment) : 0)
      if (wait > 0) {
        onRefused(one.address)
        throw waitFor(wait)
      }
      if (isOfMinute) minute.tries++
      for (const counter of [own, ...shared]) count(counter, moment)
      forgetOldest(counts, moment)
      return {
        succeeded() {
          counts.delete(own.key)
          shared.forEach(giveBack)
        },
        withdrawn() {
          for (const counter of [own, ...shared]) giveBack(counter)
        },
      }
    },
  }
}

const rangeKey = (address: string) => `range ${whence(address).range}`

function countersOf({ account: given, address, known }: Try, { perAccount, perNetwork }: ThrottleLimits): Counters {
  const { network, source } = whence(address)
  const account = `account ${given.toLowerCase().slice(0, 320)}`
  switch (known?.kind) {
    case 'device':
    case 'session':
      return { own: { key: `${account} ${known.kind} ${known.id}`, limit: perAccount }, shared: [] }
    case 'network': // a neighbour's failures do not count against the owner's own address
      return {
        own: { key: `${account} at ${source}`, limit: perAccount },
        shared: [{ key: `${account} near ${network}`, limit: perNetwork }],
      }
    default:
      return {
        own: { key: `${account} from ${network}`, limit: perAccount },
        shared: [
          { key: `network ${network}`, limit: perNetwork },
          { key: rangeKey(address), limit: perNetwork * rangeIsWorth },
        ],
      }
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
