import { describe, expect, it } from 'vitest'
import { nextLook } from './trusted-clock.ts'

const hour = 3_600_000
const year = 365 * 24 * hour
const start = Date.parse('2026-01-01T00:00:00Z')

describe('a clock that is looked at', () => {
  it('goes on since the first look while it does not jump', () => {
    const first = nextLook(undefined, start)
    const later = nextLook(nextLook(first, start + hour), start + 2 * hour)

    expect(later).toEqual({ since: start, last: start + 2 * hour })
  })

  it('goes on through a restart, a night without power, and a small correction', () => {
    expect(nextLook({ since: start, last: start + 9 * hour }, start + 30 * hour).since).toBe(start)
    expect(nextLook({ since: start, last: start + 9 * hour }, start + 8.5 * hour).since).toBe(start)
  })

  it.each([10 * year, -10 * year, 48 * hour, -2 * hour])('begins anew after a jump by %i ms', (jump) => {
    const now = start + 30 * hour + jump

    expect(nextLook({ since: start, last: start + 30 * hour }, now)).toEqual({ since: now, last: now })
  })
})
