/** Short-lived cache; any change clears it. */

const mostKept = 1000

export interface BriefMemory<T> {
  /** The cached value, or the one that `look` finds now. Errors are not cached. */
  of(key: string, look: () => Promise<T>): Promise<T>
  /** Something was changed: also what is being looked up at this moment will not be remembered. */
  forget(): void
}

/** @param now monotonic milliseconds */
export function briefMemory<T>(longestMs: number, now: () => number = () => performance.now()): BriefMemory<T> {
  const kept = new Map<string, { readonly value: T; readonly until: number }>()
  let changes = 0

  return {
    async of(key, look) {
      const begun = now()
      const found = kept.get(key)
      if (found !== undefined && begun < found.until) return found.value
      const before = changes
      const value = await look()
      if (before === changes) {
        kept.delete(key) // so that the map's order is that of age
        kept.set(key, { value, until: begun + longestMs })
        const [oldest] = kept.keys()
        if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
      }
      return value
    },
    forget() {
      changes++
      kept.clear()
    },
  }
}
