/** Deleting and restoring also work for what an accident has half taken away before. */
import { rmSync } from 'node:fs'
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
  ['tenant', 'var/lib/wcp360-web/tenants/acme', { tenant }],
  ['domain', 'var/lib/wcp360-web/tenants/acme/sites/shop.example.com', { tenant, domain }],
])('%s whose web directory is gone is deleted, and restored whole', async (kind, path, payload) => {
  const before = bench.manifest()
  rmSync(`${bench.root}/${path}`, { recursive: true })

  expect(await bench.run(`${kind}.delete`, payload)).toMatchObject({ failure: null })
  expect(await bench.run(`${kind}.restore`, payload)).toMatchObject({ failure: null })

  expect(bench.manifest()).toBe(before)
  expect((await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport).toEqual([])
})

it('a tenant whose files are gone from the trash is not restored half', async () => {
  await bench.run('tenant.delete', { tenant })
  rmSync(`${bench.places.customers.trash}/${tenant}`, { recursive: true })
  const before = bench.manifest()

  const { failure } = await bench.run('tenant.restore', { tenant })

  expect(failure?.message).toMatch(/does not exist/)
  expect(bench.manifest()).toBe(before)
})
