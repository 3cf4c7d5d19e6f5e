import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressText, addressValue, cutTo } from './address-value.ts'

const textOf = (address: string, bits?: number) => {
  const value = addressValue(address)
  return value && addressText(bits === undefined ? value : cutTo(value, bits))
}

describe('an address', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8::192.0.2.1', '2001:db8::c000:201'],
    ['::', '::'],
    ['1::', '1::'],
    ['fe80::1%eth0', 'fe80::1'],
    ['example.com', null],
    ['', null],
  ])('%s is %s', (written, canonical) => {
    expect(textOf(written)).toBe(canonical)
  })

  it.each([
    ['203.0.113.77', 24, '203.0.113.0'],
    ['2001:db8:1:2:3::4', 64, '2001:db8:1:2::'],
    ['2001:db8:1:2:3::4', 48, '2001:db8:1::'],
    ['2001:db8:1:2:3::4', 128, '2001:db8:1:2:3::4'],
    ['203.0.113.77', 0, '0.0.0.0'],
  ])('%s cut to %i bits is %s', (address, bits, network) => {
    expect(textOf(address, bits)).toBe(network)
  })

  it('comes back from every number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (value) => {
        const text = addressText({ version: 6, value })
        return isIPv6(text) && (value >> 32n === 0xffffn || addressValue(text)?.value === value)
      }),
    )
  })
})
