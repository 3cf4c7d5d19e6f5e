/**
 * Refusals in the audit trail: written one by one while they are few. Whoever has had so many within a quarter of an hour has
 * the further ones counted, by what was refused, and told as one entry each when it is over or the panel stops.
 */
export interface Repeats {
  /**
   * Whether this one is to be written as it is; else it is counted.
   * @param owner whose share it is: a tenant, a person, or all strangers
   * @param what of the same the number is told
   * @param tell writes the number
   */
  isInFull(owner: string, what: string, tell: (refusals: number) => Promise<void>): boolean
  /** Writes what is left to tell. */
  stop(): Promise<void>
}

export interface RepeatsOptions {
  readonly onError: (error: unknown) => void
  /** Of one owner in a window. */
  readonly mostInFull?: number
  readonly windowMs?: number
}

/** Of one owner told apart; all further ones are told as the first of them. */
const mostKinds = 50
/** Told apart; all further ones are one. */
const mostOwners = 20_000

interface Count {
  refusals: number
  readonly tell: (refusals: number) => Promise<void>
}

interface Window {
  inFull: number
  readonly counts: Map<string, Count>
  readonly end: () => void
}

export function repeats({ onError, mostInFull = 60, windowMs = 15 * 60_000 }: RepeatsOptions): Repeats {
  const windows = new Map<string, Window>()
  let written = Promise.resolve()

  function begin(owner: string): Window {
    const counts = new Map<string, Count>()
    const end = () => {
      clearTimeout(timer)
      windows.delete(owner)
      for (const { refusals, tell } of counts.values()) written = written.then(() => tell(refusals)).catch(onError)
    }
    const timer = setTimeout(end, windowMs).unref()
    const window = { inFull: 0, counts, end }
    windows.set(owner, window)
    return window
  }

  return {
    isInFull(given, what, tell) {
      const owner = windows.has(given) || windows.size < mostOwners ? given : 'others'
      const window = windows.get(owner) ?? begin(owner)
      if (window.inFull < mostInFull) {
        window.inFull++
        return true
      }
      const kind = window.counts.has(what) || window.counts.size < mostKinds ? what : 'more'
      const count = window.counts.get(kind) ?? { refusals: 0, tell }
      window.counts.set(kind, count)
      count.refusals++
      return false
    },

    async stop() {
      for (const { end } of [...windows.values()]) end()
      await written
    },
  }
}
