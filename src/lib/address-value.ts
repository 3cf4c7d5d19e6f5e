/** Internet addresses as numbers, whatever way they are written; an IPv4 address in the clothes of IPv6 is an IPv4 address. */
import { isIP } from 'node:net'

export interface AddressValue {
  readonly version: 4 | 6
  readonly value: bigint
}

/** Null for what is no address; a zone (`fe80::1%eth0`) does not count. */
export function addressValue(text: string): AddressValue | null {
  const [plain = ''] = text.split('%')
  const version = isIP(plain)
  if (version === 4) return { version, value: numberOf(plain.split('.'), 8n, 10) }
  if (version !== 6) return null
  const value = numberOf(groupsOf(plain), 16n, 16)
  return value >> 32n === 0xffffn ? { version: 4, value: value & 0xffff_ffffn } : { version, value }
}

/** As RFC 5952 has it. */
export function addressText({ version, value }: AddressValue): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, place) => ((value >> BigInt(112 - 16 * place)) & 0xffffn).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/** The address with nothing behind its first bits. */
export function cutTo({ version, value }: AddressValue, bits: number): AddressValue {
  const rest = BigInt((version === 4 ? 32 : 128) - bits)
  return { version, value: (value >> rest) << rest }
}

function numberOf(parts: readonly string[], bits: bigint, base: 10 | 16): bigint {
  return parts.reduce((sum, part) => (sum << bits) | BigInt(Number.parseInt(part, base)), 0n)
}

/** Eight of them; the last two may be written as IPv4. */
function groupsOf(text: string): string[] {
  const hex = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [front = [], back] = hex.split('::').map((half) => (half === '' ? [] : half.split(':')))
  return back === undefined ? front : [...front, ...Array(8 - front.length - back.length).fill('0'), ...back]
}
