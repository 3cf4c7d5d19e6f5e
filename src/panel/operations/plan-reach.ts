/** A plan shows nobody the rows of others, whichever the change would touch. */
import type { Id } from '../../contract/values.ts'
import type { Actor } from '../../resources/actor.ts'
import type { Stores } from '../../resources/stores.ts'
import { isStaff, scopeOf } from '../../resources/visibility.ts'
import type { RowChange } from '../../store/watched.ts'

export interface Reach {
  row(change: RowChange): Promise<boolean>
  user(id: Id): Promise<boolean>
}

export function reachOf(actor: Actor, { tenants, domains, users }: Stores, changes: readonly RowChange[]): Reach {
  if (isStaff(actor)) return { row: async () => true, user: async () => true }
  const scope = scopeOf(actor)
  const made = new Set(changes.flatMap(({ before, after }) => (before === null && after ? [String(after.id)] : [])))
  const found = async (store: Pick<Stores['tenants' | 'domains' | 'users'], 'find'>, id: string) =>
    made.has(id) ||
    (await store.find(id, { scope })) !== undefined ||
    (await store.find(id, { scope, deleted: true })) !== undefined
  const user = (id: string) => found(users, id)
  return {
    user,
    async row({ table, before, after }) {
      const row = after ?? before
      const owner = (column: string, of: string) => (table === of ? row?.id : row?.[column])
      const owners: readonly (readonly [unknown, (id: string) => Promise<boolean>])[] = [
        [owner('tenant_id', 'tenants'), (id) => found(tenants, id)],
        [owner('user_id', 'users'), user],
        [owner('domain_id', 'domains'), (id) => found(domains, id)],
      ]
      const named = owners.flatMap(([id, reaches]) => (typeof id === 'string' ? [reaches(id)] : []))
      if (named.length === 0) return table !== 'mails'
      return (await Promise.all(named)).every(Boolean)
    },
  }
}
