import { describe, expect, it } from 'vitest'
import { addressPrefixes, tooWide } from './address-prefixes.ts'

describe('a range as beginnings of addresses', () => {
  it.each([
    ['203.0.113.7', 4, ['203.0.113.7']],
    ['203.0.113.0/24', 3, ['203.0.113']],
    ['10.0.0.0/8', 1, ['10']],
    ['10.2.0.0/15', 2, ['10.2', '10.3']],
    ['203.0.113.248/30', 4, ['203.0.113.248', '203.0.113.249', '203.0.113.250', '203.0.113.251']],
    ['2001:db8::/32', 2, ['2001:db8:']],
    ['2001:db8::1', 8, ['2001:db8:0:0:0:0:0:1:']],
    ['2001:db8:1::/47', 3, ['2001:db8:0:', '2001:db8:1:'].map((_, nth) => `2001:db8:${nth + 1}:`)],
    ['::ffff:10.0.0.1', 4, ['10.0.0.1']],
  ])('%s', (range, parts, prefixes) => {
    expect(addressPrefixes(range)).toEqual({ parts, prefixes })
  })

  it('is as many as its length asks for', () => {
    expect(addressPrefixes('128.0.0.0/1')?.prefixes).toHaveLength(128)
    expect(addressPrefixes('2001:db8:0:ff00::/56')?.prefixes.at(-1)).toBe('2001:db8:0:ffff:')
  })

  it('are so many of a site, and no more', () => {
    const ranges = Array.from({ length: 20 }, (_, nth) => `${nth + 1}.0.0.0/9`)

    expect(tooWide(ranges.slice(0, 15))).toBeUndefined()
    expect(tooWide(ranges)).toMatchObject({ range: '16.0.0.0/9' })
    expect(tooWide(['10.0.0.0/8', '2001:db8::/35'])).toMatchObject({ range: '2001:db8::/35' })
  })

  it.each(['0.0.0.0/0', '::/0', '2001:db8::/36', 'x', '10.0.0.0/33', '10.0.0.1 ', '10.0.0.0/8;'])(
    'cannot be %s',
    (range) => {
      expect(addressPrefixes(range)).toBeNull()
    },
  )
})
