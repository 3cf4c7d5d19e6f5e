import { describe, expect, it } from 'vitest'
import { pace } from './pace.ts'

describe('pace', () => {
  it('lets the first go at once and the others one after the other', async () => {
    const turn = pace(50)
    const begun = performance.now()
    const ended = await Promise.all(
      Array.from({ length: 6 }, async () => {
        await turn()
        return performance.now() - begun
      }),
    )

    expect(ended.toSorted((a, b) => a - b)).toEqual(ended)
    expect(ended[5]).toBeGreaterThanOrEqual(99)
  })

  it('does not save up what nobody took', async () => {
    const clock = { now: 0 }
    const turn = pace(1000, () => clock.now)
    await turn()
    clock.now = 10_000
    await turn()
    const begun = performance.now()
    await turn()

    expect(performance.now() - begun).toBeGreaterThanOrEqual(0.5)
  })
})
