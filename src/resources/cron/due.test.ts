import { expect, it } from 'vitest'
import { Id } from '../../contract/values.ts'
import { ClockWatch, decide, lateMs, nextDue } from './due.ts'

const id = Id.parse('0000000a-8a52-4d5b-9f5e-0d1a2b3c4d5e')
const hourly = { id, schedule: '0 * * * *', timeZone: 'UTC' }
const at = (text: string) => Date.parse(text)

it('comes later than its schedule by a time that is its own, and each time by the same', () => {
  const cron = { ...hourly, jitterSeconds: 60 }
  const first = nextDue(cron, at('2026-03-03T10:00:00Z'))
  expect(first).toBe(at('2026-03-03T10:00:10Z'))
  expect(nextDue(cron, first ?? 0)).toBe(at('2026-03-03T11:00:10Z'))
  expect(nextDue({ ...hourly, jitterSeconds: 0 }, at('2026-03-03T10:00:00Z'))).toBe(at('2026-03-03T11:00:00Z'))
  expect(nextDue({ ...cron, schedule: '0 0 30 2 *' }, 0)).toBeUndefined()
})

const moment = { dueAt: 0, now: 900, ifMissed: 'skip', isBusy: false, isServed: true } as const

it.each([
  ['run', {}],
  ['run', { now: lateMs }],
  ['missed', { now: lateMs + 1 }],
  ['run', { now: lateMs + 1, ifMissed: 'once' }],
  ['run', { now: -900 }],
  ['skipped', { isBusy: true }],
  ['skipped', { isBusy: true, now: lateMs + 1 }],
  ['pass', { isServed: false }],
  ['pass', { isServed: false, isBusy: true, now: lateMs + 1 }],
] as const)('%s: %j', (decision, given) => expect(decide({ ...moment, ...given })).toBe(decision))

it('sees a clock that was set back, and none that goes on or was set forward', () => {
  const watch = new ClockWatch()
  const seen = [
    [1_000_000, 0],
    [1_001_000, 1000],
    [1_000_500, 2000], // 1.5 s: within what clocks drift
    [9_000_000, 3000],
    [1_003_000, 4000],
    [1_004_000, 5000],
  ] as const
  expect(seen.map(([wall, steady]) => watch.wasSetBack(wall, steady))).toEqual([
    false,
    false,
    false,
    false,
    true,
    false,
  ])
})
