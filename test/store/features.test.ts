/** Packages act whole: features, protection from resellers, and refusals that tell what is used. */
import { expect, it } from 'vitest'
import type { Actor } from '../../src/resources/actor.ts'
import * as cron from '../../src/resources/cron/operations.ts'
import * as database from '../../src/resources/database/operations.ts'
import * as sshKey from '../../src/resources/ssh-key/operations.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { newId, refusal } from './harness.ts'

const { tenant, domain, package: packages, reseller, user } = slices
const apiKey = slices['api-key']
const key = {
  tenant: 'acme',
  name: 'laptop',
  publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8cE3lWMQ4kn9mEJ8w5ZyqE0q9qbhVh4Xn1pZ0c6Kxq',
}

onBothStores('packages', (bench) => {
  it('have every feature unless told, also those made before there were any', async () => {
    const panel = await bench.panel()
    const { id } = await panel.run(packages.create, { name: 'basic' })
    expect((await panel.run(packages.get, { package: 'basic' })).features).toEqual(['api', 'cron', 'databases'])

    await panel.db.updateTable('package_limits').set({ features: '{}' }).where('package_id', '=', id).execute()
    expect((await panel.run(packages.get, { package: 'basic' })).features).toEqual(['api', 'cron', 'databases'])
    await panel.run(packages.update, { package: 'basic', features: [] })
    expect((await panel.run(packages.get, { package: 'basic' })).features).toEqual([])
  })

  it('without SSH keys refuse them, and take them as soon as they give access', async () => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic', sshAccess: 'none' })
    await panel.run(tenant.create, { name: 'acme' })
    await panel.work()

    const error = await refusal(panel.run(sshKey.create, key))
    expect(error).toMatchObject({ code: 'limit_reached', details: { sshAccess: 'none' } })
    expect(error.message).toBe('Cannot add SSH key "laptop": package "basic" of tenant "acme" gives no access by SSH')
    await panel.run(packages.update, { package: 'basic', sshAccess: 'sftp' })
    await panel.work()
    expect(await panel.run(sshKey.create, key)).toHaveProperty('jobId')
  })

  it('without databases refuse them, and take them as soon as they have the feature', async () => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic', features: ['api'] })
    await panel.run(tenant.create, { name: 'acme' })
    await panel.work()
    const make = () => panel.run(database.create, { tenant: 'acme', name: 'shop' })

    const error = await refusal(make())
    expect(error).toMatchObject({ code: 'limit_reached', details: { feature: 'databases' } })
    await panel.run(packages.update, { package: 'basic', features: ['databases'] })
    const { id } = await make()
    await panel.work()
    await panel.run(database.remove, { database: id })
    await panel.work()
    await panel.run(packages.update, { package: 'basic', features: [] })
    expect(await refusal(panel.run(database.restore, { database: id }))).toMatchObject({
      details: { feature: 'databases' },
    })
  })

  it('without cron jobs refuse new ones and let those rest that are there, until they have the feature again', async () => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic' })
    await panel.run(tenant.create, { name: 'acme' })
    await panel.work()
    await panel.run(domain.create, { tenant: 'acme', fqdn: 'shop.example.com' })
    await panel.work()
    const make = (name: string) =>
      panel.run(cron.create, { domain: 'shop.example.com', name, schedule: '* * * * *', command: ['true'] })
    const { id } = await make('each-minute')
    panel.clock.now += 3 * 60_000
    const isServed = async () => (await panel.stores(panel.db).crons.due(10)).map((due) => due.isServed)
    expect(await isServed()).toEqual([true])

    const give = (features: ('api' | 'cron')[]) => panel.run(packages.update, { package: 'basic', features })
    await give(['api'])
    expect(await isServed()).toEqual([false])
    await give(['cron'])
    expect(await isServed()).toEqual([true])

    await give(['api'])
    await panel.run(cron.update, { cron: id, isEnabled: false })
    const refused = [
      await refusal(make('another')),
      await refusal(panel.run(cron.run, { cron: id })),
      await refusal(panel.run(cron.update, { cron: id, isEnabled: true })),
    ]
    expect(refused.map(({ details }) => details)).toEqual(Array(3).fill({ feature: 'cron' }))
  })

  it('without API keys refuse new ones and let those rest that are there, of their own people alone', async () => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic' })
    await panel.run(tenant.create, { name: 'acme' })
    await panel.work()
    const password = 'a quiet river at night'
    await panel.run(user.create, { email: 'baker@example.com', role: 'user', tenant: 'acme', password })
    await panel.run(user.create, { email: 'ada@example.com', role: 'system_admin', password })
    const make = (of: string, name: string) => panel.run(apiKey.create, { user: of, name, scopes: ['tenant.get'] })
    const { token } = await make('baker@example.com', 'one')
    const staff = await make('ada@example.com', 'one')
    const found = async (token: string) => (await panel.stores(panel.db).apiKeys.ofToken(token))?.name

    await panel.run(packages.update, { package: 'basic', features: [] })
    expect(await refusal(make('baker@example.com', 'two'))).toMatchObject({ details: { feature: 'api' } })
    expect(await found(token)).toBeUndefined()
    expect(await found(staff.token)).toBe('one')

    await panel.run(packages.update, { package: 'basic', features: ['api'] })
    expect(await found(token)).toBe('one')
  })

  it('that staff protects are sold by their reseller and changed by staff alone', async () => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'ours' })
    const { id } = await panel.run(reseller.create, { email: 'ann@example.org', password: 'a quiet river at night' })
    const ann: Actor = {
      kind: 'user',
      id: newId(),
      email: 'ann@example.org',
      permissions: 'all',
      scope: { kind: 'reseller', reseller: id, user: newId() },
    }
    const made = await panel.run(packages.create, { name: 'basic', reseller: id, isSystem: true })
    const other = await panel.run(packages.create, { name: 'other' }, ann)

    const refused = [
      await refusal(panel.run(packages.update, { package: made.id, maxDomains: 9 }, ann)),
      await refusal(panel.run(packages.update, { package: made.id, isSystem: false }, ann)),
      await refusal(panel.run(packages.remove, { package: made.id }, ann)),
    ]
    expect(refused.map(({ code }) => code)).toEqual(['forbidden', 'forbidden', 'forbidden'])
    for (const attempt of [
      panel.run(packages.create, { name: 'third', isSystem: true }, ann),
      panel.run(packages.update, { package: other.id, isSystem: true }, ann),
    ])
      expect(await refusal(attempt)).toMatchObject({ code: 'bad_input', fields: [{ field: 'isSystem' }] })
    expect(await panel.run(tenant.create, { name: 'shop', package: 'basic' }, ann)).toHaveProperty('jobId')
    await panel.run(packages.update, { package: made.id, isSystem: false })
    await panel.run(packages.update, { package: made.id, maxDomains: 9 }, ann)
  })

  it('tell what is used and what is allowed when a limit is reached', async () => {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic', maxDomains: 1 })
    await panel.run(packages.create, { name: 'none', maxDomains: 0 })
    await panel.run(tenant.create, { name: 'acme', domain: 'one.example.com' })
    await panel.work()

    const more = await refusal(panel.run(domain.create, { tenant: 'acme', fqdn: 'two.example.com' }))
    expect(more).toMatchObject({ code: 'limit_reached', details: { limit: 1, used: 1 } })
    expect(more.message).toContain('tenant "acme" has 1 domain, and package "basic" allows 1')
    expect(await refusal(panel.run(tenant.update, { tenant: 'acme', package: 'none' }))).toMatchObject({
      code: 'limit_reached',
      details: { limit: 0, used: 1 },
    })
  })
})
