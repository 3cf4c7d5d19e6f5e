/** Lines that a panel in wrong hands can bring about as often as it likes: some each minute, the rest counted (C38). */

import type { Log } from '../log.ts'
import { Budget } from './budget.ts'

/** `unlogged`: lines before it that were left out. */
export type RationedLog = (level: keyof Log, facts: object, message: string) => void

const linesAMinute = 20

export function rationedLog(log: Log): RationedLog {
  const lines = new Budget(linesAMinute, 60_000)
  let unlogged = 0
  return (level, facts, message) => {
    if (lines.spend() > 0) {
      unlogged++
      return
    }
    log[level](unlogged === 0 ? facts : { ...facts, unlogged }, message)
    unlogged = 0
  }
}
