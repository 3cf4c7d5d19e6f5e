import { describe, expect, it } from 'vitest'
import { rateLimit } from './rate-limit.ts'

describe('rateLimit', () => {
  it('lets three go in an hour, says when the next may, and counts each key for itself', () => {
    let moment = 0
    const { enter } = rateLimit(3, 3_600_000, () => moment)
    for (let times = 0; times < 3; times++) {
      enter('a')
      moment += 60_000
    }

    expect(() => enter('a')).toThrow(expect.objectContaining({ details: { retryAfterSeconds: 3420 } }))
    expect(() => enter('b')).not.toThrow()
    moment = 3_600_001
    expect(() => enter('a')).not.toThrow()
    expect(() => enter('a')).toThrow('too often')
  })
})
