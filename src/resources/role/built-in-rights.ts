/** The rights of the roles that come with the product: operations declare them, and the roles follow at each start. */
import type { AnyOperation } from '../../contract/operation.ts'
import type { Stores } from '../stores.ts'

/** Names of the roles. */
export const roleOf = { customer: 'user', reseller: 'reseller' } as const

/** Gives what is missing and takes nothing away. */
export async function giveBuiltInRights(
  { roles }: Stores,
  operations: readonly Pick<AnyOperation, 'name' | 'policy'>[],
): Promise<void> {
  for (const holder of ['customer', 'reseller'] as const) {
    const { id, permissions } = await roles.get(roleOf[holder])
    const held = operations.filter(({ policy }) => policy.holders?.includes(holder)).map(({ name }) => name)
    const missing = held.filter((name) => !permissions.includes(name))
    if (missing.length > 0) await roles.update(id, { permissions: [...permissions, ...missing] })
  }
}
