import { describe, expect, it } from 'vitest'
import { isAddressRange, isWithin } from './address-range.ts'

describe('a range of addresses', () => {
  it.each(['203.0.113.7', '203.0.113.0/24', '0.0.0.0/0', '2001:db8::1', '2001:db8::/32', '::/0', '::1/128'])(
    'can be %s',
    (text) => {
      expect(isAddressRange(text)).toBe(true)
    },
  )

  it.each([
    '',
    '203.0.113',
    '203.0.113.7/33',
    '203.0.113.7/',
    '203.0.113.7/-1',
    '203.0.113.7/08',
    '203.0.113.7/8/8',
    '2001:db8::/129',
    'fe80::1%eth0',
    '203.0.113.007',
    'example.com',
    ' 203.0.113.7',
  ])('cannot be %j', (text) => {
    expect(isAddressRange(text)).toBe(false)
  })

  it.each([
    [['203.0.113.0/24'], '203.0.113.255', true],
    [['203.0.113.0/24'], '203.0.114.0', false],
    [['203.0.113.77/24'], '203.0.113.1', true],
    [['203.0.113.7'], '203.0.113.7', true],
    [['203.0.113.7'], '203.0.113.8', false],
    [['2001:db8::/32'], '2001:db8:ffff::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['198.51.100.0/24', '2001:db8::/64'], '2001:db8::5', true],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['::/0'], '2001:db8::1', true],
    [[], '203.0.113.7', false],
    [['0.0.0.0/0', '::/0'], 'local', false],
  ])('%j holds %s: %s', (ranges, address, expected) => {
    expect(isWithin(ranges, address)).toBe(expected)
  })
})
