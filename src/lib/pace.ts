/** Lets go so many a second, in order: who comes alone does not wait, and a flood cannot take more than that of the processor. */
import { setTimeout as sleep } from 'node:timers/promises'

/** @param now monotonic milliseconds */
export function pace(perSecond: number, now: () => number = () => performance.now()): () => Promise<void> {
  let free = now()
  return async () => {
    const moment = now()
    const turn = Math.max(moment, free)
    free = turn + 1000 / perSecond
    if (turn > moment) await sleep(turn - moment)
  }
}
