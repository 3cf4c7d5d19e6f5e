/** A calendar expression: the five fields of crontab(5), or systemd's OnCalendar to the minute. Both become the same sets. */
import { parseCrontab } from './crontab.ts'
import { parseOnCalendar } from './on-calendar.ts'

export interface Calendar {
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  /** Of the month, from its first. */
  readonly days: ReadonlySet<number>
  /** Of the month, from its last, which is 1. */
  readonly lastDays: ReadonlySet<number>
  /** 1 is January. */
  readonly months: ReadonlySet<number>
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>
  /** null: every year. */
  readonly years: ReadonlySet<number> | null
  /** A day that fits either the month's days or the week's is enough: crontab(5), when both are restricted. */
  readonly isEitherDay: boolean
}

/** Five words are a crontab; OnCalendar has at most three. @throws CalendarProblem */
export function parseCalendar(text: string): Calendar {
  const words = text.trim().split(/\s+/)
  return text.trim().startsWith('@') || words.length >= 5 ? parseCrontab(words) : parseOnCalendar(words)
}
