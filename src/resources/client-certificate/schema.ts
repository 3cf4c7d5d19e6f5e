/** A TLS client certificate: a second factor that cannot be typed into a wrong page. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Time } from '../answers.ts'

export const ClientCertificate = z.strictObject({
  id: Id,
  userId: Id,
  email: z.string(),
  name: z.string(),
  /** SHA-256 of the public key (SubjectPublicKeyInfo, DER), hexadecimal. */
  fingerprint: z.string(),
  createdAt: Time,
  /** Not taken from then on. */
  expiresAt: Time,
  /** The last sign-in with it. */
  lastUsedAt: Time.nullable(),
})
export type ClientCertificate = z.output<typeof ClientCertificate>
