import { expect, it } from 'vitest'
import { pauseAfter } from './proof-checker.ts'
import { longestPauseMs } from './proof-store.ts'

it('looks often at first, then daily, and ends after about a month', () => {
  const pauses = Array.from({ length: 40 }, (_, index) => pauseAfter(index + 1))
  const known = pauses.filter((pause) => pause !== null)
  const days = known.reduce((sum, pause) => sum + pause, 0) / 86_400_000

  expect(pauses[0]).toBe(60_000)
  expect(known).toEqual(known.toSorted((a, b) => a - b))
  expect(Math.max(...known)).toBe(longestPauseMs)
  expect(pauses.indexOf(null)).toBe(39)
  expect(days).toBeGreaterThan(25)
  expect(days).toBeLessThan(32)
})
