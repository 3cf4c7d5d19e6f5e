/** Recovery codes: 80 random bits in letters that nobody confuses, `abcd-efgh-jkmn-pqrs`. */
import { createHmac } from 'node:crypto'
import { letters, randomLetters } from '../letters.ts'

export const recoveryCodeCount = 10

const length = 16

export function newRecoveryCode(): string {
  return randomLetters(length).match(/.{4}/g)?.join('-') ?? ''
}

/** As it may be typed: any case, with or without dashes; null for what cannot be one. */
export function recoveryCodeOf(text: string): string | null {
  const plain = text.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll('o', '0').replaceAll(/[il]/g, '1')
  return new RegExp(`^[${letters}]{${length}}$`).test(plain) ? plain : null
}

/** Keyed, because 80 bits could be searched for by who has a copy of the store. */
export function recoveryCodeDigest(key: Uint8Array, code: string): string {
  return createHmac('sha256', key).update(code.replaceAll('-', '')).digest('base64url')
}
