import { describe, expect, it } from 'vitest'
import { fitsFrame } from '../../contract/frame.ts'
import { withinMessage } from './drift.ts'

const entry = (tenant: number) => ({
  resource: `tenant t${tenant}`,
  changes: [{ step: 'pool', action: 'change' as const, diff: '+ line\n'.repeat(200) }],
})

describe('what the panel is told of drift', () => {
  it('is all of it while one message can hold that', () => {
    const report = [entry(1), entry(2)]

    expect(withinMessage(report)).toEqual(report)
  })

  it('is a part and a count when every tenant of a large machine differs', () => {
    const report = Array.from({ length: 5000 }, (_, index) => entry(index))

    const told = withinMessage(report)

    expect(fitsFrame({ t: 'answer', value: told })).toBe(true)
    expect(told.slice(0, -1)).toEqual(report.slice(0, told.length - 1))
    expect(told.at(-1)?.changes[0]?.step).toMatch(new RegExp(`^${5000 - told.length + 1} more differ`))
  })
})
