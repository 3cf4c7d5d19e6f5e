/** nginx's own answer to the machine that asks whether a site is there: without PHP, without a line in a log. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { HttpLine, probePath } from '../../src/resources/probe/http-line.ts'
import { outcomeOf } from '../../src/resources/probe/outcome.ts'
import { SiteProbe } from '../../src/resources/probe/schema.ts'
import { lookOverTls } from '../../src/resources/probe/tls-look.ts'
import { Product } from '../support/product.ts'
import { hosting } from '../support/requirements.ts'

vi.setConfig({ testTimeout: 150_000, hookTimeout: 120_000 })

const main = join(import.meta.dirname, '../../src/main.ts')
const shop = 'shop.example.org'

describe.skipIf(hosting())('a probe of a site', () => {
  let product: Product
  let line: HttpLine
  const state = async (host = shop) => outcomeOf(await line.ask(host))
  const becomes = (wanted: string) => product.until(`it is ${wanted}`, async () => (await state()).state === wanted)
  const isAtRest = () =>
    product.until('no job changes the site', async () =>
      ['active', 'suspended'].includes(((await product.call('GET', `/domains/${shop}`)) as { status: string }).status),
    )

  beforeAll(async () => {
    product = await Product.serving({ command: [process.execPath, main] })
    line = new HttpLine(() => product.ports.http)
    await product.call('POST', '/packages', { name: 'basic' })
    await product.call('POST', '/tenants', { name: 'acme' })
    await product.call('POST', '/domains', { tenant: 'acme', fqdn: shop, php: 'none' })
    await becomes('up')
  })

  afterAll(async () => {
    line.close()
    await product?.dispose()
  })

  it('is answered by nginx, and no other name is', async () => {
    expect(await line.ask(shop)).toMatchObject({ status: 204 })
    expect(await line.ask('nobody.example.org')).toEqual({ failure: 'closed' })
    expect(await line.ask(shop)).toMatchObject({ status: 204 })
  })

  it('reaches the panel, which shows it', async () => {
    const shown = async () => SiteProbe.parse(await product.call('GET', `/domains/${shop}/probe`))
    await product.until('it is written', async () => (await shown()).state === 'up', 120_000)

    expect(await shown()).toMatchObject({ fqdn: shop, failingSince: null, https: null, days: [{ down: 0 }] })
  })

  it('tells what is closed on purpose from what fails', async () => {
    await isAtRest()
    await product.call('PATCH', `/domains/${shop}`, { maintenance: true })
    await becomes('closed')
    await isAtRest()
    await product.call('PATCH', `/domains/${shop}`, { maintenance: false })
    await becomes('up')
    await isAtRest()
    await product.call('POST', `/domains/${shop}/suspend`, {})
    await becomes('closed')
    await isAtRest()
    await product.call('POST', `/domains/${shop}/unsuspend`, {})
    await becomes('up')
  })

  it('tells what certificate is shown', async () => {
    const { tls, answer } = await lookOverTls(shop, product.ports.https, Date.now())

    expect(tls).toMatchObject({ state: 'other_names', validTo: expect.any(String) })
    expect(answer).toMatchObject({ status: 204 })
    const later = await lookOverTls(shop, product.ports.https, Date.now() + 100 * 365 * 86_400_000)
    expect(later.tls.state).toBe('expired')
    expect((await lookOverTls('nobody.example.org', product.ports.https, Date.now())).tls.state).toBe('failed')
  })

  it('is in no log', async () => {
    await product.visit(shop, { path: '/seen' })
    await product.until('a visit is written', () => readFileSync(product.places.accessLog, 'utf8').includes('/seen'))

    expect(readFileSync(product.places.accessLog, 'utf8')).not.toContain(probePath)
  })
})
