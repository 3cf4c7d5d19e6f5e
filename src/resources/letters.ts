/** Random text in letters that nobody confuses. */
import { randomBytes } from 'node:crypto'

/** Crockford's base 32: without i, l, o and u. Five bits a letter. */
export const letters = '0123456789abcdefghjkmnpqrstvwxyz'

export function randomLetters(count: number): string {
  return [...randomBytes(count)].map((byte) => letters[byte & 31]).join('')
}
