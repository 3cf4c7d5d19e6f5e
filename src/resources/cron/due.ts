/** When a cron job is due, and what is done about it. */

import { nextTime } from './next-time.ts'
import { parseCalendar } from './parse-calendar.ts'
import type { Cron, IfMissed } from './schema.ts'

/** Later than this a time counts as missed: the panel was not there, or the clock was set forward. */
export const lateMs = 5 * 60_000

type Planned = Pick<Cron, 'id' | 'schedule' | 'timeZone' | 'jitterSeconds'>

/** @returns milliseconds since 1970; undefined when the schedule has no more times */
export function nextDue(cron: Planned, after: number): number | undefined {
  const delay = delayMs(cron)
  const time = nextTime(parseCalendar(cron.schedule), cron.timeZone, after - delay)
  return time === undefined ? undefined : time + delay
}

/** The same for each run of one job, so that the time between its runs is that of its schedule. */
function delayMs({ id, jitterSeconds }: Pick<Planned, 'id' | 'jitterSeconds'>): number {
  return (Number.parseInt(id.slice(0, 8), 16) % (jitterSeconds + 1)) * 1000
}

export interface Moment {
  readonly dueAt: number
  readonly now: number
  readonly ifMissed: IfMissed
  /** Its run before has not ended. */
  readonly isBusy: boolean
  /** Tenant and site are served. */
  readonly isServed: boolean
}

/** `pass`: as if it had not been due. */
export type Decision = 'run' | 'skipped' | 'missed' | 'pass'

export function decide({ dueAt, now, ifMissed, isBusy, isServed }: Moment): Decision {
  if (!isServed) return 'pass'
  if (isBusy) return 'skipped'
  return now - dueAt > lateMs && ifMissed === 'skip' ? 'missed' : 'run'
}

/**
 * Whether the clock of the wall was set back since the last look, told by the clock that only goes forward. What was planned
 * by the wrong clock may lie hours ahead.
 */
export class ClockWatch {
  #last: { readonly wall: number; readonly steady: number } | undefined

  wasSetBack(wall: number, steady: number): boolean {
    const last = this.#last
    this.#last = { wall, steady }
    return last !== undefined && wall - last.wall < steady - last.steady - toleranceMs
  }
}

/** What clocks that are kept right drift apart between two looks. */
const toleranceMs = 2000
