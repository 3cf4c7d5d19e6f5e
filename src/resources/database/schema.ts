/** A database of a tenant, with the one user that has all rights in it. */
import { z } from 'zod'
import { Collation, DatabaseEngine, DatabaseName } from '../../contract/database.ts'
import { Id } from '../../contract/values.ts'
import { Count, Time, timestamps } from '../answers.ts'
import { TenantStatus } from '../tenant/schema.ts'

export const DatabaseRef = z
  .union([Id, DatabaseName], { error: 'the id or the name of a database' })
  .describe('Database, by id or name')

export const Database = z.strictObject({
  id: Id,
  tenantId: Id,
  tenantName: z.string(),
  /** Nobody signs in to a database of one that is suspended. */
  tenantStatus: TenantStatus,
  /** Also of its user. */
  name: DatabaseName,
  engine: DatabaseEngine,
  collation: Collation,
  /** MB, of 1,000,000 bytes, as its server counts; null: not measured yet. */
  usedMb: Count.nullable(),
  measuredAt: Time.nullable(),
  status: z.string(),
  ...timestamps,
})
export type Database = z.output<typeof Database>
