/** A user: a person who signs in to the panel. */
import { z } from 'zod'
import { Id, TenantName } from '../../contract/values.ts'
import { EmailAddress } from '../../lib/email-address.ts'
import { timestamps } from '../answers.ts'
import { Hold } from '../hold/schema.ts'
import { TenantStatus } from '../tenant/schema.ts'

export const Email = EmailAddress
export type Email = z.output<typeof Email>

export const UserRef = z
  .union([Id, Email], { error: 'the id or the e-mail address of a user' })
  .describe('User, by id or e-mail address')
export type UserRef = z.output<typeof UserRef>

export const UserStatus = z.enum(['active', 'suspended'], { error: 'active or suspended' })

export const User = z.strictObject({
  id: Id,
  email: z.string(),
  /** Names, at least one. */
  roles: z.array(z.string()),
  /** The tenant a customer sees; null for others. */
  tenantId: Id.nullable(),
  tenantName: TenantName.nullable(),
  /** One that is suspended or locked keeps the user out. */
  tenantStatus: TenantStatus.nullable(),
  /** Set when the user is a reseller. */
  resellerId: Id.nullable(),
  status: UserStatus,
  /** Why it is suspended; only when one is shown. */
  holds: z.array(Hold).exactOptional(),
  ...timestamps,
})
export type User = z.output<typeof User>
