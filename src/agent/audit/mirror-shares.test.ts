import { describe, expect, it } from 'vitest'
import { Id } from '../../contract/values.ts'
import type { MirroredEntry } from '../../contract/wire.ts'
import { mirrorShares } from './mirror-shares.ts'

const id = (n: number) => Id.parse(`3f0c1d9e-8a52-4d5b-9f5e-${String(n).padStart(12, '0')}`)
let sequence = 0

function entry(more: Partial<MirroredEntry> = {}): MirroredEntry {
  return {
    sequence: ++sequence,
    checksum: '0'.repeat(64),
    id: id(1),
    at: '2026-11-21T13:00:00.000Z',
    actor: 'ann@example.com',
    actorId: null,
    tenantId: null,
    action: 'domain.update',
    outcome: 'ok',
    metadata: 'x'.repeat(8000),
    ip: null,
    requestId: null,
    ...more,
  }
}

const times = (count: number, more: Partial<MirroredEntry>) => Array.from({ length: count }, () => entry(more))
const words = (lines: ReturnType<ReturnType<typeof mirrorShares>['linesFor']>) =>
  lines?.map((line) => ('agent' in line ? `${line.agent.entries} of ${line.agent.owner}` : 'whole'))

describe('shares of the copied trail', () => {
  it('are for a day, and whose is used up is told once', () => {
    let moment = 0
    const told: string[] = []
    const shares = mirrorShares(
      (owner) => told.push(owner),
      () => moment,
    )
    for (let message = 0; message < 10; message++) shares.linesFor(times(100, { tenantId: id(2) }))

    expect(words(shares.linesFor([entry({ tenantId: id(2) }), entry({ tenantId: id(3) })]))).toEqual([
      `1 of tenant ${id(2)}`,
      'whole',
    ])
    expect(told).toEqual([`tenant ${id(2)}`])
    moment += 86_400_001
    expect(words(shares.linesFor([entry({ tenantId: id(2) })]))).toEqual(['whole'])
  })

  it('of a person and of strangers are like those of a tenant; root has more', () => {
    const shares = mirrorShares(() => {})
    const filled = [{ actorId: id(4) }, {}, { actor: 'root' }].map((more) => {
      for (let message = 0; message < 10; message++) shares.linesFor(times(100, more))
      return words(shares.linesFor([entry(more)]))
    })

    expect(filled).toEqual([[`1 of person ${id(4)}`], ['1 of strangers'], ['whole']])
  })

  it('end in sums however many owners there are, and in the end in nothing', () => {
    const shares = mirrorShares(() => {})
    const lines = Array.from({ length: 60_000 }, (_, message) =>
      shares.linesFor([entry({ tenantId: id(message) }), entry({ tenantId: id(message + 1) })]),
    )
    const bytes = lines.flat().reduce((sum, line) => sum + JSON.stringify(line ?? '').length, 0)

    expect(bytes).toBeLessThan(60 * 1024 * 1024)
    expect(lines.at(-1)).toBeUndefined()
    expect(words(shares.linesFor([entry({ actor: 'root' })]))).toEqual(['whole'])
  })
})
