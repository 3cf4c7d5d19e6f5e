import { describe, expect, it } from 'vitest'
import { canonicalRange, isWithin } from './address-range.ts'

describe('a range of addresses', () => {
  it.each(['203.0.113.7', '203.0.113.0/24', '0.0.0.0/0', '2001:db8::1', '2001:db8::/32', '::/0', '::1/128'])(
    'can be %s',
    (text) => {
      expect(canonicalRange(text)).toHaveProperty('range')
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
    '10.0.0.5/8',
    '2001:db8::1/32',
    '::ffff:10.0.0.0/95',
  ])('cannot be %j', (text) => {
    expect(canonicalRange(text)).toHaveProperty('problem')
  })

  it.each([
    ['203.0.113.7/32', '203.0.113.7'],
    ['2001:DB8:0::/32', '2001:db8::/32'],
    ['2001:db8::0:1/128', '2001:db8::1'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
  ])('%s is written as %s', (text, range) => {
    expect(canonicalRange(text)).toEqual({ range })
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
