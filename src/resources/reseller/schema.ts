/** A reseller: a person with customers of his own, and what he may give away to them altogether. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Count, timestamps } from '../answers.ts'
import { Email, UserStatus } from '../user/schema.ts'

/** A reseller by the id, or by the e-mail address of the person. */
export const ResellerRef = z
  .union([Id, Email], { error: 'the id or the e-mail address of a reseller' })
  .describe('Reseller, by id or e-mail address')

/** The limits of packages and the sums of tenants. */
export const shareKeys = ['maxDomains', 'cpuPct', 'memMb', 'pids', 'ioMbps', 'diskMb', 'maxDatabases'] as const
export type ShareKey = (typeof shareKeys)[number]

/** null is no limit. */
const Share = z.int().min(0).nullable()

/** The allotment of all tenants of a reseller together. */
export const ResellerLimits = z.strictObject({
  maxTenants: Share,
  maxDomains: Share,
  cpuPct: Share,
  memMb: Share,
  pids: Share,
  ioMbps: Share,
  diskMb: Share,
  maxDatabases: Share,
})
export type ResellerLimits = z.output<typeof ResellerLimits>

/** As they are kept: those of before there were databases have no limit of them. */
export const KeptLimits = ResellerLimits.extend({ maxDatabases: Share.default(null) })

/** The sums over the packages of the living tenants. */
export const ResellerUse = z.strictObject({
  tenants: Count,
  maxDomains: Count,
  cpuPct: Count,
  memMb: Count,
  pids: Count,
  ioMbps: Count,
  diskMb: Count,
  maxDatabases: Count,
})
export type ResellerUse = z.output<typeof ResellerUse>

export const Reseller = z.strictObject({
  id: Id,
  userId: Id,
  email: z.string(),
  /** Of the person; the customers of a suspended reseller go on. */
  status: UserStatus,
  ...ResellerLimits.shape,
  used: ResellerUse,
  /** Living tenants, as in `used`. */
  tenants: Count,
  ...timestamps,
})
export type Reseller = z.output<typeof Reseller>
