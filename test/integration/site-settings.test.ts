/** What an owner chooses, from the API through panel and root side to the visitor, also over a killed daemon. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Domain } from '../../src/resources/domain/schema.ts'
import { Product } from '../support/product.ts'
import { hosting } from '../support/requirements.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const main = join(import.meta.dirname, '../../src/main.ts')
const shop = 'shop.example.org'
const www = `www.${shop}`

describe.skipIf(hosting())('settings of a site', () => {
  let product: Product
  const site = async () => Domain.parse(await product.call('GET', `/domains/${shop}`))
  const isAtRest = () => product.until('no job changes the site', async () => (await site()).status === 'active')
  const choose = async (wish: Readonly<Record<string, unknown>>) => {
    await isAtRest()
    await product.call('PATCH', `/domains/${shop}`, wish)
  }
  const becomes = (status: number, path = '/', host = shop) =>
    product.until(`${host}${path} answers ${status}`, async () => (await product.visit(host, { path })) === status)

  beforeAll(async () => {
    product = await Product.serving({ command: [process.execPath, main] })
    await product.call('POST', '/packages', { name: 'basic' })
    await product.call('POST', '/tenants', { name: 'acme' })
    await product.call('POST', '/domains', { tenant: 'acme', fqdn: shop, php: 'none', aliases: [www] })
    await becomes(200)
  })

  afterAll(() => product?.dispose())

  it('reach visitors one after the other, and each leaves the others', async () => {
    await choose({ redirects: ['/old /new 301'], canonicalName: shop })
    await becomes(301, '/old')
    await becomes(308, '/', www)

    await choose({ maintenance: true })
    await becomes(503)
    await choose({ maintenance: false })
    await becomes(200)
    expect(await product.visit(shop, { path: '/old' })).toBe(301)
  })

  it('outlive a daemon that is killed and a web server that starts anew', async () => {
    await isAtRest()
    await product.restart('SIGKILL')
    await becomes(301, '/old')

    expect(readdirSync(product.places.web.owedRows)).toEqual([])
    expect(await site()).toMatchObject({ redirects: ['/old /new 301'] })
  })

  it('go into the trash with the site, and come back', async () => {
    await isAtRest()
    await product.call('DELETE', `/domains/${shop}`)
    const rows = product.places.web.rows('exact', shop as never)
    await product.until('its rows are gone', () => !existsSync(rows))

    await product.until('it comes back', () =>
      product.call('POST', `/domains/${shop}/restore`).then(
        () => true,
        () => false,
      ),
    )
    await becomes(301, '/old')
  })
})
