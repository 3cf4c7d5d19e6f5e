/** Ranges of internet addresses: `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`. */
import { BlockList, isIP } from 'node:net'

/** Null for what is no address or range. */
function rangeOf(text: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | null {
  const [address = '', bits, ...rest] = text.split('/')
  const version = isIP(address)
  const most = version === 4 ? 32 : 128
  const length = bits === undefined ? most : /^(0|[1-9]\d{0,2})$/.test(bits) ? Number(bits) : Number.NaN
  if (version === 0 || address.includes('%') || rest.length > 0 || !(length <= most)) return null
  return { address, bits: length, family: version === 4 ? 'ipv4' : 'ipv6' }
}

export function isAddressRange(text: string): boolean {
  return rangeOf(text) !== null
}

/** @param address of a connection: IPv4 without IPv6 clothes; a zone (`fe80::1%eth0`) does not count */
export function isWithin(ranges: readonly string[], address: string): boolean {
  const list = new BlockList()
  for (const text of ranges) {
    const range = rangeOf(text)
    if (range) list.addSubnet(range.address, range.bits, range.family)
  }
  const [plain = ''] = address.split('%')
  const version = isIP(plain)
  return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6')
}
