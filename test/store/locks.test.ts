/** A locked tenant: its people are kept out, its sites and jobs go on, and who may lift it is as with suspensions. */
import { expect, it } from 'vitest'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { type Panel, refusal, root } from './harness.ts'
import { hosted } from './levels.ts'

const { tenant, user } = slices
const acme = { tenant: 'acme' }

onBothStores('locks', (bench) => {
  const statusOf = async (panel: Panel) => (await panel.run(tenant.get, acme)).status
  const mayCustomer = async (panel: Panel) =>
    (await panel.stores(panel.db).users.credentials('customer@example.com'))?.maySignIn
  const names = async (panel: Panel, status: 'active' | 'locked') =>
    (await panel.run(tenant.list, { status })).items.map(({ name }) => name)

  it('keep its people out and leave everything on the machine as it is', async () => {
    const panel = await bench.panel()
    const { people } = await hosted(panel)
    const { holds } = await panel.run(tenant.lock, { ...acme, reason: 'security', note: 'Stolen.' }, people.staff)

    expect(holds).toMatchObject([{ level: 'staff', reason: 'security', by: 'staff@example.com' }])
    expect([await statusOf(panel), await mayCustomer(panel)]).toEqual(['locked', false])
    expect(await panel.run(tenant.get, acme)).toMatchObject({ holds: [], locks: [{ note: 'Stolen.', mayLift: true }] })
    expect([await names(panel, 'locked'), await names(panel, 'active')]).toEqual([['acme'], []])
    expect(await panel.work()).toEqual([])
    await panel.run(tenant.unlock, acme, people.staff)
    expect([await statusOf(panel), await mayCustomer(panel)]).toEqual(['active', true])
    expect([await names(panel, 'locked'), await names(panel, 'active')]).toEqual([[], ['acme']])
  })

  it('are lifted by their own level and by those above, and by nobody below', async () => {
    const panel = await bench.panel()
    const { people } = await hosted(panel)
    const lifters = ['reseller', 'staff', 'root'] as const
    const lifted: string[] = []

    for (const owner of lifters)
      for (const other of lifters) {
        await panel.run(tenant.lock, { ...acme, reason: 'abuse' }, people[owner])
        const error = await panel.run(tenant.unlock, acme, people[other]).then(
          () => null,
          (thrown) => thrown,
        )
        if (error === null) lifted.push(`${other} lifts ${owner}: ${await statusOf(panel)}`)
        else {
          expect([error.code, error.message, await statusOf(panel)]).toEqual([
            'forbidden',
            `Cannot unlock tenant "acme": the tenant was locked by ${owner} (abuse)`,
            'locked',
          ])
          await panel.run(tenant.unlock, acme)
        }
      }

    expect(lifted).toEqual([
      'reseller lifts reseller: active',
      'staff lifts reseller: active',
      'root lifts reseller: active',
      'staff lifts staff: active',
      'root lifts staff: active',
      'root lifts root: active',
    ])
    expect(await refusal(panel.run(tenant.unlock, acme))).toMatchObject({
      code: 'conflict',
      message: 'Cannot unlock tenant "acme": it is not locked',
    })
  })

  it('stand beside suspensions, and neither lifts the other', async () => {
    const panel = await bench.panel()
    await hosted(panel)
    await panel.run(tenant.lock, acme)
    const notSuspended = await refusal(panel.run(tenant.unsuspend, acme))
    await panel.run(tenant.suspend, acme)
    await panel.work()
    const both = await statusOf(panel)
    await panel.run(tenant.unsuspend, acme)
    await panel.work()

    expect(notSuspended).toMatchObject({ code: 'conflict', message: expect.stringContaining('it is locked') })
    expect([both, await statusOf(panel), await mayCustomer(panel)]).toEqual(['suspended', 'locked', false])
  })

  it('are put while a job is at the tenant, and stay whatever becomes of the job', async () => {
    const panel = await bench.panel()
    await hosted(panel)
    await panel.run(tenant.suspend, acme)
    await panel.run(tenant.lock, acme)
    const during = await mayCustomer(panel)
    await panel.work(() => true)

    expect([during, await mayCustomer(panel), await statusOf(panel)]).toEqual([false, false, 'locked'])
    expect((await panel.run(tenant.get, acme)).locks).toHaveLength(1)
  })

  it('go to the trash and come back with the tenant', async () => {
    const panel = await bench.panel()
    await hosted(panel)
    await panel.run(tenant.lock, acme)
    await panel.run(tenant.remove, acme)
    await panel.work()
    await panel.run(tenant.restore, acme)
    const [sent] = await panel.stores(panel.db).jobs.nextRunnable(1)
    await panel.work()

    expect(sent?.payload).not.toHaveProperty('isSuspended')
    expect(await statusOf(panel)).toBe('locked')
  })

  it('are not gone around by moving a person to another tenant', async () => {
    const panel = await bench.panel()
    const { people } = await hosted(panel)
    await panel.run(tenant.create, { name: 'other' }, people.reseller)
    await panel.work()
    await panel.run(tenant.lock, acme, people.staff)
    const move = { user: 'customer@example.com', tenant: 'other' }

    expect(await refusal(panel.run(user.update, move, people.reseller))).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('the tenant was locked by staff'),
    })
    await panel.run(user.update, move, root)
  })
})
