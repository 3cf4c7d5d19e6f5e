/** What was suspended when it was deleted comes back closed, and opens when its last hold is lifted. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { DriftReport } from '../../src/contract/wire.ts'
import { Bench } from './bench.ts'
import { domain, leadUp, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
  await leadUp(bench, 'domain.suspend')
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

it.each([
  ['tenant', { tenant }],
  ['domain', { tenant, domain }],
])('%s', async (kind, payload) => {
  const open = bench.manifest()
  await bench.run(`${kind}.suspend`, payload)
  const closed = bench.manifest()
  await bench.run(`${kind}.delete`, payload)

  const restored = await bench.run(`${kind}.restore`, { ...payload, isSuspended: true })
  const again = await bench.run(`${kind}.restore`, { ...payload, isSuspended: true })

  expect([restored.failure, again.failure]).toEqual([null, null])
  expect(bench.manifest()).toBe(closed)
  expect((await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport).toEqual([])
  expect(await bench.run(`${kind}.unsuspend`, payload)).toMatchObject({ failure: null })
  expect(bench.manifest()).toBe(open)
})
