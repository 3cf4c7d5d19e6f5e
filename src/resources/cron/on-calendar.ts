/**
 * systemd's OnCalendar (systemd.time(7)), to the minute: weekdays, a date and a time, each of which can be left out. A time
 * zone is not part of it here, and seconds other than 0 are refused.
 */
import type { Calendar } from './calendar.ts'
import { CalendarProblem, type FieldRules, parseField } from './calendar-field.ts'

const common = { range: '..', mayStepFromOne: true } as const
const long = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const short = long.map((name) => name.slice(0, 3))

const minute: FieldRules = { ...common, what: 'minute', min: 0, max: 59 }
const hour: FieldRules = { ...common, what: 'hour', min: 0, max: 23 }
const day: FieldRules = { ...common, what: 'day of the month', min: 1, max: 31 }
const month: FieldRules = { ...common, what: 'month', min: 1, max: 12 }
const year: FieldRules = { ...common, what: 'year', min: 1970, max: 2199 }

const macros: Readonly<Record<string, string>> = {
  minutely: '*-*-* *:*',
  hourly: '*-*-* *:00',
  daily: '*-*-* 00:00',
  weekly: 'Mon *-*-* 00:00',
  monthly: '*-*-01 00:00',
  quarterly: '*-01,04,07,10-01 00:00',
  semiannually: '*-01,07-01 00:00',
  yearly: '*-01-01 00:00',
  annually: '*-01-01 00:00',
}

const forms =
  'five fields such as "30 4 * * 1", or systemd’s calendar such as "Mon..Fri 04:30", "*-*-01 06:00" or "daily"'

export function parseOnCalendar(words: readonly string[]): Calendar {
  const macro = words.length === 1 ? macros[words[0]?.toLowerCase() ?? ''] : undefined
  if (macro !== undefined) return parseOnCalendar(macro.split(' '))
  const rest = [...words]
  const week = /^[a-z]/i.test(rest[0] ?? '') ? rest.shift() : undefined
  const date = rest[0]?.includes(':') === false ? rest.shift() : undefined
  const time = rest.shift() ?? '00:00'
  if (rest.length > 0) throw new CalendarProblem('has too many parts', forms)
  return { ...dayOf(date), ...timeOf(time), weekdays: weekdaysOf(week), isEitherDay: false }
}

function weekdaysOf(week: string | undefined): Set<number> {
  if (week === undefined) return new Set(short.keys())
  // a week begins on Monday here: "Fri..Sun" is a range
  const places = week.split(',').flatMap((part) => {
    const [from = 0, to = from, ...rest] = part.split('..').map(placeInWeek)
    if (rest.length > 0 || from > to)
      throw new CalendarProblem(`has "${part}"`, 'a range of weekdays such as "Mon..Fri"')
    return Array.from({ length: to - from + 1 }, (_, place) => (from + place + 1) % 7)
  })
  return new Set(places)
}

/** Monday is 0. */
function placeInWeek(word: string): number {
  const name = word.toLowerCase()
  const place = Math.max(short.indexOf(name), long.indexOf(name))
  if (place === -1) throw new CalendarProblem(`has "${word}"`, `a weekday such as "Mon"; or ${forms}`)
  return (place + 6) % 7
}

/** `Y-M-D`, `M-D`, and `M~D` for days from the month's end. */
function dayOf(date = '*-*-*'): Pick<Calendar, 'years' | 'months' | 'days' | 'lastDays'> {
  const parts = /^(?:([^-~]+)-)?([^-~]+)([-~])([^-~]+)$/.exec(date)
  if (parts === null) throw new CalendarProblem(`has "${date}"`, `a date such as "*-*-01"; or ${forms}`)
  const [, years = '*', months = '', from, days = ''] = parts
  const found = parseField(days, day)
  return {
    years: years === '*' ? null : parseField(years, year),
    months: parseField(months, month),
    days: from === '-' ? found : new Set(),
    lastDays: from === '~' ? found : new Set(),
  }
}

function timeOf(time: string): Pick<Calendar, 'hours' | 'minutes'> {
  const [hours = '', minutes, seconds = '00', ...rest] = time.split(':')
  if (minutes === undefined || rest.length > 0) throw new CalendarProblem(`has "${time}"`, 'a time such as "04:30"')
  if (!/^0{1,2}$/.test(seconds))
    throw new CalendarProblem(`has seconds in "${time}"`, 'a time such as "04:30": runs begin with their minute')
  return { hours: parseField(hours, hour), minutes: parseField(minutes, minute) }
}
