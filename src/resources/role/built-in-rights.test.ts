import { describe, expect, it } from 'vitest'
import type { Stores } from '../stores.ts'
import { giveBuiltInRights } from './built-in-rights.ts'

/** Two roles, as far as they are read and written here. */
function rolesWith(user: readonly string[], reseller: readonly string[]) {
  const held: Record<string, readonly string[]> = { user, reseller }
  const roles = {
    get: async (name: string) => ({ id: name, permissions: held[name] ?? [] }),
    update: async (id: string, { permissions }: { permissions: readonly string[] }) => {
      held[id] = permissions
    },
  }
  return { held, stores: { roles } as unknown as Stores }
}

const operation = (name: string, ...holders: ('customer' | 'reseller')[]) => ({
  name,
  policy: { scopes: ['global', 'local'], holders } as const,
})

describe('the rights of the roles that come with the product', () => {
  it('follow the operations of any kind that names its holders', async () => {
    const { held, stores } = rolesWith(['domain.get', 'own.right'], ['domain.get'])

    await giveBuiltInRights(stores, [
      operation('cron.list', 'customer', 'reseller'),
      operation('cron.create', 'customer'),
      operation('cron.inspect'),
    ])

    expect(held).toEqual({
      user: ['domain.get', 'own.right', 'cron.list', 'cron.create'],
      reseller: ['domain.get', 'cron.list'],
    })
  })

  it('are not written where nothing is missing', async () => {
    const { held, stores } = rolesWith(['cron.list'], ['cron.list'])
    const before = { ...held }

    await giveBuiltInRights(stores, [operation('cron.list', 'customer', 'reseller')])

    expect(Object.entries(held).every(([name, permissions]) => before[name] === permissions)).toBe(true)
  })
})
