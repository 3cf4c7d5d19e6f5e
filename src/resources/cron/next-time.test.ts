import { describe, expect, it } from 'vitest'
import { nextTime } from './next-time.ts'
import { parseCalendar } from './parse-calendar.ts'

function moments(text: string, timeZone: string, from: string, until: string): string[] {
  const calendar = parseCalendar(text)
  const found: string[] = []
  for (let at = nextTime(calendar, timeZone, Date.parse(from)); at !== undefined && at < Date.parse(until); ) {
    found.push(new Date(at).toISOString().slice(0, 16))
    at = nextTime(calendar, timeZone, at)
  }
  return found
}

describe('on the day on which the clocks go forward', () => {
  // Berlin: 02:00 becomes 03:00 at 01:00 UTC
  const day = ['Europe/Berlin', '2026-03-28T23:00Z', '2026-03-29T22:00Z'] as const

  it('a time that does not exist is made good when the gap is over', () => {
    expect(moments('30 2 * * *', ...day)).toEqual(['2026-03-29T01:00'])
    expect(moments('*/10 2 * * *', ...day)).toEqual(['2026-03-29T01:00'])
  })

  it('a time right after the gap counts once', () => {
    expect(moments('0 2,3 * * *', ...day)).toEqual(['2026-03-29T01:00'])
  })

  it('what comes every hour makes nothing good', () => {
    const found = moments('30 * * * *', ...day)
    expect(found).toHaveLength(23)
    expect(found.slice(0, 3)).toEqual(['2026-03-28T23:30', '2026-03-29T00:30', '2026-03-29T01:30'])
  })

  it('the days around it keep their local time', () => {
    const found = moments('30 2 * * *', 'Europe/Berlin', '2026-03-27T12:00Z', '2026-03-31T12:00Z')
    expect(found).toEqual(['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30', '2026-03-31T00:30'])
  })
})

describe('on the day on which an hour comes twice', () => {
  // Berlin: 03:00 becomes 02:00 at 01:00 UTC
  const day = ['Europe/Berlin', '2026-10-24T22:00Z', '2026-10-25T23:00Z'] as const

  it('a time in it counts once', () => {
    expect(moments('30 2 * * *', ...day)).toEqual(['2026-10-25T00:30'])
    expect(moments('0 2,3 * * *', ...day)).toEqual(['2026-10-25T00:00', '2026-10-25T02:00'])
  })

  it.each(['2026-10-25T01:00Z', '2026-10-25T01:29Z', '2026-10-25T01:59:59Z'])(
    'it does so for who asks in the second of them, at %s',
    (from) => expect(moments('30 2 * * *', 'Europe/Berlin', from, '2026-10-25T23:00Z')).toEqual([]),
  )

  it('what comes every hour comes in both', () => expect(moments('30 * * * *', ...day)).toHaveLength(25))
})

/** Minute by minute, by another way to the local time. */
function looked(text: string, timeZone: string, from: string, until: string): string[] {
  const { minutes, hours } = parseCalendar(text)
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const found: string[] = []
  for (let at = Date.parse(from) + 60_000; at < Date.parse(until); at += 60_000) {
    const [hour, minute] = clock.format(at).split(':').map(Number)
    if (hours.has(hour ?? -1) && minutes.has(minute ?? -1)) found.push(new Date(at).toISOString().slice(0, 16))
  }
  return found
}

it.each([
  ['Europe/Berlin', '2026-03-28T00:00Z'],
  ['Europe/Berlin', '2026-10-24T00:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T00:00Z'], // half an hour
  ['Australia/Lord_Howe', '2026-10-03T00:00Z'],
  ['America/St_Johns', '2026-03-07T00:00Z'], // three and a half hours from UTC
  ['Africa/Casablanca', '2026-02-14T00:00Z'], // two changes within weeks
  ['Pacific/Apia', '2011-12-29T00:00Z'], // a day that does not exist
])('what comes every hour in %s follows the clock, from %s', (timeZone, from) => {
  const until = new Date(Date.parse(from) + 3 * 86_400_000).toISOString()
  for (const text of ['*/7 * * * *', '0 * * * *', '59 * * * *'])
    expect(moments(text, timeZone, from, until)).toEqual(looked(text, timeZone, from, until))
})

it('a day that does not exist is made good at its end', () => {
  const found = moments('0 12 * * *', 'Pacific/Apia', '2011-12-29T00:00Z', '2012-01-01T00:00Z')
  expect(found).toEqual(['2011-12-29T22:00', '2011-12-30T10:00', '2011-12-30T22:00', '2011-12-31T22:00'])
})

it('finds a time that is decades away soon, however often clocks change until then', () => {
  const since = performance.now()
  const calendar = parseCalendar('Mon *-02-29 02:30')
  expect(new Date(nextTime(calendar, 'America/New_York', Date.parse('2072-03-01T00:00Z')) ?? 0).toISOString()).toBe(
    '2112-02-29T07:30:00.000Z',
  )
  expect(performance.now() - since).toBeLessThan(2000)
})
