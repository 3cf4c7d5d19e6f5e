import { describe, expect, it } from 'vitest'
import { english } from '../../resources/index.ts'
import { StepRows } from './step-rows.ts'

const step = (index: number, state: 'running' | 'done' | 'failed' | 'undone', name = `step ${index}`) => ({
  index,
  name,
  state,
  note: null,
})
const count = (text: string, part: string) => text.split(part).length - 1

describe('StepRows', () => {
  it('leaves a row open while its step runs, and closes every row once', () => {
    const rows = new StepRows(english)

    const begun = rows.happened(step(0, 'running'))
    expect(count(begun, '</li>')).toBe(0)
    const html = begun + rows.happened(step(0, 'done')) + rows.happened(step(1, 'running')) + rows.close()

    expect(count(html, '<li')).toBe(2)
    expect(count(html, '</li>')).toBe(2)
    expect(rows.close()).toBe('')
  })

  it('writes nothing twice when the same is told again', () => {
    const rows = new StepRows(english)
    rows.known({ position: 0, name: 'a', state: 'done', note: null })

    expect(rows.happened(step(0, 'done'))).toBe('')
  })

  it('shows what was undone as rows of their own', () => {
    const rows = new StepRows(english)
    rows.happened(step(0, 'running'))
    rows.happened(step(0, 'failed'))

    expect(rows.happened(step(0, 'undone'))).toContain('undone')
  })

  it('escapes names', () => {
    expect(new StepRows(english).happened(step(0, 'done', '<b>&'))).toContain('&lt;b&gt;&amp;')
  })
})
