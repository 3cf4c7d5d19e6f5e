/** What the root side measures of tenants, by real files and the real process that looks at them. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { DiskUsage, TrafficCounters } from '../../src/contract/usage.ts'
import { Bench, newId } from './bench.ts'
import { leadUp, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
  await leadUp(bench, 'tenant.suspend') // a tenant that lives
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const since = '2026-03-01T12:00:00.000Z'
const ask = (of: 'disk' | 'traffic', tenants: readonly string[] = [tenant]) => bench.ask({ t: 'usage', of, tenants })
const disk = async (tenants?: readonly string[]) => DiskUsage.parse((await ask('disk', tenants)).value)

it('tells the uid of a tenant, and of none that is not here', async () => {
  expect((await bench.ask({ t: 'account', tenant })).value).toEqual({ uid: 20000 })
  expect(await bench.ask({ t: 'account', tenant: newId() })).toMatchObject({ value: null, failure: null })
})

it('measures the trees of tenants in a process of its own, and says whom it does not know', async () => {
  const stranger = newId()
  writeFileSync(`${bench.root}/srv/www/acme/home/large`, Buffer.alloc(3_000_000, 1))
  symlinkSync(bench.root, `${bench.root}/srv/www/acme/home/out`)

  const sizes = await disk([tenant, stranger])

  expect(sizes.find((one) => one.tenant === stranger)).toMatchObject({ bytes: null })
  const bytes = sizes.find((one) => one.tenant === tenant)?.bytes ?? 0
  expect(bytes).toBeGreaterThan(2_999_999)
  expect(bytes).toBeLessThan(3_200_000)
})

it('measures one source once at a time', async () => {
  const [first, second, other] = await Promise.all([ask('disk'), ask('disk'), ask('traffic')])

  expect(first.failure).toBeNull()
  expect(second.failure).toMatchObject({ code: 'busy' })
  expect(other.failure).toBeNull()
  expect((await ask('disk')).failure).toBeNull()
})

it('walks for the disk and for the watch over drift after a look that somebody waits for', async () => {
  const look = Promise.withResolvers<[]>()
  await bench.engine.close()
  const begun: string[] = []
  await bench.start(bench.machine(), {
    drift: () => look.promise,
    usage: async (of) => {
      begun.push(of)
      return []
    },
    driftPage: async () => {
      begun.push('page')
      return { items: [], next: null }
    },
  })
  const asked = bench.ask({ t: 'inspect', what: 'drift' })
  const others = Promise.all([ask('disk'), bench.ask({ t: 'drift_page', after: null })])
  await ask('traffic')
  expect(begun).toEqual(['traffic'])

  look.resolve([])
  await asked
  expect((await others).map(({ failure }) => failure)).toEqual([null, null])
  expect(begun.toSorted()).toEqual(['disk', 'page', 'traffic'])
})

it('reads the counters of the logs as data: no link, no pipe, no other shape, no size', async () => {
  const path = bench.places.trafficCounters
  expect((await ask('traffic')).value).toEqual([])
  writeFileSync(path, JSON.stringify({ acme: { since, sent: 77 }, other: { since, sent: 5 } }))
  expect(TrafficCounters.parse((await ask('traffic')).value)).toEqual([{ tenant, since, sent: 77 }])

  for (const spoil of [
    () => symlinkSync(bench.places.agentDatabase, path),
    () => mkdirSync(path),
    () => writeFileSync(path, '{"acme":{"since":"never","sent":-1}}'),
    () => writeFileSync(path, Buffer.alloc(5_000_000, 32)),
  ]) {
    rmSync(path, { recursive: true })
    spoil()
    expect(await ask('traffic')).toMatchObject({ value: null, failure: { message: expect.any(String) } })
  }
})
