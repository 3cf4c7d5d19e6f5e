/** The policies, kept with the roles they are about. */
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { type StoreTools, stored } from '../store-tools.ts'
import { type Policy, SecondFactorRule } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly loginPolicies: PolicyStore
  }
}

export interface PolicyStore {
  list(): Promise<Policy[]>
  /** False for an unknown role. */
  set(role: string, secondFactor: SecondFactorRule): Promise<boolean>
  /** The strictest of the user's roles. */
  ofUser(user: Id): Promise<SecondFactorRule>
}

export function policyStore(db: Db, { now }: StoreTools): PolicyStore {
  return {
    async list() {
      const rows = await db
        .selectFrom('roles')
        .select(['name', 'second_factor'])
        .where('deleted_at', 'is', null)
        .orderBy('name')
        .execute()
      return rows.map((row) => ({ role: row.name, secondFactor: stored(row.second_factor) }))
    },

    async set(role, secondFactor) {
      const changed = await db
        .updateTable('roles')
        .set({ second_factor: secondFactor, updated_at: now })
        .where('name', '=', role)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      return changed.numUpdatedRows > 0n
    },

    async ofUser(user) {
      const rows = await db
        .selectFrom('user_roles')
        .innerJoin('roles', 'roles.id', 'user_roles.role_id')
        .select('roles.second_factor')
        .where('user_roles.user_id', '=', user)
        .execute()
      const asked = new Set(rows.map((row) => row.second_factor))
      return SecondFactorRule.options.findLast((rule) => asked.has(rule)) ?? 'optional'
    },
  }
}
