/** A role: permissions under a name, and how far whoever holds it reaches. */
import { z } from 'zod'
import { scopeKinds } from '../../contract/operation.ts'
import { Id } from '../../contract/values.ts'
import { Count, timestamps } from '../answers.ts'

export const RoleName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{1,39}$/, {
    error: '2 to 40 characters: a lower-case letter, then lower-case letters, digits, hyphens and underscores',
  })
  .describe('Name of the role')

/** A role by its id or its name. */
export const RoleRef = z
  .union([Id, RoleName], { error: 'the id or the name of a role' })
  .describe('Role, by id or name')

export const RoleScope = z
  .enum(scopeKinds, { error: `one of ${scopeKinds.join(', ')}` })
  .describe('global reaches everything, reseller what belongs to a reseller, local one tenant')

/** Name of an operation. */
export const Permission = z
  .string()
  .max(60, { error: 'the name of an operation such as domain.create' })
  .regex(/^[a-z-]+\.[a-z-]+$/, { error: 'the name of an operation such as domain.create' })

export const Role = z.strictObject({
  id: Id,
  name: RoleName,
  scope: RoleScope,
  /** Comes with the product and is never changed. */
  isBuiltIn: z.boolean(),
  /** Holds every permission, also those of later versions; `permissions` is empty then. */
  holdsAll: z.boolean(),
  permissions: z.array(z.string()),
  /** Living users who have it. */
  users: Count,
  ...timestamps,
})
export type Role = z.output<typeof Role>
