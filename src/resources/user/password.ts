/** The rules for passwords: long, and not one of those that are tried first (ASVS 6.2). */
import { z } from 'zod'
import { badInput } from '../refusals.ts'
import { isCommonPassword } from './common-password.ts'

const accepted = '12 to 128 characters that are not a common password'

export const Password = z
  .string({ error: accepted })
  .min(12, { error: accepted })
  .max(128, { error: accepted })
  .refine((password) => !isCommonPassword(password), { error: `one that is hard to guess: ${accepted}` })
  .describe('Password, 12 to 128 characters')

/** The one rule that needs both fields. */
export function refuseEmailAsPassword(what: string, email: string, password: string): void {
  const text = password.toLowerCase()
  const name = email.slice(0, email.indexOf('@'))
  if (text === email || text.replaceAll(/[^a-z0-9]/g, '') === email.replaceAll(/[^a-z0-9]/g, '') || text === name)
    badInput(what, { field: 'password', problem: 'is the e-mail address', accepted })
}
