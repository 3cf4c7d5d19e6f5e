/** What counts as one source of requests: one IPv4 address, or one IPv6 /64, which is the least that anybody gets. */
import { isIPv6 } from 'node:net'
import { networkOf } from '../auth/throttle.ts'

/** @param address as `clientAddress` has it */
export function sourceOf(address: string): string {
  return isIPv6(address) ? networkOf(address) : address
}
