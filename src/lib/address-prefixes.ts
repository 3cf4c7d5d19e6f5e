/**
 * A range as the beginnings of its addresses: of one, two, three or four bytes of IPv4 (`10.1`), of one to eight groups of
 * IPv6, each with its colon (`2001:db8:`). So whether an address is in one of many ranges is a look-up by each of its own
 * beginnings, however many there are.
 */
import { rangeOf } from './address-range.ts'
import type { AddressValue } from './address-value.ts'

export interface AddressPrefixes {
  /** How many bytes or groups each has. */
  readonly parts: number
  readonly prefixes: readonly string[]
}

/** A range whose length is none of whole bytes or groups is several; this many at most. */
export const mostPrefixes = 256

const partBits = { 4: 8, 6: 16 } as const

/** Null for what is no range, for all addresses, and for IPv6 between such lengths that it would be more than `mostPrefixes`. */
export function addressPrefixes(text: string): AddressPrefixes | null {
  const range = rangeOf(text)
  if (range === null || range.bits === 0) return null
  const size = partBits[range.first.version]
  const parts = Math.ceil(range.bits / size)
  const count = 2 ** (parts * size - range.bits)
  if (count > mostPrefixes) return null
  const rest = BigInt((range.first.version === 4 ? 32 : 128) - parts * size)
  const start = range.first.value >> rest
  const prefixes = Array.from({ length: count }, (_, nth) => written(range.first.version, start + BigInt(nth), parts))
  return { parts, prefixes }
}

/** Of all rules of a site. */
const mostOfSite = 2000

/** Why these cannot be looked up together, and which of them is at fault. */
export function tooWide(ranges: readonly string[]): { readonly range: string; readonly problem: string } | undefined {
  let sum = 0
  for (const range of ranges) {
    const found = addressPrefixes(range)
    if (found === null)
      return { range, problem: 'is no range, holds all addresses, or begins and ends within a group of IPv6' }
    sum += found.prefixes.length
    if (sum > mostOfSite)
      return { range, problem: `is one too many: together they are more than ${mostOfSite} beginnings of addresses` }
  }
  return undefined
}

function written(version: AddressValue['version'], value: bigint, parts: number): string {
  const size = BigInt(partBits[version])
  const all = Array.from(
    { length: parts },
    (_, place) => (value >> (size * BigInt(parts - 1 - place))) & ((1n << size) - 1n),
  )
  return version === 4 ? all.join('.') : all.map((part) => `${part.toString(16)}:`).join('')
}
