/** From a visitor through nginx and the writer of its logs to the panel, each under an account of its own. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { Product } from '../support/product.ts'
import { hosting } from '../support/requirements.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const main = join(import.meta.dirname, '../../src/main.ts')
const shop = 'shop.example.org'
const other = 'other.example.org'

const Answer = z.object({ items: z.array(z.object({ uri: z.string(), status: z.int().nullable(), text: z.string() })) })

describe.skipIf(hosting())('the logs of a site', () => {
  let product: Product
  const logs = async (site: string, query = '') =>
    Answer.parse(await product.call('GET', `/domains/${site}/logs${query}`)).items

  beforeAll(async () => {
    product = await Product.serving({ command: [process.execPath, main] })
    await product.call('POST', '/packages', { name: 'basic' })
    for (const [tenant, fqdn] of [
      ['acme', shop],
      ['umbrella', other],
    ] as const) {
      await product.call('POST', '/tenants', { name: tenant })
      await product.call('POST', '/domains', { tenant, fqdn, php: 'none' })
    }
    for (const host of [shop, other])
      await product.until(`${host} answers`, async () => (await product.visit(host)) === 200)
  })

  afterAll(() => product?.dispose())

  it('show who reads them the visits of that site, and errors, moments after they were made', async () => {
    expect(await product.visit(shop, { path: '/missing?of=shop' })).toBe(404)
    expect(await product.visit(other, { path: '/missing?of=other' })).toBe(404)

    await product.until('the visit is shown', async () => (await logs(shop, '?status=404')).length > 0)
    expect(await logs(shop, '?status=404')).toMatchObject([{ uri: '/missing?of=shop', status: 404 }])
    const all = await logs(shop)
    expect(all.map(({ uri }) => uri)).not.toContain('/missing?of=other')
    expect(await logs(other, '?status=404')).toMatchObject([{ uri: '/missing?of=other' }])
    const top = await product.call('GET', `/domains/${shop}/logs/top`)
    expect(top).toMatchObject({ requests: all.length, isCut: false })
  })

  it('are files that panel and writer alone may read, and of all others the panel reads none', () => {
    const { places } = product
    for (const file of [places.webLogs, places.accessLog]) {
      const { mode, gid } = statSync(file)
      expect([mode & 0o007, gid]).toEqual([0, statSync(places.panelRun).gid])
    }
    expect(statSync(places.auditLog).mode & 0o077).toBe(0)
    expect(readFileSync(places.accessLog, 'utf8')).toContain('{"tenant":"acme","time":"')
  })

  it('go on after the writer and the panel were killed', async () => {
    for (const role of ['panel', 'webLog'] as const) process.kill(product.pids[role] ?? -1, 'SIGKILL')
    await product.until('both run again', () => product.pids.panel !== undefined && product.pids.webLog !== undefined)
    await product.until('a later visit is shown', async () => {
      await product.visit(shop, { path: '/later' })
      return (await logs(shop).catch(() => [])).some(({ uri }) => uri === '/later')
    })
  })
})
