import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { repeats } from './repeats.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function trail() {
  const entries: string[] = []
  const { isInFull, stop } = repeats({
    onError: (error) => {
      throw error
    },
  })
  const refuse = (owner: string, what: string, times: number) => {
    for (let time = 0; time < times; time++)
      if (isInFull(owner, what, async (refusals) => void entries.push(`${owner}: ${refusals} × ${what}`)))
        entries.push(`${owner}: ${what}`)
  }
  return { entries, refuse, stop }
}

describe('repeated refusals', () => {
  it('are written sixty times, then counted by what was refused, and told when the window ends', async () => {
    const { entries, refuse } = trail()
    refuse('ann', 'domain.create', 59)
    refuse('ann', 'tenant.create', 1000)
    refuse('ann', 'domain.create', 3)
    refuse('bob', 'domain.create', 1)

    expect(entries.filter((entry) => entry === 'ann: domain.create')).toHaveLength(59)
    expect(entries.slice(59)).toEqual(['ann: tenant.create', 'bob: domain.create'])
    await vi.advanceTimersByTimeAsync(15 * 60_000)
    expect(entries.slice(61)).toEqual(['ann: 999 × tenant.create', 'ann: 3 × domain.create'])
    refuse('ann', 'domain.create', 1)
    expect(entries.at(-1)).toBe('ann: domain.create')
    await vi.advanceTimersByTimeAsync(15 * 60_000)
    expect(entries).toHaveLength(64)
  })

  it('of very many kinds are told together, and what is left at the stop', async () => {
    const { entries, refuse, stop } = trail()
    refuse('ann', 'first', 60)
    for (let kind = 0; kind < 500; kind++) refuse('ann', `kind ${kind}`, 2)
    await stop()

    expect(entries).toHaveLength(60 + 51)
    expect(entries.at(-1)).toBe('ann: 900 × kind 50')
  })
})
