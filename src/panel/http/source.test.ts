import { expect, it } from 'vitest'
import { sourceOf } from './source.ts'

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
  ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
  ['::1', '::/64'],
])('%s counts as %s', (address, source) => {
  expect(sourceOf(address)).toBe(source)
})
