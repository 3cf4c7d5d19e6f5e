/** The result of signing in without a browser, for `wcp` and other programs. */
import { z } from 'zod'

export const TokenGrant = z.strictObject({
  /** Gets new tokens as long as the session lives; a new one after each proof. */
  secret: z.string(),
  /** For `Authorization: Bearer`. */
  token: z.string(),
  expiresAt: z.iso.datetime(),
  email: z.string(),
})
export type TokenGrant = z.output<typeof TokenGrant>

/** Below the root of the API. */
export const tokensPath = '/tokens'
