/** One-time passwords of RFC 6238 as every authenticator app makes them: SHA-1, six digits, a new one every 30 seconds. */
import { createHmac, timingSafeEqual } from 'node:crypto'

const stepSeconds = 30
const digits = 6
/** RFC 4226 §4 (R6) asks for 160 bits. */
export const totpSecretBytes = 20

/** @param ms milliseconds since 1970 */
export function totpStep(ms: number): number {
  return Math.floor(ms / 1000 / stepSeconds)
}

/** The code of one step (RFC 4226 §5.3). */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const at = (mac.at(-1) ?? 0) & 0xf
  const number = mac.readUInt32BE(at) & 0x7fff_ffff
  return String(number % 10 ** digits).padStart(digits, '0')
}

/**
 * The step that a code belongs to: the present one or a neighbour, for clocks that differ and people who type slowly.
 * Takes the same time whatever the code is.
 * @returns null when it belongs to none
 */
export function stepOfCode(secret: Uint8Array, code: string, ms: number): number | null {
  const given = Buffer.alloc(digits)
  given.write(code.slice(0, digits), 'latin1')
  const isWhole = /^\d{6}$/.test(code)
  const now = totpStep(ms)
  const fitting = [now - 1, now, now + 1].filter((step) => timingSafeEqual(given, Buffer.from(totpCode(secret, step))))
  return isWhole ? (fitting[0] ?? null) : null
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 4648 §6, without padding. */
export function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

/** The URI that an authenticator app reads from the QR code. */
export function totpUri(secret: Uint8Array, issuer: string, account: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`
  return `otpauth://totp/${label}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}`
}
