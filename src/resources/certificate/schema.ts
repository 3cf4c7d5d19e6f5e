/** The certificate of a domain: its key is on the machine alone, its chain is what visitors are shown. */
import { z } from 'zod'
import { Fqdn, Id } from '../../contract/values.ts'
import { Time, timestamps } from '../answers.ts'

/** `acme`: an authority is asked for it, again and again; `own`: somebody brings it. */
export const CertificateSource = z.enum(['acme', 'own'])

/** Where the way to a certificate stands; the last one is its end. */
export const progress = ['key', 'address', 'caa', 'order', 'served'] as const
export const Progress = z.enum(progress)
export type Progress = z.output<typeof Progress>

export const Certificate = z.strictObject({
  id: Id,
  tenantId: Id,
  tenantName: z.string(),
  domainId: Id,
  fqdn: Fqdn,
  status: z.string(),
  source: CertificateSource,
  progress: Progress,
  /** Why it does not go on; null while it does. */
  problem: z.string().nullable(),
  /** Those of the chain that is served; none before the first. */
  names: z.array(z.string()),
  issuer: z.string().nullable(),
  notBefore: Time.nullable(),
  notAfter: Time.nullable(),
  renewAt: Time.nullable(),
  nextTryAt: Time.nullable(),
  /** PEM; null before the first one. */
  chain: z.string().nullable(),
  ...timestamps,
})
export type Certificate = z.output<typeof Certificate>
