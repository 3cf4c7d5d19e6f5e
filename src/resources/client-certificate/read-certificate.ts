/** The stored fields of a registered certificate. */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto'

export interface ReadCertificate {
  /** See `keyFingerprint`. */
  readonly fingerprint: string
  /** ISO 8601. */
  readonly expiresAt: string
}

export const wantedCertificate = 'a certificate in PEM form, from -----BEGIN CERTIFICATE----- on'

/** @param pem line breaks may have become blanks. @returns the problem, in words, when it cannot be used at `now` */
export function readCertificate(pem: string, now: string): ReadCertificate | string {
  if (pem.includes('PRIVATE KEY')) return 'holds a private key, which must not leave the machine it was made on'
  const body = /^-----BEGIN CERTIFICATE-----([\sA-Za-z0-9+/=]+)-----END CERTIFICATE-----$/.exec(pem.trim())?.[1]
  const certificate = body === undefined ? null : parsed(Buffer.from(body, 'base64'))
  if (certificate === null) return 'is not one certificate'
  const key = certificate.publicKey
  if (isWeak(key)) return 'has a key that is too weak'
  const expiresAt = certificate.validToDate.toISOString()
  if (expiresAt <= now) return 'has expired'
  return { fingerprint: keyFingerprint(key), expiresAt }
}

/** SHA-256 of the public key (SubjectPublicKeyInfo, DER), hexadecimal: a renewed certificate over the same key has the same. */
export function keyFingerprint(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

function parsed(der: Buffer): X509Certificate | null {
  try {
    const certificate = new X509Certificate(der)
    return certificate.publicKey ? certificate : null
  } catch {
    return null // a key of a kind that OpenSSL does not know throws as well
  }
}

/** NIST SP 800-57: less than 112 bits of strength. */
function isWeak({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (asymmetricKeyType === 'rsa') return (asymmetricKeyDetails?.modulusLength ?? 0) < 2048
  if (asymmetricKeyType === 'ec') return !strongCurves.has(asymmetricKeyDetails?.namedCurve ?? '')
  return asymmetricKeyType !== 'ed25519'
}

const strongCurves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])
