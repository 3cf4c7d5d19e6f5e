/** The units as systemd reads them, offline: they are well-formed, and as tight as was promised. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nextTime } from '../../src/resources/cron/next-time.ts'
import { parseCalendar } from '../../src/resources/cron/parse-calendar.ts'

const folder = join(import.meta.dirname, '../../systemd')
const tool = '/usr/bin/systemd-analyze'

describe.skipIf(!existsSync(tool))('systemd units', () => {
  it.each([
    ['wcpd.service', 4.0],
    ['wcpd-panel.service', 1.5],
    ['wcpd-waker.service', 1.5],
    ['wcpd-web-log.service', 1.5],
  ])('%s is exposed by at most %s', (unit, limit) => {
    const argv = ['security', '--offline=true', '--no-pager', '--json=off', join(folder, unit)]

    const report = execFileSync(tool, argv, { encoding: 'utf8' })

    const score = /Overall exposure level for \S+: ([\d.]+)/.exec(report)?.[1]
    expect(Number(score)).toBeLessThanOrEqual(limit)
    expect(Number(score)).toBeGreaterThan(0)
  })

  it('says nothing systemd does not understand', () => {
    const units = readdirSync(folder).filter((name) => /\.(service|socket|slice)$/.test(name))
    const argv = ['verify', '--man=no', '--recursive-errors=no', ...units.map((name) => join(folder, name))]

    const said = verify(argv).filter((line) => !line.includes('/opt/wcp360/bin/wcpd is not executable'))

    expect(units).toContain('wcpd-panel.socket')
    expect(said).toEqual([])
  })
})

/** Of systemd.time(7), without the days on which clocks change: there systemd leaves a time out, and we make it good. */
describe.skipIf(!existsSync(tool))('a calendar as systemd reads it', () => {
  const texts = [
    ...['minutely', 'hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'semiannually', 'yearly'],
    ...['04:30', '*:0/20', '0/6:15', '8..18/2:00,30', 'Mon..Fri 04:30', 'Sat,Sun', 'Fri..Sun 12:00:00'],
    ...['*-*-01 06:00', '*-*-13,27', '*-02-29 00:00', '*-*~1 23:59', '*-02~1', 'Fri *-*-13', '2028..2030-12-24 18:00'],
  ]

  it('has the same next times', () => {
    const argv = ['calendar', '--base-time=2026-03-03 10:07:30 UTC', '--iterations=5', ...texts]
    const environment = { TZ: 'UTC', LC_ALL: 'C.UTF-8', PATH: '/usr/bin:/bin' }

    const report = execFileSync(tool, argv, { encoding: 'utf8', env: environment })

    const theirs = report
      .split(/\n\n/)
      .map((part) => [...part.matchAll(/\d{4}-\d\d-\d\d \d\d:\d\d(?=:00 UTC)/g)].map(String))
    expect(texts.map((text) => next(text, 5))).toEqual(theirs)
  })
})

function next(text: string, count: number): string[] {
  const found: string[] = []
  for (let at = nextTime(parseCalendar(text), 'UTC', Date.parse('2026-03-03T10:07:30Z')); at !== undefined; ) {
    found.push(new Date(at).toISOString().slice(0, 16).replace('T', ' '))
    if (found.length === count) break
    at = nextTime(parseCalendar(text), 'UTC', at)
  }
  return found
}

/** It exits with 1 when the executable is not installed here, which is no fault of the unit. */
function verify(argv: string[]): string[] {
  try {
    execFileSync(tool, argv, { encoding: 'utf8', stdio: 'pipe' })
    return []
  } catch (error) {
    const { stderr } = error as { stderr: string } // execFileSync's error, with the encoding asked for
    return stderr.split('\n').filter(Boolean)
  }
}
