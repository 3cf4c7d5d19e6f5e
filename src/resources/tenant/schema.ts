/** A tenant: one customer's account, one Linux user, one slice of the machine. */
import { z } from 'zod'
import { Id, TenantName } from '../../contract/values.ts'
import { Count, Time, timestamps } from '../answers.ts'
import { Hold } from '../hold/schema.ts'

/** A tenant by its id or its name. */
export const TenantRef = z
  .union([Id, TenantName], { error: 'the id or the name of a tenant' })
  .describe('Tenant, by id or name')
export type TenantRef = z.output<typeof TenantRef>

/** `locked`: its people are kept out, its sites are served. One that is suspended, or has a job, says so instead. */
export const TenantStatus = z.enum(
  ['pending', 'active', 'deploying', 'suspended', 'locked', 'error', 'deleting', 'deleted', 'restoring', 'purging'],
  { error: 'a status such as active or suspended' },
)
export type TenantStatus = z.output<typeof TenantStatus>

/** As it was measured last. */
export const Usage = z.strictObject({
  domains: Count,
  /** MB, of 1,000,000 bytes; null: not measured yet. */
  diskMb: Count.nullable(),
  /** False: it is at least so much, as its tree was too large to be seen whole. */
  diskIsWhole: z.boolean(),
  diskAt: Time.nullable(),
  /** Of its databases, beside its disk space, as their servers count; null: none was measured yet. */
  databasesMb: Count.nullable(),
  /** Sent to visitors in this month (UTC). */
  trafficMb: Count,
  trafficAt: Time.nullable(),
})
export type Usage = z.output<typeof Usage>

export const UsageSpan = z.enum(['day', 'month'], { error: 'day or month' })
export type UsageSpan = z.output<typeof UsageSpan>

export const UsagePeriod = z.strictObject({
  /** `2026-03-01` or `2026-03`, in UTC. */
  period: z.string(),
  domains: Count,
  diskMb: Count,
  trafficMb: Count,
})
export type UsagePeriod = z.output<typeof UsagePeriod>

/** What it uses beside what its package allows; null is no limit. */
export const UsageOfLimits = z.strictObject({
  ...Usage.shape,
  maxDomains: Count.nullable(),
  maxDiskMb: Count.nullable(),
})
export type UsageOfLimits = z.output<typeof UsageOfLimits>

export const Tenant = z.strictObject({
  id: Id,
  /** Of the Linux user too; it never changes. */
  name: TenantName,
  displayName: z.string().nullable(),
  status: TenantStatus,
  packageId: Id,
  packageName: z.string(),
  ownerId: Id.nullable(),
  ownerEmail: z.string().nullable(),
  /** Whose customer it is; null: the panel's own. */
  resellerId: Id.nullable(),
  resellerEmail: z.string().nullable(),
  /** Living domains. */
  domains: Count,
  /** Of its Linux user; null while the root side is away, and before there is a user; of `get` only. */
  uid: z.int().nullable().exactOptional(),
  /** Of `get` only. */
  usage: UsageOfLimits.exactOptional(),
  /** Why it is suspended, and on whose word; of `get` only. */
  holds: z.array(Hold).exactOptional(),
  /** Why its people are locked out, and on whose word; of `get` only. */
  locks: z.array(Hold).exactOptional(),
  version: z.int(),
  ...timestamps,
})
export type Tenant = z.output<typeof Tenant>
