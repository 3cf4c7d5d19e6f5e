/** A package: what a tenant may use, under a name that is sold. */
import { z } from 'zod'
import { EgressPolicy, Id, SshAccess, TenantLimits } from '../../contract/values.ts'
import { Count, timestamps } from '../answers.ts'
import { Feature } from './features.ts'

export const PackageName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,39}$/, {
    error: '2 to 40 characters: a lower-case letter, then lower-case letters, digits and hyphens',
  })
  .describe('Name of the package')

/** A package by its id or its name. */
export const PackageRef = z
  .union([Id, PackageName], { error: 'the id or the name of a package' })
  .describe('Package, by id or name')

export const MaxDomains = z.int().min(0).max(100_000).nullable()

export const Package = z.strictObject({
  id: Id,
  name: PackageName,
  description: z.string(),
  /** Taken where none is named. */
  isDefault: z.boolean(),
  /** Its reseller sells it, and only staff changes it. */
  isSystem: z.boolean(),
  features: z.array(Feature),
  maxDomains: MaxDomains,
  maxDatabases: z.int().min(0).max(1000).nullable(),
  ...TenantLimits.shape,
  egress: EgressPolicy,
  sshAccess: SshAccess,
  /** Living tenants that have it. */
  tenants: Count,
  /** Whose it is; null: the panel's own. */
  resellerId: Id.nullable(),
  resellerEmail: z.string().nullable(),
  ...timestamps,
})
export type Package = z.output<typeof Package>

/** A package without the number of its tenants, which takes the longer to count the more they are. */
export type PlainPackage = Omit<Package, 'tenants'>
