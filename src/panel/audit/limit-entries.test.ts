import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Id } from '../../contract/values.ts'
import { limitEntries, mostTold, type Refused } from './limit-entries.ts'

const minute = 60_000
const stranger = (number: number): Refused => ({ actor: null, ip: `192.0.2.${number}` })
const ann: Refused = {
  actor: {
    kind: 'user',
    id: Id.parse('6f1d3c52-0a4e-4b7e-9a51-0c1f5ce70001'),
    email: 'ann@example.com',
    permissions: new Set(),
    scope: { kind: 'global' },
  },
  ip: '192.0.2.1',
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function trail() {
  const entries: unknown[] = []
  const { refused, stop } = limitEntries({
    record: async ({ actor, ip }, action, { from, refusals }) => {
      entries.push([actor?.kind === 'user' ? actor.email : (ip ?? from), action, ...(refusals ? [refusals] : [])])
    },
    onError: (error) => {
      throw error
    },
  })
  return { entries, refused, stop, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) }
}

describe('refusals for their number', () => {
  it('are told when they begin, and counted when the window ends', async () => {
    const { entries, refused, pass } = trail()

    for (let times = 0; times < 1000; times++) refused('writes', ann)
    await pass(15 * minute - 1)
    expect(entries).toEqual([['ann@example.com', 'limit.writes']])
    await pass(1)
    expect(entries.slice(1)).toEqual([['ann@example.com', 'limit.writes', 1000]])

    refused('writes', ann)
    await pass(15 * minute)
    expect(entries.slice(2)).toEqual([['ann@example.com', 'limit.writes']])
  })

  it('are told for each person, address and limit', async () => {
    const { entries, refused, pass } = trail()

    refused('reads', ann)
    refused('writes', ann)
    refused('requests', stranger(1))
    refused('requests', stranger(2))
    await pass(0)

    expect(entries).toEqual([
      ['ann@example.com', 'limit.reads'],
      ['ann@example.com', 'limit.writes'],
      ['192.0.2.1', 'limit.requests'],
      ['192.0.2.2', 'limit.requests'],
    ])
  })

  it('of more addresses than are told apart are one, and hide no person', async () => {
    const { entries, refused, pass } = trail()

    for (let number = 0; number < mostTold + 500; number++) refused('requests', stranger(number))
    refused('reads', ann)
    await pass(15 * minute)

    expect(entries).toHaveLength(mostTold + 3)
    expect(entries.slice(mostTold)).toEqual([
      ['many', 'limit.requests'],
      ['ann@example.com', 'limit.reads'],
      ['many', 'limit.requests', 500],
    ])
  })

  it('are counted before the end of the process', async () => {
    const { entries, refused, stop } = trail()

    refused('sign-ins', stranger(1))
    refused('sign-ins', stranger(1))
    await stop()

    expect(entries).toEqual([
      ['192.0.2.1', 'limit.sign-ins'],
      ['192.0.2.1', 'limit.sign-ins', 2],
    ])
  })
})
