/**
 * Whether an address belongs to the public internet. What does not is reached from inside only: this machine, its
 * neighbours, a provider's metadata service (IANA's registries of special-purpose IPv4 and IPv6 addresses).
 */
import { isIPv6 } from 'node:net'
import { isWithin } from '../../lib/address-range.ts'

const special = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16'],
  ...['192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
]
/** Of IPv6 only what is given to networks is public, and of that not what leads to an IPv4 address or is for documents. */
const global6 = ['2000::/3']
const special6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']

/** @param address as `dns.lookup` gives it; anything else is not public */
export function isPublicAddress(address: string): boolean {
  if (address.includes('%')) return false
  if (!isIPv6(address)) return /^\d+\.\d+\.\d+\.\d+$/.test(address) && !isWithin(special, address)
  return isWithin(global6, address) && !isWithin(special6, address)
}
