/** The proof that holders of a role must show to sign in. */
import { z } from 'zod'

/** From the mildest to the strictest. */
export const SecondFactorRule = z.enum(['optional', 'required', 'certificate'], {
  error: 'optional, required or certificate',
})
export type SecondFactorRule = z.output<typeof SecondFactorRule>

export const RoleRef = z
  .string({ error: 'the name of a role' })
  .trim()
  .min(1, { error: 'the name of a role' })
  .max(64, { error: 'at most 64 characters' })
  .describe('Role, by name')

export const Policy = z.strictObject({ role: z.string(), secondFactor: SecondFactorRule })
export type Policy = z.output<typeof Policy>
