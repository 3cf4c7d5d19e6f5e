/**
 * The next moment of a calendar in a time zone. Two days of a year have a gap or an hour twice: a time that does not exist is
 * made good when the gap is over, and one that comes twice counts once. A calendar of every hour follows the clock instead:
 * nothing is made good, and both of the two hours count.
 */
import type { Calendar } from './calendar.ts'

const minuteMs = 60_000
const dayMs = 1440 * minuteMs
/** 29 February on a Monday comes every 28 years, and every 40 around 2100. */
const farthestMs = 41 * 366 * dayMs

/** @param after milliseconds since 1970 @returns the first moment after it; undefined when there is none */
export function nextTime(calendar: Calendar, timeZone: string, after: number): number | undefined {
  const isEveryHour = calendar.hours.size === 24
  let at = zoned(after, timeZone)
  let from = Math.floor((after + offsetOf(at)) / minuteMs) * minuteMs + minuteMs
  if (!isEveryHour) from = Math.max(from, endOfRepeated(after, timeZone))
  for (let local = nextLocal(calendar, from); local !== undefined; ) {
    const offset = offsetOf(at)
    const change = at.getTimeZoneTransition('next')
    if (change === null || local - offset < change.epochMilliseconds) return local - offset
    const moment = change.epochMilliseconds
    const changed = offsetOf(change)
    if (!isEveryHour && local < moment + changed) return moment // in the gap
    from = moment + (isEveryHour ? changed : Math.max(offset, changed))
    at = change
    if (isEveryHour || local < from) local = nextLocal(calendar, from) // else it is years ahead, and the same again
  }
  return undefined
}

/** The local time at which an hour ends that comes twice, if `after` is in its second pass or later. */
function endOfRepeated(after: number, timeZone: string): number {
  const change = zoned(after + 1, timeZone).getTimeZoneTransition('previous')
  if (change === null) return Number.NEGATIVE_INFINITY
  return change.epochMilliseconds + offsetOf(zoned(change.epochMilliseconds - 1, timeZone))
}

function zoned(moment: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(timeZone)
}

function offsetOf(at: Temporal.ZonedDateTime): number {
  return at.offsetNanoseconds / 1_000_000
}

/** In a time without zones, which is reckoned as UTC. @param from itself counts */
function nextLocal(calendar: Calendar, from: number): number | undefined {
  const start = Math.ceil(from / minuteMs) * minuteMs
  let minute = Math.floor(start / minuteMs) % 1440
  let day = start - minute * minuteMs
  while (day <= start + farthestMs) {
    const date = new Date(day)
    const month = date.getUTCMonth()
    if (calendar.months.has(month + 1) && (calendar.years?.has(date.getUTCFullYear()) ?? true)) {
      const found = isDay(calendar, date) ? nextMinute(calendar, minute) : undefined
      if (found !== undefined) return day + found * minuteMs
      day += dayMs
    } else day = Date.UTC(date.getUTCFullYear(), month + 1, 1)
    minute = 0
  }
  return undefined
}

function isDay({ days, lastDays, weekdays, isEitherDay }: Calendar, date: Date): boolean {
  const day = date.getUTCDate()
  const length = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  const ofMonth = days.has(day) || lastDays.has(length - day + 1)
  const ofWeek = weekdays.has(date.getUTCDay())
  return isEitherDay ? ofMonth || ofWeek : ofMonth && ofWeek
}

/** The minute of the day. */
function nextMinute({ hours, minutes }: Calendar, from: number): number | undefined {
  for (let minute = from; minute < 1440; ) {
    const hour = Math.floor(minute / 60)
    if (!hours.has(hour)) minute = (hour + 1) * 60
    else if (minutes.has(minute % 60)) return minute
    else minute++
  }
  return undefined
}
