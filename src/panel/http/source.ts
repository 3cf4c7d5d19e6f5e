/** One source of requests: one IPv4 address, or one IPv6 /64, which is the least that anybody gets. */
import { isIPv4 } from 'node:net'
import { whence } from '../auth/network.ts'

/** @param address as `clientAddress` has it */
export function sourceOf(address: string): string {
  return isIPv4(address) ? address : whence(address).source
}
