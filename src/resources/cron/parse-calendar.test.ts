import { describe, expect, it } from 'vitest'
import { CalendarProblem } from './calendar-field.ts'
import { nextTime } from './next-time.ts'
import { parseCalendar } from './parse-calendar.ts'

const from = Date.parse('2026-03-03T10:07:30Z') // a Tuesday

/** The first moments in UTC, without seconds. */
function next(text: string, count = 3, after = from): string[] {
  const calendar = parseCalendar(text)
  const found: string[] = []
  for (let at: number | undefined = after; found.length < count; ) {
    at = nextTime(calendar, 'UTC', at)
    if (at === undefined) break
    found.push(new Date(at).toISOString().slice(0, 16))
  }
  return found
}

describe('five fields', () => {
  it.each([
    ['* * * * *', ['2026-03-03T10:08', '2026-03-03T10:09', '2026-03-03T10:10']],
    ['*/20 * * * *', ['2026-03-03T10:20', '2026-03-03T10:40', '2026-03-03T11:00']],
    ['5-10/5,59 9-10 * * *', ['2026-03-03T10:10', '2026-03-03T10:59', '2026-03-04T09:05']],
    ['30 4 * * mon-FRI', ['2026-03-04T04:30', '2026-03-05T04:30', '2026-03-06T04:30']],
    ['0 0 * * 7', ['2026-03-08T00:00', '2026-03-15T00:00', '2026-03-22T00:00']],
    ['0 0 * * 5-7', ['2026-03-06T00:00', '2026-03-07T00:00', '2026-03-08T00:00']],
    ['0 12 31 * *', ['2026-03-31T12:00', '2026-05-31T12:00', '2026-07-31T12:00']],
    ['0 0 29 feb *', ['2028-02-29T00:00', '2032-02-29T00:00', '2036-02-29T00:00']],
    ['@monthly', ['2026-04-01T00:00', '2026-05-01T00:00', '2026-06-01T00:00']],
  ])('%s', (text, expected) => expect(next(text)).toEqual(expected))

  it('take either day when month and week are both restricted, and both when one begins with "*"', () => {
    expect(next('0 0 13 * fri')).toEqual(['2026-03-06T00:00', '2026-03-13T00:00', '2026-03-20T00:00'])
    expect(next('0 0 */2 * fri', 2)).toEqual(['2026-03-13T00:00', '2026-03-27T00:00'])
  })

  it.each([
    ['60 * * * *', 'minute'],
    ['* 24 * * *', 'hour'],
    ['* * 0 * *', 'day of the month'],
    ['* * * 13 *', 'month'],
    ['* * * * 8', 'day of the week'],
    ['5/15 * * * *', 'minute'],
    ['*/0 * * * *', 'minute'],
    ['10-5 * * * *', 'minute'],
    ['1,,2 * * * *', 'minute'],
    ['-1 * * * *', 'minute'],
    ['* * L * *', 'day of the month'],
    ['* * * * * root', 'the command is apart'],
    ['@reboot', '@hourly'],
    [`${'1,'.repeat(70)}1 * * * *`, 'minute'],
  ])('refuse "%s" and name what is wrong', (text, words) => {
    expect(() => parseCalendar(text)).toThrow(CalendarProblem)
    expect(() => parseCalendar(text)).toThrow(words)
  })
})

describe("systemd's calendar", () => {
  it.each([
    ['04:30', ['2026-03-04T04:30', '2026-03-05T04:30', '2026-03-06T04:30']],
    ['*:0/20:00', ['2026-03-03T10:20', '2026-03-03T10:40', '2026-03-03T11:00']],
    ['Mon..Wed,Sat 12:00', ['2026-03-03T12:00', '2026-03-04T12:00', '2026-03-07T12:00']],
    ['Fri..Sunday', ['2026-03-06T00:00', '2026-03-07T00:00', '2026-03-08T00:00']],
    ['Fri *-*-13 00:00', ['2026-03-13T00:00', '2026-11-13T00:00', '2027-08-13T00:00']],
    ['*-*~1 23:59', ['2026-03-31T23:59', '2026-04-30T23:59', '2026-05-31T23:59']],
    ['02~1', ['2027-02-28T00:00', '2028-02-29T00:00', '2029-02-28T00:00']],
    ['2026,2028-12-24 18:00', ['2026-12-24T18:00', '2028-12-24T18:00']],
    ['quarterly', ['2026-04-01T00:00', '2026-07-01T00:00', '2026-10-01T00:00']],
    ['Weekly', ['2026-03-09T00:00', '2026-03-16T00:00', '2026-03-23T00:00']],
  ])('%s', (text, expected) => expect(next(text)).toEqual(expected))

  it.each([
    ['', 'five fields'],
    ['sometimes', 'weekday'],
    ['Sun..Mon 04:00', 'range of weekdays'],
    ['04:30:15', 'has seconds'],
    ['2026-13-01', 'month'],
    ['26-12-24', 'year'],
    ['04:30 Europe/Berlin', 'five fields'],
    ['04', 'a date such as'],
    ['04:', 'minute'],
    ['1 2 3', 'five fields'],
    ['*-*-*-* 00:00', 'a date such as'],
  ])('refuses "%s" and names what is wrong', (text, words) => {
    expect(() => parseCalendar(text)).toThrow(CalendarProblem)
    expect(() => parseCalendar(text)).toThrow(words)
  })
})

it('knows when there is no next time', () => {
  expect(next('0 0 30 2 *')).toEqual([])
  expect(next('2025-*-* 00:00')).toEqual([])
})
