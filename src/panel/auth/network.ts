/**
 * Whose an address is, as far as it tells: one machine or household, the network that one customer of an access provider
 * commands, and the range around it, which one who hires addresses commands.
 */
import { addressText, addressValue, cutTo } from '../../lib/address-value.ts'
import type { Path } from './fair-line.ts'

const bits = {
  4: { range: 16, network: 24, source: 32 },
  6: { range: 32, network: 48, source: 64 },
} as const

export interface Whence {
  readonly range: string
  readonly network: string
  readonly source: string
}

/** @param address as `clientAddress` has it */
export function whence(address: string): Whence {
  const value = addressValue(address)
  if (value === null) return { range: address, network: address, source: address }
  const cut = (length: number) => `${addressText(cutTo(value, length))}/${length}`
  const { range, network, source } = bits[value.version]
  return { range: cut(range), network: cut(network), source: cut(source) }
}

export const networkOf = (address: string) => whence(address).network

/** Where a stranger stands in a fair line: as one of their range, network and address. */
export function strangersPlace(address: string): Path {
  const { range, network, source } = whence(address)
  return ['strangers', range, network, source]
}

/** Where somebody stands who is known. */
export const knownPlace = (who: string): Path => ['known', who]
