/** A tenant: one customer's account, one Linux user, one slice of the machine. */
import { z } from 'zod'
import { Id, TenantName } from '../../contract/values.ts'
import { Count, timestamps } from '../answers.ts'
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
  /** Why it is suspended, and on whose word; of `get` only. */
  holds: z.array(Hold).exactOptional(),
  /** Why its people are locked out, and on whose word; of `get` only. */
  locks: z.array(Hold).exactOptional(),
  version: z.int(),
  ...timestamps,
})
export type Tenant = z.output<typeof Tenant>
