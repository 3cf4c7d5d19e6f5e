/** A domain: the name of a site, its aliases, and the PHP that serves it. */
import { z } from 'zod'
import { SiteSettings } from '../../contract/site-settings.ts'
import { Fqdn, HttpsPolicy, Id, PhpVersion, TenantName } from '../../contract/values.ts'
import { AcceptedMaybe, Time, timestamps } from '../answers.ts'
import { Hold } from '../hold/schema.ts'
import { TenantStatus } from '../tenant/schema.ts'
import { shownSettings } from './settings.ts'

/** `unverified`: it waits for the proof that its name is the tenant's, and the machine does not know of it. */
export const DomainStatus = z.enum(
  ['unverified', 'pending', 'active', 'deploying', 'suspended', 'error', 'deleting', 'deleted', 'restoring', 'purging'],
  { error: 'a status such as active or suspended' },
)
export type DomainStatus = z.output<typeof DomainStatus>

export const Domain = z.strictObject({
  id: Id,
  fqdn: Fqdn,
  aliases: z.array(Fqdn),
  /** Those of its names that wait for a proof of ownership; they are not served. */
  unproven: z.array(Fqdn),
  tenantId: Id,
  tenantName: TenantName,
  /** Of one that is suspended no domain is served. */
  tenantStatus: TenantStatus,
  /** null: a site without PHP. */
  php: PhpVersion.nullable(),
  /** What happens to visitors over HTTP; in force once the domain has a certificate of its own. */
  https: HttpsPolicy,
  ...shownSettings,
  status: DomainStatus,
  /** Why it is suspended, and on whose word; of `get` only. */
  holds: z.array(Hold).exactOptional(),
  /** The document root on the server; of `get` only. */
  directory: z.string().exactOptional(),
  version: z.int(),
  ...timestamps,
})
export type Domain = z.output<typeof Domain>

/** In the column `settings`. */
export const DomainSettings = z.object({ https: HttpsPolicy.default('redirect'), site: SiteSettings.default({}) })
export type DomainSettings = z.output<typeof DomainSettings>

/** A record to be set in the DNS, which proves that a name is the tenant's. */
export const ProofRecord = z.strictObject({ name: z.string(), type: z.literal('TXT'), value: z.string() })
export type ProofRecord = z.output<typeof ProofRecord>

/**
 * How a look at the DNS ended: without such a record, with records of another value, with a server that answered with a
 * failure, without an answer, or with the proof for a name that could not be had all the same.
 */
export const ProofOutcome = z.enum(['absent', 'other_value', 'server_failure', 'no_answer', 'not_to_be_had'])
export type ProofOutcome = z.output<typeof ProofOutcome>

export const ProofTry = z.strictObject({ at: Time, outcome: ProofOutcome, detail: z.string() })
export type ProofTry = z.output<typeof ProofTry>

export const DomainProof = z.strictObject({
  /** It proves this name and those below it. */
  name: Fqdn,
  /** Of the TXT record that is to be set. */
  recordName: z.string(),
  recordValue: z.string(),
  /** How the newest look ended; null before the first. */
  answer: ProofOutcome.nullable(),
  /** The newest first. */
  tries: z.array(ProofTry),
  /** null: nobody looks any more until somebody asks. */
  nextTryAt: Time.nullable(),
})
export type DomainProof = z.output<typeof DomainProof>

/** `records`: what is to be set in the DNS before the machine is told; without them there is a job. */
export const AcceptedOrAsked = z.strictObject({ ...AcceptedMaybe.shape, records: z.array(ProofRecord) })

/** The aliases for the machine: those that are held. */
export function heldAliases({
  aliases,
  unproven,
}: {
  readonly aliases: readonly Fqdn[]
  readonly unproven: readonly Fqdn[]
}): Fqdn[] {
  return aliases.filter((name) => !unproven.includes(name))
}
