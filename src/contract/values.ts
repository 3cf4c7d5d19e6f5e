/** The validated scalars of the product: what a name, a domain, a limit may be, said once for both sides of the boundary. */
import { z } from 'zod'

/** UUID v4, the id of every row. */
export const Id = z.uuidv4({ error: 'a UUID such as 3f0c1d9e-8a52-4d5b-9f5e-0d1a2b3c4d5e' }).brand<'Id'>()
export type Id = z.infer<typeof Id>

/** Name of a tenant and of its Linux user: letters and digits only, so that it is also a safe file and unit name (C14). */
export const TenantName = z
  .string()
  .regex(/^[a-z][a-z0-9]{2,23}$/, {
    error: '3 to 24 characters: a lower-case letter, then lower-case letters and digits',
  })
  .brand<'TenantName'>()
export type TenantName = z.infer<typeof TenantName>

/**
 * A host name in its one canonical form: lower-case A-labels without a trailing dot, at least two of them, the last not
 * numeric, so that no address and no path can be written in it. Public suffixes are refused above this (`lib/domain-name`).
 */
export const Fqdn = z
  .string()
  .max(253, { error: 'at most 253 characters' })
  .regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
    error: 'a host name such as shop.example.com',
  })
  .brand<'Fqdn'>()
export type Fqdn = z.infer<typeof Fqdn>

/**
 * One line of text that a person wrote: nothing in it ends a line, moves a cursor or turns the reading direction, and both
 * stores hold it as it is (PostgreSQL has no NUL).
 */
export const Line = z
  .string()
  .trim()
  .regex(/^[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u, { error: 'one line without control characters' })

export const PhpVersion = z.enum(['8.1', '8.2', '8.3', '8.4', '8.5'], { error: 'a PHP version such as 8.4' })
export type PhpVersion = z.infer<typeof PhpVersion>

/**
 * How a site is reached once it has a certificate of its own: `optional` over HTTP as over HTTPS, `redirect` who comes over
 * HTTP is sent to HTTPS; with the others browsers are also told to remember that (RFC 6797), each more than the one before.
 */
export const httpsPolicies = ['optional', 'redirect', 'hsts-day', 'hsts-year', 'hsts-subdomains'] as const
export const HttpsPolicy = z.enum(httpsPolicies, {
  error: 'optional, redirect, hsts-day, hsts-year or hsts-subdomains',
})
export type HttpsPolicy = z.infer<typeof HttpsPolicy>

/**
 * Where processes of a tenant may connect to, besides this machine's sites and what they serve to themselves: `default`
 * everywhere but the addresses of the cloud provider and other servers' port 25, `smtp` also that, `open` everywhere,
 * `none` nowhere.
 */
export const egressPolicies = ['default', 'smtp', 'open', 'none'] as const
export const EgressPolicy = z.enum(egressPolicies, { error: 'default, smtp, open or none' })
export type EgressPolicy = z.infer<typeof EgressPolicy>

/** What a tenant's people get by SSH with its keys: nothing, files alone, or a shell too. */
export const sshAccesses = ['none', 'sftp', 'shell'] as const
export const SshAccess = z.enum(sshAccesses, { error: 'none, sftp or shell' })
export type SshAccess = z.infer<typeof SshAccess>

/** A tenant's limits on the machine; null means no limit of its own. */
export const TenantLimits = z.strictObject({
  /** Hundredths of one CPU: 150 is one and a half. */
  cpuPct: z.int().min(5).max(10_000).nullable(),
  memMb: z.int().min(64).max(1_048_576).nullable(),
  pids: z.int().min(16).max(65_536).nullable(),
  /** Read and write each, MB/s. */
  ioMbps: z.int().min(1).max(100_000).nullable(),
  /** Not enforced yet: no quota is written. */
  diskMb: z.int().min(10).max(1_073_741_824).nullable(),
  /** Absent in what 0.1.0 wrote. */
  egress: EgressPolicy.exactOptional(),
  /** Absent is none. */
  sshAccess: SshAccess.exactOptional(),
})
export type TenantLimits = z.infer<typeof TenantLimits>
