/** Suspension has an owner: who may lift what, what stands beside it, and what comes back from the trash. */
import { expect, it } from 'vitest'
import { Id } from '../../src/contract/values.ts'
import type { Actor } from '../../src/resources/actor.ts'
import { migrations } from '../../src/resources/index.ts'
import { migrate } from '../../src/store/migrate.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { type Panel, refusal, root } from './harness.ts'
import { fqdn, hosted, levels } from './levels.ts'

const { tenant, domain, job, user } = slices

const onDomain = (panel: Panel) => ({
  suspend: (actor: Actor, more: object = {}) => panel.run(domain.suspend, { domain: fqdn, ...more }, actor),
  unsuspend: (actor: Actor, more: object = {}) => panel.run(domain.unsuspend, { domain: fqdn, ...more }, actor),
  get: (actor: Actor = root) => panel.run(domain.get, { domain: fqdn }, actor),
})

onBothStores('holds', (bench) => {
  it('are lifted by their own level and by those above, and by nobody below', async () => {
    const panel = await bench.panel()
    const { people } = await hosted(panel)
    const { suspend, unsuspend, get } = onDomain(panel)
    const lifted: string[] = []

    for (const owner of levels)
      for (const other of levels) {
        await suspend(people[owner], { reason: 'abuse' })
        await panel.work()
        const error = await unsuspend(people[other]).then(
          () => null,
          (thrown) => thrown,
        )
        await panel.work()
        const { status } = await get()
        if (error === null) lifted.push(`${other} lifts ${owner}: ${status}`)
        else {
          expect([error.code, status]).toEqual(['forbidden', 'suspended'])
          expect(error.message).toBe(`Cannot unsuspend domain "${fqdn}": it was suspended by ${owner} (abuse)`)
          await unsuspend(root)
          await panel.work()
        }
      }

    expect(lifted).toEqual([
      'customer lifts customer: active',
      'reseller lifts customer: active',
      'staff lifts customer: active',
      'root lifts customer: active',
      'reseller lifts reseller: active',
      'staff lifts reseller: active',
      'root lifts reseller: active',
      'staff lifts staff: active',
      'root lifts staff: active',
      'root lifts root: active',
    ])
  })

  it('of staff on a tenant are not lifted by its reseller', async () => {
    const panel = await bench.panel()
    const { people } = await hosted(panel)
    await panel.run(tenant.suspend, { tenant: 'acme', reason: 'unpaid' }, people.staff)
    await panel.work()

    const error = await refusal(panel.run(tenant.unsuspend, { tenant: 'acme' }, people.reseller))

    expect(error.code).toBe('forbidden')
    expect(await panel.run(tenant.get, { tenant: 'acme' })).toMatchObject({ status: 'suspended' })
  })

  it('of staff on a person are neither lifted nor gone around by the reseller', async () => {
    const panel = await bench.panel()
    const { people } = await hosted(panel)
    const someone = { user: 'customer@example.com' }
    const { holds } = await panel.run(user.suspend, { ...someone, reason: 'abuse', note: 'See #7.' }, people.staff)
    const both = await panel.run(user.suspend, { ...someone, reason: 'unpaid' }, people.reseller)
    const own = await panel.run(user.unsuspend, someone, people.reseller)
    const tries = [
      panel.run(user.unsuspend, someone, people.reseller),
      panel.run(user.update, { ...someone, email: 'other@example.com' }, people.reseller),
      panel.run(user.remove, someone, people.reseller),
    ]

    for (const refused of await Promise.all(tries.map(refusal)))
      expect(refused).toMatchObject({ code: 'forbidden', message: expect.stringContaining('by staff (abuse)') })
    expect(holds).toMatchObject([{ level: 'staff', reason: 'abuse', by: 'staff@example.com' }])
    expect([both.holds.length, own.holds.length]).toEqual([2, 1])
    expect(await panel.run(user.get, someone, people.reseller)).toMatchObject({
      status: 'suspended',
      holds: [{ level: 'staff', note: 'See #7.', by: null, mayLift: false }],
    })
    await panel.run(user.unsuspend, someone, people.staff)
    expect(await panel.run(user.get, someone)).toMatchObject({ status: 'active', holds: [] })
  })

  it('stand together, mean a job at the first and the last, and are lifted one by one', async () => {
    const panel = await bench.panel()
    const { people } = await hosted(panel)
    const { suspend, unsuspend, get } = onDomain(panel)

    const first = await suspend(people.customer, { reason: 'maintenance' })
    await panel.work()
    const second = await suspend(people.staff, { reason: 'unpaid', note: 'Invoice 7 is open.' })
    const third = await suspend(people.staff, { reason: 'abuse' })
    const again = await refusal(suspend(people.staff, { reason: 'abuse' }))
    const unnamed = await refusal(unsuspend(people.staff))
    const unknown = await refusal(unsuspend(people.staff, { reason: 'security' }))
    const paid = await unsuspend(people.staff, { reason: 'unpaid' })
    const clean = await unsuspend(people.staff)
    const between = await get()
    const last = await unsuspend(people.customer)
    await panel.work()

    expect([first.jobId, second.jobId, third.jobId, paid.jobId, clean.jobId, last.jobId]).toEqual([
      expect.any(String),
      null,
      null,
      null,
      null,
      expect.any(String),
    ])
    expect([again.code, unnamed.code, unknown.code]).toEqual(['conflict', 'conflict', 'conflict'])
    expect(unnamed.message).toMatch(/for several reasons: staff \(unpaid\), staff \(abuse\)$/)
    expect(paid.holds.map(({ level, reason }) => `${level} ${reason}`)).toEqual(['customer maintenance', 'staff abuse'])
    expect(between).toMatchObject({ status: 'suspended', holds: [{ level: 'customer' }] })
    expect(await get()).toMatchObject({ status: 'active', holds: [] })
  })

  it('show their note to the customer, and who wrote it to those who could lift it', async () => {
    const panel = await bench.panel()
    const { people } = await hosted(panel)
    const { suspend, get } = onDomain(panel)
    await suspend(people.staff, { reason: 'unpaid', note: 'Invoice 7 is open.' })
    await panel.work()

    const seen = await Promise.all([get(people.customer), get(people.staff)])

    const common = { level: 'staff', reason: 'unpaid', note: 'Invoice 7 is open.' }
    expect(seen.map(({ holds }) => holds)).toMatchObject([
      [{ ...common, by: null, mayLift: false }],
      [{ ...common, by: 'staff@example.com', mayLift: true }],
    ])
  })

  it('are those of who really acts', async () => {
    const panel = await bench.panel()
    const { people, acting } = await hosted(panel)
    const { suspend, unsuspend } = onDomain(panel)
    const made = await suspend(acting)
    await panel.work()
    const refused = await refusal(unsuspend(people.customer))
    await unsuspend(acting)

    expect(made.holds).toMatchObject([{ level: 'staff', by: 'staff@example.com' }])
    expect(refused.code).toBe('forbidden')
  })

  it('are not gone around by those below them', async () => {
    const panel = await bench.panel()
    const { people } = await hosted(panel)
    const { suspend } = onDomain(panel)
    const { jobId } = await suspend(people.staff)
    const cancelled = await refusal(panel.run(job.cancel, { job: Id.parse(jobId) }, people.customer))
    await panel.work()
    const tries = [
      panel.run(domain.update, { domain: fqdn, aliases: ['www.shop.example.com'] }, people.customer),
      panel.run(domain.remove, { domain: fqdn }, people.reseller),
    ]

    for (const refused of [cancelled, ...(await Promise.all(tries.map(refusal)))])
      expect(refused).toMatchObject({ code: 'forbidden', message: expect.stringContaining('suspended by staff') })
  })

  it('are as they were when the machine could not do it', async () => {
    const panel = await bench.panel()
    const { people } = await hosted(panel)
    const { suspend, unsuspend, get } = onDomain(panel)
    await suspend(people.staff)
    await panel.work(() => true)
    const afterSuspend = await get()
    await suspend(people.staff)
    await panel.work()
    await unsuspend(people.staff)
    await panel.work(() => true)

    expect(afterSuspend).toMatchObject({ status: 'active', holds: [] })
    expect(await get()).toMatchObject({ status: 'suspended', holds: [{ level: 'staff' }] })
  })

  it('go to the trash and come back with what they hold', async () => {
    const panel = await bench.panel()
    const { people } = await hosted(panel)
    const { suspend, get } = onDomain(panel)
    await suspend(people.staff)
    await panel.work()
    await panel.run(domain.remove, { domain: fqdn })
    await panel.work()
    await panel.run(domain.restore, { domain: fqdn }, people.customer)
    const [restore] = await panel.stores(panel.db).jobs.nextRunnable(1)
    await panel.work()
    const alone = await get()
    await panel.run(tenant.suspend, { tenant: 'acme' })
    await panel.work()
    await panel.run(tenant.remove, { tenant: 'acme' })
    await panel.work()
    await panel.run(tenant.restore, { tenant: 'acme' }, people.reseller)
    const [whole] = await panel.stores(panel.db).jobs.nextRunnable(1)
    await panel.work()

    for (const sent of [restore, whole]) expect(sent?.payload.isSuspended).toBe(true)
    expect(alone).toMatchObject({ status: 'suspended', holds: [{ level: 'staff' }] })
    expect(await panel.run(tenant.get, { tenant: 'acme' })).toMatchObject({
      status: 'suspended',
      holds: [{ level: 'root' }],
    })
    expect(await get()).toMatchObject({ status: 'suspended', holds: [{ level: 'staff' }] })
  })

  it('are given to what was suspended before there were any, at the level of who had asked', async () => {
    const panel = await bench.panel()
    const { people } = await hosted(panel)
    const { suspend, get } = onDomain(panel)
    await suspend(people.customer)
    await panel.run(tenant.suspend, { tenant: 'acme' }, people.reseller)
    await panel.work()
    const { db } = panel
    await db.schema.dropTable('holds').execute()
    await db.deleteFrom('schema_migrations').where('name', 'in', ['holds', 'holds-of-people', 'locks']).execute()
    await db.deleteFrom('jobs').where('type', '=', 'tenant.suspend').execute()
    await migrate(db, '2026-03-02T12:00:00.000Z', { migrations })

    expect(await get()).toMatchObject({ holds: [{ level: 'customer', by: 'customer@example.com' }] })
    expect(await panel.run(tenant.get, { tenant: 'acme' })).toMatchObject({ holds: [{ level: 'staff', by: 'panel' }] })
  })
})
