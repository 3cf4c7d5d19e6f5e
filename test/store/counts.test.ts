/** Numbers that decide something: what is counted, for whom, and what of the trash. */
import { expect, it } from 'vitest'
import type { Actor } from '../../src/resources/actor.ts'
import { kinds } from '../../src/resources/index.ts'
import { everything, type Scope } from '../../src/resources/scope.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { newId, type Panel, refusal, root } from './harness.ts'

const { tenant, domain, package: packages, reseller } = slices

function within(scope: Scope): Actor {
  return { kind: 'user', id: newId(), email: 'somebody@example.org', permissions: 'all', scope }
}

onBothStores('numbers', (bench) => {
  /** One seller with two sites, another with one, and one of the panel itself; a site and a tenant are in the trash. */
  async function market(panel: Panel) {
    await panel.run(packages.create, { name: 'basic' })
    const sellers = []
    for (const name of ['ann', 'bob']) {
      const { id } = await panel.run(reseller.create, {
        email: `${name}@example.org`,
        password: 'a quiet river at night',
      })
      const seller = within({ kind: 'reseller', reseller: id, user: newId() })
      await panel.run(packages.create, { name: 'basic' }, seller)
      const shop = await panel.run(tenant.create, { name: `${name}shop`, domain: `${name}.example.com` }, seller)
      sellers.push({ id, seller, shop: shop.id })
    }
    await panel.run(tenant.create, { name: 'own', domain: 'own.example.com' })
    await panel.run(tenant.create, { name: 'gone', domain: 'gone.example.com' })
    await panel.work()
    for (const fqdn of ['more.example.net', 'trashed.example.net'])
      await panel.run(domain.create, { tenant: 'annshop', fqdn })
    await panel.work()
    await panel.run(domain.remove, { domain: 'trashed.example.net' })
    await panel.run(tenant.remove, { tenant: 'gone' })
    await panel.work()
    return sellers
  }

  it('of the overview are of what is in reach and alive', async () => {
    const panel = await bench.panel()
    const [ann, bob] = await market(panel)
    if (!ann || !bob) throw new Error('no sellers')
    const scopes: readonly Scope[] = [
      everything,
      { kind: 'reseller', reseller: ann.id, user: newId() },
      { kind: 'reseller', reseller: bob.id, user: newId() },
      { kind: 'local', tenant: bob.shop, user: newId() },
    ]

    const counted = kinds.flatMap((kind) => (kind.counted ? [{ name: kind.name, counted: kind.counted }] : []))
    const table = await Promise.all(
      counted.map(async (kind) => {
        const store = kind.counted(panel.stores(panel.db))
        return [kind.name, await Promise.all(scopes.map((scope) => store.count(100, scope)))]
      }),
    )
    expect(Object.fromEntries(table)).toMatchObject({ tenant: [3, 1, 1, 1], domain: [4, 2, 1, 1] })
    for (const [index, scope] of scopes.entries()) {
      const actor = scope.kind === 'global' ? root : within(scope)
      const listed = [await panel.run(tenant.list, {}, actor), await panel.run(domain.list, {}, actor)]
      const numbers = Object.fromEntries(table) as Record<string, readonly number[]>
      expect(listed.map(({ items }) => items.length)).toEqual([numbers.tenant?.[index], numbers.domain?.[index]])
    }
  })

  it('end where nobody wants to know more', async () => {
    const panel = await bench.panel()
    await market(panel)

    expect(await panel.stores(panel.db).domains.count(2, everything)).toBe(2)
  })

  it('of domains keep one from being restored above the limit, also of two at once', async () => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic', maxDomains: 2 })
    await panel.run(tenant.create, { name: 'acme', domain: 'kept.example.com' })
    await panel.work()
    for (const fqdn of ['a.example.com', 'b.example.com']) {
      await panel.run(domain.create, { tenant: 'acme', fqdn })
      await panel.work()
      await panel.run(domain.remove, { domain: fqdn })
      await panel.work()
    }
    const restore = (fqdn: string) => panel.run(domain.restore, { domain: fqdn })

    const both = await Promise.allSettled([restore('a.example.com'), restore('b.example.com')])
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const one = both[0]?.status === 'fulfilled' ? 'b.example.com' : 'a.example.com'
    expect((await refusal(restore(one))).code).toBe('limit_reached')
    await panel.work()
    expect((await refusal(restore(one))).code).toBe('limit_reached')

    await panel.run(domain.remove, { domain: 'kept.example.com' })
    await panel.work()
    await restore(one)
    await panel.work()
    expect((await panel.run(tenant.get, { tenant: 'acme' })).domains).toBe(2)
  })

  it('of domains are of the own tenant, not of all', async () => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic', maxDomains: 1 })
    for (const name of ['one', 'two', 'three']) await panel.run(tenant.create, { name, domain: `${name}.example.com` })

    expect((await panel.run(tenant.list, {})).items.map(({ domains }) => domains)).toEqual([1, 1, 1])
  })

  it.each(['alive', 'in the trash'])('of tenants keep the package of one that is %s', async (state) => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic' })
    const { id } = await panel.run(packages.create, { name: 'large' })
    const { id: unused } = await panel.run(packages.create, { name: 'unused' })
    await panel.run(tenant.create, { name: 'acme', package: 'large' })
    await panel.work()
    if (state === 'in the trash') await panel.run(tenant.remove, { tenant: 'acme' })
    await panel.work()
    const before = '2020-01-01T00:00:00.000Z'
    // As a store of an earlier version may have it; an operation would refuse.
    await panel.db.updateTable('packages').set({ deleted_at: before }).where('id', 'in', [id, unused]).execute()

    const purged = await panel.stores(panel.db).packages.purgeDeletedBefore('2021-01-01T00:00:00.000Z')

    const left = await panel.db.selectFrom('packages').select('id').execute()
    expect(purged).toBe(1)
    expect(left.map((row) => row.id)).toContain(id)
    expect(left.map((row) => row.id)).not.toContain(unused)
  })
})
