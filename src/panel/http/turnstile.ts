/**
 * Lets go so many a second, by a fair line: who comes alone does not wait, and a flood can neither take more than that of the
 * processor nor the turns of others. Who leaves the line takes nobody's turn.
 */
import { FairLine, type Path } from '../auth/fair-line.ts'

export interface Place {
  /** Whether it came to one's turn; false after `leave`. */
  readonly turn: Promise<boolean>
  leave(): void
}

export function turnstile(perSecond: number): (path: Path) => Place {
  const line = new FairLine<(isLetGo: boolean) => void>()
  let isTicking = false

  function tick(): void {
    const first = line.shift()
    isTicking = first !== undefined
    if (first === undefined) return
    first(true)
    setTimeout(tick, 1000 / perSecond)
  }

  return (path) => {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    line.push(path, resolve)
    if (!isTicking) tick()
    return {
      turn: promise,
      leave: () => {
        line.remove(path, resolve)
        resolve(false)
      },
    }
  }
}
