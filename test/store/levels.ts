import { Id } from '../../src/contract/values.ts'
import type { Actor } from '../../src/resources/actor.ts'
import { slices } from '../support/slices.ts'
import { type Panel, root } from './harness.ts'

const { tenant, package: packages, reseller, user } = slices

export const fqdn = 'shop.example.com'
export const levels = ['customer', 'reseller', 'staff', 'root'] as const
export type People = Readonly<Record<(typeof levels)[number], Actor>>

/** A customer of a reseller with one site, and somebody of each level. */
export async function hosted(panel: Panel): Promise<{ people: People; acting: Actor }> {
  const password = 'correct horse battery'
  const { id: sellerId } = await panel.run(reseller.create, { email: 'seller@example.com', password })
  await panel.run(packages.create, { name: 'basic', reseller: 'seller@example.com' })
  const { id: tenantId } = await panel.run(tenant.create, {
    name: 'acme',
    reseller: 'seller@example.com',
    domain: fqdn,
  })
  await panel.run(user.create, { email: 'customer@example.com', password, role: 'user', tenant: 'acme' })
  await panel.run(user.create, { email: 'staff@example.com', password, role: 'system_admin' })
  await panel.work()
  const person = async (email: string) => {
    const { id } = await panel.run(user.get, { user: email })
    return { kind: 'user', id, email, permissions: 'all' } as const
  }
  const [customer, seller, staff] = await Promise.all(
    ['customer', 'seller', 'staff'].map((name) => person(`${name}@example.com`)),
  )
  if (customer === undefined || seller === undefined || staff === undefined) throw new Error('somebody is missing')
  const people: People = {
    customer: { ...customer, scope: { kind: 'local', tenant: tenantId, user: customer.id } },
    reseller: { ...seller, scope: { kind: 'reseller', reseller: Id.parse(sellerId), user: seller.id } },
    staff: { ...staff, scope: { kind: 'global' } },
    root,
  }
  return { people, acting: { ...people.customer, impersonator: staff } as Actor }
}
