/** Ranges of internet addresses: `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`. */
import { BlockList, isIP } from 'node:net'
import { type AddressValue, addressText, addressValue, cutTo } from './address-value.ts'

export interface Range {
  readonly first: AddressValue
  readonly bits: number
}

/** @returns its one writing, or the reason why there is none. */
export function canonicalRange(text: string): { readonly range: string } | { readonly problem: string } {
  const read = rangeOf(text)
  if (read === null) return { problem: 'is no address and no range' }
  const canonical = rangeText({ ...read, first: cutTo(read.first, read.bits) })
  const isWhole = canonical === rangeText(read)
  return isWhole
    ? { range: canonical }
    : { problem: `names one address and a range at once; the range is ${canonical}` }
}

/** @param address of a connection: IPv4 without IPv6 clothes; a zone (`fe80::1%eth0`) does not count */
export function isWithin(ranges: readonly string[], address: string): boolean {
  const list = new BlockList()
  for (const text of ranges) {
    const range = rangeOf(text)
    if (range) list.addSubnet(addressText(range.first), range.bits, familyOf(range.first))
  }
  const value = addressValue(address)
  return value !== null && list.check(addressText(value), familyOf(value))
}

const familyOf = ({ version }: AddressValue) => (version === 4 ? 'ipv4' : 'ipv6')

function rangeText({ first, bits }: Range): string {
  return bits === mostBits(first) ? addressText(first) : `${addressText(first)}/${bits}`
}

const mostBits = ({ version }: AddressValue) => (version === 4 ? 32 : 128)

/** Null for what is no address or range. */
export function rangeOf(text: string): Range | null {
  const [address = '', length, ...rest] = text.split('/')
  const first = address.includes('%') ? null : addressValue(address)
  if (first === null || rest.length > 0) return null
  // The range of an IPv4 address in the clothes of IPv6 is counted without them.
  const clothes = isIP(address) === 6 && first.version === 4 ? 96 : 0
  if (length === undefined) return { first, bits: mostBits(first) }
  const bits = /^(0|[1-9]\d{0,2})$/.test(length) ? Number(length) - clothes : Number.NaN
  return bits >= 0 && bits <= mostBits(first) ? { first, bits } : null
}
