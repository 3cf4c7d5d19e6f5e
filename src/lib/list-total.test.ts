import { expect, it } from 'vitest'
import { mostCounted, totalText } from './list-total.ts'

it('says how many there are, as far as they were counted', () => {
  expect([0, 12, mostCounted, mostCounted + 1].map((total) => totalText(total))).toEqual(['0', '12', '1,000', '1,000+'])
})
