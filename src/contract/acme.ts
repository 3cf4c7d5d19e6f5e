/** The parts of a talk with a certification authority (RFC 8555) that are the root side's: signatures, proofs, requests. */
import { z } from 'zod'
import { Fqdn, Id } from './values.ts'

/** An authority's word for a proof (RFC 8555, 8.3): base64url, so that no path can be written in it. */
export const AcmeToken = z
  .string()
  .regex(/^[A-Za-z0-9_-]{16,128}$/, { error: 'a token of 16 to 128 letters, digits, - or _' })
export type AcmeToken = z.infer<typeof AcmeToken>

const Url = z
  .string()
  .max(500)
  .regex(/^https:\/\/[\x21-\x7e]+$/)
/** Authorities take up to 100. */
const Names = z.array(Fqdn).min(1).max(100)
const Word = z.string().regex(/^[\x21-\x7e]{1,500}$/)

/**
 * All that the account's key signs. The panel chooses among the names that the root side knows of the certificate's site,
 * and no request: `finalize` is with the site's key. Revocation, change of key and the account's end are not among them.
 */
export const AcmePayload = z.discriminatedUnion('is', [
  z.strictObject({
    is: z.literal('account'),
    contact: z.email().max(254).nullable(),
    /** External account binding: the MAC key in base64url. */
    binding: z.strictObject({ kid: Word, key: z.string().regex(/^[A-Za-z0-9_-]{1,500}={0,2}$/) }).nullable(),
  }),
  z.strictObject({
    is: z.literal('order'),
    certificate: Id,
    names: Names,
    replaces: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,200}$/)
      .nullable(),
  }),
  z.strictObject({ is: z.literal('ready') }),
  z.strictObject({ is: z.literal('read') }),
  z.strictObject({ is: z.literal('finalize'), certificate: Id, names: Names }),
])
export type AcmePayload = z.infer<typeof AcmePayload>

export const AcmeRequest = z.strictObject({
  url: Url,
  nonce: z.string().regex(/^[A-Za-z0-9_-]{1,500}$/),
  /** Address of the account; null only before it is known. */
  account: Url.nullable(),
  payload: AcmePayload,
})
export type AcmeRequest = z.infer<typeof AcmeRequest>

/** Flattened JWS (RFC 7515, 7.2.2). */
export const SignedRequest = z.strictObject({ protected: z.string(), payload: z.string(), signature: z.string() })
export type SignedRequest = z.infer<typeof SignedRequest>

/** Answer to `csr`: PEM. */
export const SigningRequest = z.string().max(30_000)
