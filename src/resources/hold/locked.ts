/** Locks of tenants in queries: a lock is a hold of its own and leaves the status that jobs lead to as it is. */
import { type Expression, expressionBuilder, type SqlBool } from 'kysely'
import type { Database } from '../../store/database.ts'

/** For a query that has `tenants` in it: whether their people are locked out. */
export function isLocked(): Expression<SqlBool> {
  const eb = expressionBuilder<Database, 'tenants'>()
  const locks = eb.selectFrom('holds').select('holds.id').whereRef('holds.tenant_id', '=', 'tenants.id')
  return eb.exists(locks.where('holds.effect', '=', 'lock'))
}
