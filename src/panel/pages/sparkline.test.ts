import { expect, it } from 'vitest'
import { type Point, sparkline } from './sparkline.ts'

const words = {
  name: 'Load',
  over: 'over the last hour',
  lowest: 'lowest',
  highest: 'highest',
  now: 'now',
  value: (value: number) => value.toFixed(1),
  span: (seconds: number) => `${seconds} s`,
}
const points = (...all: [number, number][]): Point[] => all.map(([at, value]) => ({ at, value }))

it('stands where its time and value are, from nothing at the lower edge to the top', () => {
  const { line, area, top, from } = sparkline(points([1_000, 0], [2_000, 2], [5_000, 4]), 4, words)

  expect(line).toBe('0.0,35.0 60.0,18.0 240.0,1.0')
  expect(area).toBe(`0,36 ${line} 240,36`)
  expect([top, from]).toEqual(['4.0', '4 s'])
})

it('grows beyond the top, and says all of it in words', () => {
  const { label, top } = sparkline(points([0, 1], [1, 9], [2, 3]), 4, words)

  expect(top).toBe('9.0')
  expect(label).toBe('Load over the last hour: lowest 1.0, highest 9.0, now 3.0')
})

it.each([[points()], [points([0, 3])]])('is none of fewer than two figures', (few) => {
  expect(sparkline(few, 4, words)).toMatchObject({ line: '', area: '', label: '' })
})

it('takes figures of one moment, and figures that are all nothing', () => {
  expect(sparkline(points([7, 0], [7, 0]), 0, words).line).toBe('0.0,35.0 0.0,35.0')
})
