/** A key by which the panel sets records in somebody's DNS: whose it is, for which zones, and whether it works. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { DomainName } from '../../lib/domain-name.ts'
import { isServerAddress } from '../../lib/server-address.ts'
import { Time, timestamps } from '../answers.ts'

export const algorithms = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const
export const Algorithm = z.enum(algorithms, { error: 'hmac-sha256, hmac-sha384 or hmac-sha512' })
export type Algorithm = z.output<typeof Algorithm>

/** As name servers compare it: in lower case, without the dot at its end. */
export const KeyName = z
  .string()
  .trim()
  .max(254, { error: 'at most 253 characters' })
  .transform((text) => text.toLowerCase().replace(/\.$/, ''))
  .pipe(
    z.string().regex(/^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*$/, {
      error: 'the name of the key as the name server has it, such as wcp360.example.com',
    }),
  )

/** 128 to 1024 bits. */
export const KeySecret = z
  .string()
  .trim()
  .max(200, { error: 'at most 200 characters' })
  .refine(isSecret, { error: 'the secret in base64 as the name server has it: 16 to 128 bytes' })

export const ServerAddress = z
  .string()
  .trim()
  .max(60, { error: 'at most 60 characters' })
  .refine(isServerAddress, { error: 'an address such as 192.0.2.53, 2001:db8::53 or [2001:db8::53]:5353' })

export const DnsKey = z.strictObject({
  id: Id,
  keyName: z.string(),
  algorithm: Algorithm,
  zones: z.array(z.string()),
  servers: z.array(z.string()),
  /** Whose domains it is for; null: those of a reseller's tenants, or of all. */
  tenantId: Id.nullable(),
  tenantName: z.string().nullable(),
  resellerId: Id.nullable(),
  resellerEmail: z.string().nullable(),
  /** When it was used last; null: it was not tried yet. */
  checkedAt: Time.nullable(),
  /** Why the name server did not do what it was asked; null: it did, or was not asked yet. */
  problem: z.string().nullable(),
  ...timestamps,
})
export type DnsKey = z.output<typeof DnsKey>

export const Zones = z
  .array(DomainName, { error: 'a list of zones such as example.com' })
  .min(1, { error: 'at least one zone' })
  .max(50, { error: 'at most 50 zones' })

export const Servers = z
  .array(ServerAddress, { error: 'a list of addresses' })
  .min(1, { error: 'at least one address' })
  .max(4, { error: 'at most 4 addresses' })

function isSecret(text: string): boolean {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text && bytes.length >= 16 && bytes.length <= 128
}
