/** Host names in their one canonical form: whatever way one is written, it becomes the same lower-case A-labels or is refused. */
import { domainToASCII, domainToUnicode } from 'node:url'
import { Fqdn } from '../contract/values.ts'

export type HostReading = { readonly name: Fqdn } | { readonly problem: string }

/** @returns the canonical name, or the reason why it is none. */
export function canonicalHost(text: string): HostReading {
  if (text.length > 253 * 4) return { problem: 'is too long' }
  const written = text.endsWith('.') ? text.slice(0, -1) : text
  if (written === '') return { problem: 'is empty' }
  // Text that a URL parser would cut off, decode or read as an address never reaches it.
  if (/[\s\p{Cc}\p{Cf}\p{Cs}%/\\?#@:[\]<>^|`"'$&;(){}!*=+,~_]/u.test(written))
    return { problem: 'has a character that no host name has' }
  const ascii = domainToASCII(written)
  const parsed = Fqdn.safeParse(ascii)
  if (!parsed.success) return { problem: 'is not a host name' }
  if (ascii.split('.').some(isFakeAce)) return { problem: 'has a label that is not written in a valid way' }
  return { name: parsed.data }
}

/** Hyphens in third and fourth place are for A-labels alone, and an A-label must be the one writing of its Unicode (RFC 5891). */
function isFakeAce(label: string): boolean {
  if (label.slice(2, 4) !== '--') return false
  if (!label.startsWith('xn--')) return true
  const unicode = domainToUnicode(label)
  return unicode === '' || domainToASCII(unicode) !== label || unicode === label
}
