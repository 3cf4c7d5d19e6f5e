import { describe, expect, it } from 'vitest'
import { SiteMemory } from './memory.ts'
import type { Outcome } from './outcome.ts'
import { withDays } from './store.ts'

const up: Outcome = { state: 'up', ms: 10, problem: '' }
const down: Outcome = { state: 'down', ms: null, problem: 'status 502' }
const closed: Outcome = { state: 'closed', ms: 20, problem: '' }
const at = (minute: number) => `2026-11-30T23:${String(minute).padStart(2, '0')}:00.000Z`

describe('what is remembered of a site', () => {
  it('is trouble after three failures in a row, since the first of them, and over with the first answer', () => {
    const site = new SiteMemory(null)
    const told = [up, down, down, up, down, down, down, down, up].map((one, minute) => site.note(one, at(minute)))

    expect(told).toEqual([false, false, false, true, false, false, true, false, true])
    expect(site.take(at(9))).toMatchObject({ state: 'up', failingSince: null, problem: null })
  })

  it('tells since when and why', () => {
    const site = new SiteMemory(null)
    for (const [minute, one] of [down, down, down].entries()) site.note(one, at(minute))

    expect(site.take(at(3))).toMatchObject({ state: 'down', failingSince: at(0), problem: 'status 502' })
  })

  it('goes on to be trouble after a restart of the panel, and is over then too', () => {
    const site = new SiteMemory(at(0))
    expect(site.note(down, at(5))).toBe(false)
    expect(site.take(at(5)).failingSince).toBe(at(0))

    expect(site.note(up, at(6))).toBe(true)
    expect(site.take(at(6)).failingSince).toBeNull()
  })

  it('does not count what is closed on purpose as a failure', () => {
    const site = new SiteMemory(null)
    for (const [minute, one] of [down, down, closed, closed, closed].entries()) site.note(one, at(minute))

    const { state, failingSince, days } = site.take(at(5))
    expect([state, failingSince]).toEqual(['closed', null])
    expect(days).toEqual([{ day: '2026-11-30', up: 0, down: 2, closed: 3, ms: 20 }])
  })

  it('is handed out once', () => {
    const site = new SiteMemory(null)
    site.note(up, at(0))
    expect(site.isUnwritten).toBe(true)
    expect(site.take(at(1)).recent).toHaveLength(1)

    expect(site.isUnwritten).toBe(false)
    expect(site.take(at(1))).toMatchObject({ days: [], recent: [] })
  })

  it('stays small, however long nothing is written', () => {
    const site = new SiteMemory(null)
    for (let n = 0; n < 1000; n++) site.note(up, at(n % 60))

    const { recent, days } = site.take(at(0))
    expect(recent).toHaveLength(60)
    expect(days).toMatchObject([{ up: 1000, ms: 10 }])
  })
})

it('adds to a day that is known, with the mean of both', () => {
  const known = [
    { day: '2026-11-29', up: 1, down: 0, closed: 0, ms: 5 },
    { day: '2026-11-30', up: 3, down: 1, closed: 0, ms: 10 },
  ]
  const news = [{ day: '2026-11-30', up: 1, down: 1, closed: 0, ms: 30 }]

  expect(withDays(known, news)).toEqual([known[0], { day: '2026-11-30', up: 4, down: 2, closed: 0, ms: 15 }])
})
