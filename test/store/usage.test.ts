/** What tenants use: measured source by source, never twice, kept in a bounded space, shown beside the limits. */
import type { KyselyPlugin } from 'kysely'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { WcpError } from '../../src/contract/errors.ts'
import type { DatabaseSizes, DiskUsage, TrafficCounters } from '../../src/contract/usage.ts'
import type { Actor } from '../../src/resources/actor.ts'
import * as database from '../../src/resources/database/operations.ts'
import { type UsageCollectorOptions, usageCollector } from '../../src/resources/tenant/usage-collector.ts'
import type { AskUsage } from '../../src/resources/tenant/usage-sources.ts'
import { purgeExpired } from '../../src/resources/upkeep.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { newId, type Panel, refusal } from './harness.ts'

const { tenant, package: packages } = slices
const minute = 60_000

onBothStores('usage', (bench) => {
  /** A root side that measures what the test says. */
  function rootSide(panel: Panel) {
    const machine = {
      disk: (ids: readonly string[]): DiskUsage =>
        ids.map((id) => ({ tenant: id as never, bytes: 12_345_678, isWhole: true })),
      databases: (ids: readonly string[]): DatabaseSizes => ids.map((id) => ({ tenant: id as never, databases: [] })),
      sent: 0,
      since: '2026-03-01T12:30:00.000Z',
      isAway: false,
      asked: [] as string[],
    }
    const traffic = (ids: readonly string[]): TrafficCounters =>
      ids.map((id) => ({ tenant: id as never, since: machine.since, sent: machine.sent }))
    const ask: AskUsage = async (of, ids, answer) => {
      if (machine.isAway) throw new WcpError('unavailable', 'Cannot reach the root side')
      machine.asked.push(...ids.map((id) => `${of} ${id}`))
      if (of === 'databases') return answer.parse(machine.databases(ids))
      return answer.parse(of === 'disk' ? machine.disk(ids) : traffic(ids))
    }
    const collector = (asker = ask, more: Partial<UsageCollectorOptions> = {}) =>
      usageCollector({
        db: panel.db,
        storesOf: panel.stores,
        ask: asker,
        log: pino({ level: 'silent' }),
        now: () => panel.clock.now,
        ...more,
      })
    return { machine, ask, collector, collect: () => collector().wake() }
  }

  async function withTenants(panel: Panel, names: readonly string[]) {
    await panel.run(packages.create, { name: 'basic', maxDomains: 5, diskMb: 2000 })
    const ids = []
    for (const name of names) ids.push((await panel.run(tenant.create, { name, domain: `www.${name}.example.com` })).id)
    await panel.work()
    panel.clock.now = Date.parse('2026-03-01T13:00:00.000Z')
    return ids
  }

  it('is shown beside the limits, with the uid', async () => {
    const panel = await bench.panel()
    await withTenants(panel, ['acme'])
    const { machine, collect } = rootSide(panel)
    expect((await panel.run(tenant.get, { tenant: 'acme' })).usage).toMatchObject({ diskMb: null, trafficMb: 0 })

    machine.sent = 5_000_000
    await collect()

    expect(await panel.run(tenant.get, { tenant: 'acme' })).toMatchObject({
      uid: 20000,
      usage: { domains: 1, maxDomains: 5, diskMb: 13, maxDiskMb: 2000, diskIsWhole: true, trafficMb: 5 },
    })
    expect(await panel.db.selectFrom('tenant_usage').selectAll().executeTakeFirst()).toMatchObject({
      used_domains: 1,
      used_disk_mb: 13,
      bandwidth_tx: 5_000_000,
    })
    panel.machine.uid = null
    expect((await panel.run(tenant.get, { tenant: 'acme' })).uid).toBeNull()
  })

  it('knows the size of each database, and keeps the one it had while its server is silent', async () => {
    const panel = await bench.panel()
    await withTenants(panel, ['acme', 'other'])
    const { machine, collect } = rootSide(panel)
    const [first, second] = [
      await panel.run(database.create, { tenant: 'acme', name: 'first' }),
      await panel.run(database.create, { tenant: 'acme', name: 'second' }),
    ]
    await panel.work()
    const sized = (first_: number | null, second_: number | null) => {
      machine.databases = (ids) =>
        ids.map((id) => ({
          tenant: id as never,
          databases: [
            { database: first.id, bytes: first_ },
            { database: second.id, bytes: second_ },
          ],
        }))
    }
    const seen = async () => [
      (await panel.run(tenant.get, { tenant: 'acme' })).usage?.databasesMb,
      (await panel.run(database.get, { database: 'first' })).usedMb,
      (await panel.run(tenant.get, { tenant: 'other' })).usage?.databasesMb,
    ]
    expect(await seen()).toEqual([null, null, null])

    sized(5_000_001, 1)
    await collect()
    expect(await seen()).toEqual([7, 6, null])

    sized(null, 0)
    panel.clock.now += 7 * 60 * minute
    await collect()
    expect(await seen()).toEqual([6, 6, null])
  })

  it('counts each byte once: counters go on, begin anew, fall back, or are of an earlier tenant of the name', async () => {
    const panel = await bench.panel()
    await withTenants(panel, ['acme'])
    const { machine, collect } = rootSide(panel)
    const after = async (sent: number, since = machine.since) => {
      Object.assign(machine, { sent, since })
      panel.clock.now += 11 * minute
      await collect()
      return (await panel.run(tenant.get, { tenant: 'acme' })).usage?.trafficMb
    }

    expect(await after(9e6, '2025-01-01T00:00:00.000Z')).toBe(0) // others had the name
    expect(await after(10e6)).toBe(1)
    expect(await after(10e6)).toBe(1)
    expect(await after(9e6)).toBe(1) // a crash of the writer
    expect(await after(3e6, '2026-03-01T13:30:00.000Z')).toBe(4)
    panel.clock.now = Date.parse('2026-04-01T00:00:01.000Z')
    expect((await panel.run(tenant.get, { tenant: 'acme' })).usage?.trafficMb).toBe(0)
    expect(await after(5e6)).toBe(2)
    expect((await panel.run(tenant.usage, { tenant: 'acme', span: 'month' })).items).toMatchObject([
      { period: '2026-04', trafficMb: 2 },
      { period: '2026-03', trafficMb: 4 },
    ])
  })

  it('is measured tenant by tenant: what time did not suffice for comes next, also after a restart', async () => {
    const panel = await bench.panel()
    const ids = await withTenants(panel, ['one', 'two', 'three'])
    const { machine, collector } = rootSide(panel)
    const all = machine.disk
    machine.disk = (asked) => all(asked.slice(0, 1))

    await collector().wake()
    const disks = machine.asked.filter((word) => word.startsWith('disk'))
    expect(disks).toHaveLength(3 + 2 + 1)

    machine.asked.length = 0
    await collector().wake()
    expect(machine.asked).toEqual([])
    panel.clock.now += 13 * 60 * minute
    await collector().wake()
    expect(new Set(machine.asked.filter((word) => word.startsWith('disk')))).toEqual(
      new Set(ids.map((id) => `disk ${id}`)),
    )
  })

  it('is written with as many statements for a hundred tenants as for one, and the store is let go after each hundred', async () => {
    const panel = await bench.panel()
    const [id = ''] = await withTenants(panel, ['acme'])
    const likeIt = await panel.db.selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    const { ask, collector } = rootSide(panel)
    const statementsOfRound = async () => {
      let statements = 0
      const counting: KyselyPlugin = {
        transformQuery({ node }) {
          statements++
          return node
        },
        transformResult: async ({ result }) => result,
      }
      let rests = 0
      const rest = async () => rests++
      await collector(ask, { db: panel.db.withPlugin(counting), rest }).wake()
      panel.clock.now += 13 * 60 * minute
      return { statements, rests }
    }
    const one = await statementsOfRound()
    for (let index = 0; index < 99; index++) {
      const [name, owner] = [`more${index}`, { owner_id: null, display_name: `more ${index}` }]
      const fresh = { ...likeIt, id: newId(), name, linux_user: name, ...owner }
      await panel.db.insertInto('tenants').values(fresh).execute()
    }
    expect(one.rests).toBe(0)

    expect(await statementsOfRound()).toEqual({ statements: one.statements, rests: 4 })
    const rows = await panel.db.selectFrom('tenant_usage').select(['used_disk_mb', 'used_domains']).execute()
    expect(rows).toHaveLength(100)
    expect(rows.map((row) => row.used_disk_mb)).toEqual(Array(100).fill(13))
    expect(rows.reduce((sum, row) => sum + row.used_domains, 0)).toBe(1)
  })

  it('waits for a root side that is away, and goes on with whom the machine does not know', async () => {
    const panel = await bench.panel()
    await withTenants(panel, ['acme'])
    const { machine, collect } = rootSide(panel)
    machine.isAway = true
    await collect()
    expect((await panel.run(tenant.get, { tenant: 'acme' })).usage).toMatchObject({ domains: 1, diskMb: null })

    machine.isAway = false
    machine.disk = (ids) => ids.map((id) => ({ tenant: id as never, bytes: null, isWhole: true }))
    await collect()
    await collect()
    expect(machine.asked.filter((word) => word.startsWith('disk'))).toHaveLength(1)
  })

  it('is not measured twice at once, and the end of the panel does not wait for the walk', async () => {
    const panel = await bench.panel()
    await withTenants(panel, ['acme'])
    const { ask, collector } = rootSide(panel)
    let asked = 0
    const slow: AskUsage = (of, ids, answer) => {
      if (of !== 'disk') return ask(of, ids, answer)
      asked++
      return new Promise(() => {})
    }
    const one = collector(slow)
    void one.wake()
    void one.wake()
    await expect.poll(() => asked).toBe(1)

    await one.stop()
    expect(asked).toBe(1)
  })

  it('keeps days and months for so long', async () => {
    const panel = await bench.panel()
    await withTenants(panel, ['acme'])
    const { collect } = rootSide(panel)
    for (let day = 0; day < 70; day++) {
      await collect()
      panel.passDays(1)
    }
    await collect()
    await panel.transaction((context) => purgeExpired(context))

    const { items } = await panel.run(tenant.usage, { tenant: 'acme' })
    expect(items).toHaveLength(62)
    expect(items[0]).toMatchObject({ period: '2026-05-10', domains: 1, diskMb: 13 })
    panel.passDays(365 * 4)
    await collect()
    await panel.transaction((context) => purgeExpired(context))
    expect((await panel.run(tenant.usage, { tenant: 'acme', span: 'month' })).items).toHaveLength(1)
  })

  it('is seen by customers of their own tenant alone, and goes with it', async () => {
    const panel = await bench.panel()
    const [own, other] = await withTenants(panel, ['own', 'other'])
    if (own === undefined || other === undefined) throw new Error('no tenants')
    await rootSide(panel).collect()
    const me: Actor = {
      kind: 'user',
      id: newId(),
      email: 'me@example.org',
      permissions: new Set(['tenant.get', 'tenant.usage']),
      scope: { kind: 'local', tenant: own, user: newId() },
    }

    expect((await panel.run(tenant.usage, { tenant: 'own' }, me)).items).toHaveLength(1)
    expect((await refusal(panel.run(tenant.usage, { tenant: 'other' }, me))).code).toBe('not_found')
    await panel.db.deleteFrom('domains').execute()
    await panel.db.deleteFrom('jobs').execute()
    await panel.db.deleteFrom('tenants').where('id', '=', other).execute()
    expect(await panel.db.selectFrom('usage_history').selectAll().execute()).toHaveLength(2)
  })
})
