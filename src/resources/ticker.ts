/** Work that is looked for again and again, and never done twice at once. */

export interface Ticker {
  /** Does it now; who asks while it is done waits for that. */
  wake(): Promise<void>
  start(): void
  /** Begins nothing more, and waits for what is under way. */
  stop(): Promise<void>
}

/** @param onFault is told what the work throws, after which the next tick tries again */
export function ticker(work: () => Promise<void>, tickMs: number, onFault: (error: unknown) => void): Ticker {
  let working: Promise<void> | null = null
  let timer: NodeJS.Timeout | undefined

  function wake(): Promise<void> {
    working ??= work()
      .catch(onFault)
      .finally(() => {
        working = null
      })
    return working
  }

  return {
    wake,
    start(): void {
      timer = setInterval(() => void wake(), tickMs)
    },
    async stop(): Promise<void> {
      clearInterval(timer)
      await working
    },
  }
}
