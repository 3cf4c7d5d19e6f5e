/**
 * Lets go so many a second, in the order of arrival: who comes alone does not wait, and a flood cannot take more than that
 * of the processor. Who leaves the line takes nobody's turn.
 */
export interface Place {
  /** Whether it came to one's turn; false after `leave`. */
  readonly turn: Promise<boolean>
  leave(): void
}

export function turnstile(perSecond: number): () => Place {
  const line = new Set<(isLetGo: boolean) => void>()
  let isTicking = false

  function tick(): void {
    const [first] = line
    isTicking = first !== undefined
    if (first === undefined) return
    line.delete(first)
    first(true)
    setTimeout(tick, 1000 / perSecond)
  }

  return () => {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    line.add(resolve)
    if (!isTicking) tick()
    return {
      turn: promise,
      leave: () => {
        line.delete(resolve)
        resolve(false)
      },
    }
  }
}
