/** The five fields of crontab(5): minute, hour, day of the month, month, day of the week. */
import type { Calendar } from './calendar.ts'
import { CalendarProblem, type FieldRules, parseField } from './calendar-field.ts'

const common = { range: '-', mayStepFromOne: false } as const
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const minute: FieldRules = { ...common, what: 'minute', min: 0, max: 59 }
const hour: FieldRules = { ...common, what: 'hour', min: 0, max: 23 }
const day: FieldRules = { ...common, what: 'day of the month', min: 1, max: 31 }
const month: FieldRules = { ...common, what: 'month', min: 1, max: 12, names: months }
/** 7 is Sunday as well. */
const weekday: FieldRules = { ...common, what: 'day of the week', min: 0, max: 7, names: weekdays }

const macros: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
}

export function parseCrontab(words: readonly string[]): Calendar {
  const [first = ''] = words
  if (first.startsWith('@')) {
    const fields = words.length === 1 ? macros[first.toLowerCase()] : undefined
    if (fields !== undefined) return parseCrontab(fields.split(' '))
    throw new CalendarProblem(`has "${words.join(' ')}"`, Object.keys(macros).join(', '))
  }
  const [minutes = '', hours = '', days = '', monthsOf = '', week = '', ...rest] = words
  if (rest.length > 0)
    throw new CalendarProblem(
      'has more than five fields',
      'minute, hour, day of the month, month, day of the week; the command is apart',
    )
  return {
    minutes: parseField(minutes, minute),
    hours: parseField(hours, hour),
    days: parseField(days, day),
    lastDays: new Set(),
    months: parseField(monthsOf, month),
    weekdays: new Set([...parseField(week, weekday)].map((one) => one % 7)),
    years: null,
    // a field that begins with "*" does not restrict, not even "*/2"
    isEitherDay: !days.startsWith('*') && !week.startsWith('*'),
  }
}
