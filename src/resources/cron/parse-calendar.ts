/** A calendar expression: the five fields of crontab(5), or systemd's OnCalendar to the minute. */
import type { Calendar } from './calendar.ts'
import { parseCrontab } from './crontab.ts'
import { parseOnCalendar } from './on-calendar.ts'

/** Five words are a crontab; OnCalendar has at most three. @throws CalendarProblem */
export function parseCalendar(text: string): Calendar {
  const words = text.trim().split(/\s+/)
  return text.trim().startsWith('@') || words.length >= 5 ? parseCrontab(words) : parseOnCalendar(words)
}
