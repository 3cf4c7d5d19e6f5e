/** A second factor: codes of an authenticator app (RFC 6238), and recovery codes for the day when the phone is gone. */
import { z } from 'zod'
import { Count, Time } from '../answers.ts'

export const TotpCode = z
  .string({ error: 'the six digits that the app shows' })
  .transform((text) => text.replaceAll(' ', ''))
  .pipe(z.string().regex(/^\d{6}$/, { error: 'the six digits that the app shows' }))
  .describe('The six digits that the app shows now')

export const TotpState = z.strictObject({
  email: z.string(),
  /** `off`; `pending` until a first code was seen; `on`. */
  state: z.enum(['off', 'pending', 'on']),
  since: Time.nullable(),
  recoveryCodesLeft: Count,
})
export type TotpState = z.output<typeof TotpState>

/** Shown once. */
export const TotpSecret = z.strictObject({
  /** Base32, for typing. */
  secret: z.string(),
  /** `otpauth://totp/…`, for the QR code. */
  uri: z.string(),
})

/** Shown once; each works once. */
export const RecoveryCodes = z.strictObject({ recoveryCodes: z.array(z.string()) })
