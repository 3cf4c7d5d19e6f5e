import { describe, expect, it } from 'vitest'
import { type Display, formatsOf } from './formats.ts'
import { shared } from './texts.ts'

const formats = (display: Partial<Display> = {}) => formatsOf({ locale: null, timeZone: null, ...display }, shared.time)

const moment = '2026-11-30T03:04:05.678Z'

describe('a moment', () => {
  it.each([
    [{}, '2026-11-30 03:04:05 UTC'],
    [{ timeZone: 'Europe/Zurich' }, '2026-11-30 04:04:05 UTC+01:00'],
    [{ timeZone: 'Asia/Kathmandu' }, '2026-11-30 08:49:05 UTC+05:45'],
    [{ timeZone: 'America/New_York', locale: 'en-US' }, '11/29/2026, 10:04:05 PM UTC-05:00'],
    [{ locale: 'de-DE' }, '30.11.2026, 03:04:05 UTC'],
  ])('for %o says its distance from UTC', (display, text) => {
    expect(formats(display).when(moment).replaceAll(/\s/g, ' ')).toBe(text)
  })

  it('follows summer time', () => {
    const { minute } = formats({ timeZone: 'Europe/Zurich' })
    expect([minute('2026-07-01T22:30:00Z'), minute('2026-12-01T22:30:00Z')]).toEqual([
      '2026-07-02 00:30 UTC+02:00',
      '2026-12-01 23:30 UTC+01:00',
    ])
  })

  it.each(['ar-EG', 'fa-IR', 'th-TH'])('keeps the digits and the calendar of its forms in %s', (locale) => {
    expect(formats({ locale }).when(moment)).toMatch(/2026/)
    expect(formats({ locale }).number(1234)).toMatch(/^1.?234$/)
  })

  it('that is none stays as it is', () => {
    expect([formats().when('never'), formats().ago('never')]).toEqual(['never', 'never'])
  })
})

it.each([
  [-0.5, 'just now'],
  [-240, '4 min ago'],
  [-3 * 86_400 - 7200, '3 d ago'],
  [3600, 'in 1 h'],
])('%i seconds from now is %s', (seconds, text) => {
  const now = Date.parse(moment)
  expect(formats().ago(new Date(now + seconds * 1000).toISOString(), now)).toBe(text)
})

it('has numbers, shares and sizes as the locale has them', () => {
  const { number, percent, bytes } = formats({ locale: 'de-DE' })
  expect([number(1_234_567), percent(2.5), percent(99), bytes(1536)]).toEqual(['1.234.567', '2,5 %', '99 %', '1,5 KiB'])
})
