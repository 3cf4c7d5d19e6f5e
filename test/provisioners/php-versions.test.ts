/** A PHP version for each site: which master of the tenant serves it, and which of them is stopped when that changes. */
import { readlinkSync } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import type { DriftReport } from '../../src/contract/wire.ts'
import { Bench } from './bench.ts'
import { withFaults } from './faults.ts'
import { domain, leadUp, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const acme = TenantName.parse('acme')
const shop = { tenant, domain }
const blog = { tenant, domain: '88888888-8888-4888-8888-888888888888' }
const wiki = { tenant, domain: '99999999-9999-4999-8999-999999999999' }
const shopName = 'shop.example.com'
const [blogName, wikiName] = ['blog.example.com', 'wiki.example.com']
const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.example.com`

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
  await leadUp(bench, 'domain.suspend') // a tenant and its shop with PHP 8.4, both live
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const make = (about: object, fqdn: string, php: string | null) =>
  bench.run('domain.create', { ...about, fqdn, aliases: [], php })
const change = (about: object, php: string | null, aliases: readonly string[] = []) =>
  bench.run('domain.update', { ...about, aliases, php })
const socketOf = (name: string) =>
  readlinkSync(`${bench.places.web.site(acme, Fqdn.parse(name))}/php.sock`)
    .split('/')
    .at(-1)
const startOf = (name: string) => {
  const found = bench.engine.lookupHost(Fqdn.parse(name))
  return found.kind === 'php' ? [found.start.php, found.start.apart ?? null] : found.kind
}
const drifted = async () => (await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport
const wake = (...pools: string[]) => {
  for (const pool of pools) bench.services.awake.add(pool)
}
const awake = () => [...bench.services.awake].sort()

it('is the tenant’s own master while all sites run one version, and a change restarts it', async () => {
  await make(blog, blogName, '8.4')
  expect([socketOf(shopName), socketOf(blogName)]).toEqual(['acme.sock', 'acme.sock'])
  await change(blog, null)
  wake('acme')

  await change(shop, '8.3')

  expect([socketOf(shopName), startOf(shopName), awake()]).toEqual(['acme.sock', ['8.3', null], []])
  expect(await drifted()).toEqual([])
})

it('is a master apart for another version, and nobody else is disturbed', async () => {
  wake('acme')
  await make(blog, blogName, '8.3')
  expect([socketOf(blogName), startOf(blogName)]).toEqual(['acme-8.3.sock', ['8.3', '8.3']])
  expect([socketOf(shopName), startOf(shopName)]).toEqual(['acme.sock', ['8.4', null]])

  await make(wiki, wikiName, '8.4')
  wake('acme-8.3')
  await change(wiki, '8.3')
  expect([socketOf(wikiName), awake()]).toEqual(['acme-8.3.sock', ['acme', 'acme-8.3']])

  await change(wiki, '8.4')
  expect([socketOf(wikiName), awake()]).toEqual(['acme.sock', ['acme', 'acme-8.3']])
  expect(await drifted()).toEqual([])
})

it('is stopped once it has nobody to serve, so that the next version finds its place empty', async () => {
  await make(blog, blogName, '8.3')
  wake('acme', 'acme-8.3')
  await change(blog, '8.4')
  expect([socketOf(blogName), awake()]).toEqual(['acme.sock', ['acme']])

  await change(shop, '8.3')
  await change(blog, '8.3')
  expect([socketOf(shopName), socketOf(blogName), awake()]).toEqual(['acme-8.3.sock', 'acme-8.3.sock', []])
  await make(wiki, wikiName, '8.4')
  expect([socketOf(wikiName), startOf(wikiName)]).toEqual(['acme.sock', ['8.4', null]])

  wake('acme')
  await change(wiki, null)
  expect(awake()).toEqual([])
  expect(await drifted()).toEqual([])
})

it('stays when other things of the site change, also where it could move', async () => {
  await make(blog, blogName, '8.3')
  await bench.run('domain.delete', shop)
  wake('acme-8.3')
  await change(blog, '8.3', ['www.blog.example.com'])

  expect([socketOf(blogName), awake()]).toEqual(['acme-8.3.sock', ['acme-8.3']])
})

it('ends with its tenant, whatever it is, and all of them with a name that is taken away', async () => {
  await make(blog, blogName, '8.3')
  wake('acme', 'acme-8.3')
  await bench.run('tenant.suspend', { tenant })
  expect(awake()).toEqual([])

  await bench.run('tenant.unsuspend', { tenant })
  wake('acme', 'acme-8.3')
  await bench.run('domain.delete', shop)
  expect(awake()).toEqual([])
})

it('is found again in the trash, by what the tenant’s sites run then', async () => {
  await make(blog, blogName, '8.3')
  await bench.run('domain.delete', blog)
  await change(shop, '8.3')
  expect(await bench.run('domain.restore', blog)).toMatchObject({ failure: null })
  expect([socketOf(blogName), startOf(blogName)]).toEqual(['acme.sock', ['8.3', null]])

  await bench.run('domain.delete', blog)
  await change(shop, '8.4')
  expect(await bench.run('domain.restore', blog)).toMatchObject({ failure: null })
  expect([socketOf(blogName), startOf(blogName)]).toEqual(['acme-8.3.sock', ['8.3', '8.3']])

  const before = bench.manifest()
  await bench.run('tenant.delete', { tenant })
  await bench.run('tenant.restore', { tenant })
  expect([bench.manifest(), await drifted()]).toEqual([before, []])
})

it('is refused where it is not installed, and for a name by which nginx cannot tell it', async () => {
  expect((await change(shop, '8.1')).failure?.message).toContain('it is not installed')
  expect((await make(blog, long, '8.3')).failure?.message).toContain(`Cannot use PHP 8.3 for "${long}"`)
  await make(blog, blogName, '8.3')
  expect((await change(blog, '8.3', [long])).failure?.message).toContain(long)
  expect(await make(wiki, long, '8.4')).toMatchObject({ failure: null })
})

it('is as it was after a change that failed anywhere', async () => {
  await make(blog, blogName, '8.4')
  const start = startOf(blogName)
  const goBack = await bench.save()
  await goBack()
  const before = [bench.manifest(), start]
  for (let nth = 1; ; nth++) {
    await goBack()
    const injection = withFaults(bench.machine(), (n) => (n === nth ? 'fails' : undefined))
    await bench.start(injection.machine)
    const { failure } = await change(blog, '8.3')
    const after = [bench.manifest(), startOf(blogName)]
    await bench.engine.close()
    if (failure === null) break

    expect([nth, after]).toEqual([nth, before])
  }
  await bench.start()
  expect([socketOf(blogName), startOf(blogName)]).toEqual(['acme-8.3.sock', ['8.3', '8.3']])
})
