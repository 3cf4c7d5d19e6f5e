/** When a certificate is renewed: when its authority would like it (RFC 9773), else after two thirds of its life; spread. */
import type { X509Certificate } from 'node:crypto'

/** The authority key identifier and the serial number (RFC 9773, 4.1); null without the former. */
export function renewalId(leaf: Pick<X509Certificate, 'raw' | 'serialNumber'>): string | null {
  const authority = authorityKeyOf(leaf.raw)
  if (authority === null) return null
  const digits = leaf.serialNumber.length % 2 === 0 ? leaf.serialNumber : `0${leaf.serialNumber}`
  // a DER integer is signed
  const serial = Buffer.from(/^[89A-F]/i.test(digits) ? `00${digits}` : digits, 'hex')
  return `${authority.toString('base64url')}.${serial.toString('base64url')}`
}

/** Its extension (RFC 5280, 4.2.1.1), told by its OID: an octet string that holds a sequence whose first part is tagged 0. */
function authorityKeyOf(der: Buffer): Buffer | null {
  const oid = Buffer.from('0603551d23', 'hex')
  const at = der.indexOf(oid)
  if (at === -1) return null
  const value = at + oid.length
  const [octets, , sequence, , tag, length = 0] = der.subarray(value, value + 6)
  if (octets !== 0x04 || sequence !== 0x30 || tag !== 0x80 || length > 64) return null
  return der.subarray(value + 6, value + 6 + length)
}

/** A moment between, another for each certificate. @param dice from 0 to 1 */
export function within({ start, end }: { start: Date; end: Date }, dice: number): Date {
  return new Date(start.getTime() + dice * (end.getTime() - start.getTime()))
}

/** After two thirds of its life, and up to a twentieth of it before. */
export function byAge({ notBefore, notAfter }: { notBefore: Date; notAfter: Date }, dice: number): Date {
  const life = notAfter.getTime() - notBefore.getTime()
  return new Date(notBefore.getTime() + life * (2 / 3 - dice / 20))
}
