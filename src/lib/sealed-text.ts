/**
 * Secrets that must be read again, encrypted for the store: AES-256-GCM, bound to the place where they stand, so that a
 * sealed text moved to another row or column opens no more.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** Where the text stands. */
export interface Place {
  readonly table: string
  readonly row: string
  readonly column: string
}

const nonceBytes = 12
const tagBytes = 16

/** @param key 32 bytes. @returns `v1.<key id>.<nonce, ciphertext and tag in base64url>` */
export function sealText(key: Uint8Array, place: Place, secret: Uint8Array): string {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bound(place))
  const sealed = Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
  return `v1.${keyId(key)}.${sealed.toString('base64url')}`
}

/** Throws when it was sealed with another key or for another place, or was changed. */
export function openText(key: Uint8Array, place: Place, text: string): Buffer {
  const [version, id, body = ''] = text.split('.')
  if (version !== 'v1' || id !== keyId(key))
    throw new Error(`Cannot open a secret of ${place.table}: it was sealed with another key`)
  const sealed = Buffer.from(body, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(bound(place)).setAuthTag(sealed.subarray(-tagBytes))
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()])
}

function keyId(key: Uint8Array): string {
  return createHash('sha256').update('key id').update(key).digest('hex').slice(0, 8)
}

function bound({ table, row, column }: Place): Buffer {
  return Buffer.from(JSON.stringify([table, row, column]))
}
