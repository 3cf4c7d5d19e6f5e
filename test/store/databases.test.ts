import { expect, it } from 'vitest'
import { verifierOf } from '../../src/lib/database-password.ts'
import * as database from '../../src/resources/database/operations.ts'
import * as databaseUser from '../../src/resources/database-user/operations.ts'
import { purgeExpired } from '../../src/resources/upkeep.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { type Panel, refusal } from './harness.ts'

const { tenant, package: packages } = slices
const shop = { tenant: 'acme', name: 'shop' }

async function two(panel: Panel): Promise<void> {
  await panel.run(packages.create, { name: 'basic', maxDatabases: 2 })
  for (const name of ['acme', 'other']) await panel.run(tenant.create, { name })
  await panel.work()
}

const listed = async (panel: Panel, deleted = false) =>
  (await panel.run(database.list, { deleted })).items.map(({ name, status }) => `${name} ${status}`)

onBothStores('databases', (bench) => {
  it('tell their password once: neither job nor row nor trail has it', async () => {
    const panel = await bench.panel()
    await two(panel)

    const { jobId, password } = await panel.run(database.create, shop)
    const again = await panel.run(database.create, { ...shop, name: 'second' })

    expect(password).toMatch(/^[A-Za-z0-9]{32}$/)
    expect(again.password).not.toBe(password)
    const payload = (await panel.stores(panel.db).jobs.find(jobId))?.payload
    expect(payload).toMatchObject({ name: 'shop', verifier: expect.stringMatching(/^\*[0-9A-F]{40}$/) })
    for (const table of ['jobs', 'databases', 'audit_logs'] as const)
      expect(JSON.stringify(await panel.db.selectFrom(table).selectAll().execute())).not.toContain(password)
  })

  it('are made anew after a failure, and their names are nobody else’s', async () => {
    const panel = await bench.panel()
    await two(panel)
    const { id } = await panel.run(database.create, shop)
    await panel.work(() => true)

    const others = await refusal(panel.run(database.create, { ...shop, tenant: 'other' }))
    const again = await panel.run(database.create, shop)
    await panel.work()

    expect(others).toMatchObject({ code: 'conflict' })
    expect(again.id).toBe(id)
    expect(await listed(panel)).toEqual(['shop active'])
    expect(await refusal(panel.run(database.create, shop))).toMatchObject({ code: 'conflict' })
  })

  it('are as many as the package allows, of many at once', async () => {
    const panel = await bench.panel()
    await two(panel)

    const tries = ['a', 'b', 'c', 'd', 'e'].map((name) => panel.run(database.create, { tenant: 'acme', name }))
    const results = await Promise.allSettled(tries)

    const reasons = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(reasons).toHaveLength(3)
    for (const reason of reasons) expect(reason).toMatchObject({ code: 'limit_reached' })
    await panel.work()
    await panel.run(packages.create, { name: 'small', maxDatabases: 1 })
    const smaller = panel.run(tenant.update, { tenant: 'acme', package: 'small' })
    expect(await refusal(smaller)).toMatchObject({ code: 'limit_reached' })
  })

  it('are made on the server that is asked for, in its own ways', async () => {
    const panel = await bench.panel()
    await two(panel)
    await panel.run(database.create, shop)
    await panel.work(() => true)

    const { jobId } = await panel.run(database.create, { ...shop, engine: 'postgresql' })

    const payload = (await panel.stores(panel.db).jobs.find(jobId))?.payload
    const verifier = expect.stringMatching(/^SCRAM-SHA-256\$4096:/)
    expect(payload).toMatchObject({ engine: 'postgresql', collation: 'C.UTF-8', verifier })
    expect(await panel.run(database.get, { database: 'shop' })).toMatchObject({
      engine: 'postgresql',
      collation: 'C.UTF-8',
    })
    const unfit = panel.run(database.create, { ...shop, name: 'b', engine: 'postgresql', collation: 'utf8mb4_bin' })
    expect(await refusal(unfit)).toMatchObject({ code: 'bad_input', fields: [{ field: 'collation' }] })
  })

  it('are one of a name, of two tenants at once', async () => {
    const panel = await bench.panel()
    await two(panel)

    const results = await Promise.allSettled(
      ['acme', 'other'].map((name) => panel.run(database.create, { tenant: name, name: 'race' })),
    )

    const reasons = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(reasons).toEqual([expect.objectContaining({ code: 'conflict' })])
  })

  it('leave their name when they go into the trash, and come back when it is free', async () => {
    const panel = await bench.panel()
    await two(panel)
    const first = await panel.run(database.create, shop)
    await panel.work()
    await panel.run(database.remove, { database: 'shop' })
    await panel.work((job) => job.type === 'database.delete')
    expect(await listed(panel)).toEqual(['shop active'])
    await panel.run(database.remove, { database: 'shop' })
    await panel.work()
    expect([await listed(panel), await listed(panel, true)]).toEqual([[], ['shop deleted']])

    const second = await panel.run(database.create, { ...shop, tenant: 'other' })
    await panel.work()
    expect(await refusal(panel.run(database.restore, { database: first.id }))).toMatchObject({ code: 'conflict' })
    await panel.run(database.remove, { database: second.id })
    await panel.work()
    await panel.run(database.restore, { database: first.id })
    await panel.work((job) => job.type === 'database.restore')
    expect([await listed(panel), (await listed(panel, true)).length]).toEqual([[], 2])
    await panel.run(database.restore, { database: first.id })
    await panel.work()

    expect(await listed(panel)).toEqual(['shop active'])
  })

  it('go into the trash with their tenant, keep their names there, and come back', async () => {
    const panel = await bench.panel()
    await two(panel)
    await panel.run(database.create, shop)
    await panel.work()
    await panel.run(tenant.remove, { tenant: 'acme' })
    await panel.work()
    expect(await listed(panel)).toEqual([])
    const others = await refusal(panel.run(database.create, { ...shop, tenant: 'other' }))
    expect(others).toMatchObject({ code: 'conflict' })

    await panel.run(tenant.restore, { tenant: 'acme' })
    await panel.work()

    expect(await listed(panel)).toEqual(['shop active'])
  })

  it('have users beside those of their names, who are taken away, and wait with their database in the trash', async () => {
    const panel = await bench.panel()
    await two(panel)
    const { id } = await panel.run(database.create, shop)
    await panel.work()
    const users = async () =>
      (await panel.run(databaseUser.list, {})).items.map(({ name, access, status }) => `${name} ${access} ${status}`)
    const reader = await panel.run(databaseUser.create, { database: 'shop', name: 'reader' })
    await panel.run(databaseUser.create, { database: 'shop', name: 'failed', access: 'all' })
    await panel.work(({ payload }) => JSON.stringify(payload).includes('failed'))

    expect(reader.password).toMatch(/^[A-Za-z0-9]{32}$/)
    expect(await users()).toEqual(['failed all error', 'reader read active'])
    await panel.run(databaseUser.create, { database: 'shop', name: 'failed', access: 'all' })
    await panel.work()
    expect(await users()).toEqual(['failed all active', 'reader read active'])
    const taken = [
      panel.run(databaseUser.create, { database: 'shop', name: 'reader' }),
      panel.run(databaseUser.create, { database: 'shop', name: 'shop' }),
      panel.run(database.create, { tenant: 'acme', name: 'reader' }),
    ]
    for (const one of await Promise.all(taken.map(refusal))) expect(one).toMatchObject({ code: 'conflict' })

    await panel.run(database.remove, { database: 'shop' })
    await panel.work()
    expect(await users()).toEqual([])
    expect(await refusal(panel.run(database.create, { tenant: 'other', name: 'reader' }))).toMatchObject({
      code: 'conflict',
    })
    await panel.run(database.restore, { database: id })
    await panel.work()
    const again = await panel.run(databaseUser.rotate, { databaseUser: reader.id })
    const payload = (await panel.stores(panel.db).jobs.find(again.jobId))?.payload
    expect(payload).toMatchObject({ 'database-user': reader.id, verifier: verifierOf('mariadb', again.password) })
    await panel.work()
    expect(await users()).toEqual(['failed all active', 'reader read active'])
    await panel.run(databaseUser.remove, { databaseUser: reader.id })
    await panel.work()
    expect(await users()).toEqual(['failed all active'])

    const elephant = await panel.run(database.create, { tenant: 'acme', name: 'elephant', engine: 'postgresql' })
    await panel.work()
    const refused = await refusal(panel.run(databaseUser.create, { database: 'elephant', name: 'guest' }))
    expect(refused).toMatchObject({ code: 'bad_input', fields: [{ field: 'database' }] })
    await panel.run(database.remove, { database: 'elephant' })
    await panel.work()
    await panel.run(databaseUser.create, { database: 'shop', name: 'elephant' })
    await panel.work()
    const back = panel.run(database.restore, { database: elephant.id })
    expect(await refusal(back)).toMatchObject({ code: 'conflict', fields: [{ field: 'name' }] })
  })

  it('are purged when they have been in the trash for their days, and not before', async () => {
    const panel = await bench.panel()
    await two(panel)
    const { id } = await panel.run(database.create, shop)
    await panel.work()
    await panel.run(database.remove, { database: 'shop' })
    await panel.work()
    expect(await panel.transaction(purgeExpired)).toMatchObject({ jobs: 0 })
    const longAgo = new Date(Date.now() - 400 * 86_400_000).toISOString()
    await panel.db.updateTable('databases').set({ deleted_at: longAgo }).where('id', '=', id).execute()

    expect(await panel.transaction(purgeExpired)).toMatchObject({ jobs: 1 })
    await panel.work()

    expect(await panel.db.selectFrom('databases').selectAll().execute()).toEqual([])
  })
})
