/** What the root side measures of tenants: one word for each source, and the shape of its answer. */
import { z } from 'zod'
import { Id } from './values.ts'

export const UsageSource = z.enum(['disk', 'traffic', 'databases'])
export type UsageSource = z.infer<typeof UsageSource>

/** So many tenants are asked for at once. */
export const usagePage = 500

/** Answer of `disk`. Tenants that time did not suffice for are left out. */
export const DiskUsage = z
  .array(
    z.strictObject({
      tenant: Id,
      /** Occupied on the disk; null: this machine has no such tenant. */
      bytes: z.number().min(0).nullable(),
      /** False: it is at least so much; not all of the tree was seen. */
      isWhole: z.boolean(),
    }),
  )
  .max(usagePage)
export type DiskUsage = z.infer<typeof DiskUsage>

/** Answer of `databases`. Tenants that room or time did not suffice for are left out. */
export const DatabaseSizes = z
  .array(
    z.strictObject({
      tenant: Id,
      /** Those that live. null: its server did not say. */
      databases: z.array(z.strictObject({ database: Id, bytes: z.number().min(0).nullable() })).max(1000),
    }),
  )
  .max(usagePage)
export type DatabaseSizes = z.infer<typeof DatabaseSizes>

/** Answer of `traffic`: counters that only go up. Tenants without one are left out. */
export const TrafficCounters = z
  .array(
    z.strictObject({
      tenant: Id,
      /** When the counter began at zero. */
      since: z.iso.datetime(),
      /** Bytes sent to visitors since then. */
      sent: z.int().min(0),
    }),
  )
  .max(usagePage)
export type TrafficCounters = z.infer<typeof TrafficCounters>
