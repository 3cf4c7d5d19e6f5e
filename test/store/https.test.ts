/** The way over HTTP that a domain has in the store, on both stores. */
import { expect, it } from 'vitest'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import type { Panel } from './harness.ts'

const { tenant, domain, package: packages } = slices
const fqdn = 'bakery.example.com'

onBothStores('the way over HTTP', (bench) => {
  const https = async (panel: Panel) => (await panel.run(domain.get, { domain: fqdn })).https
  const choose = (panel: Panel, way: 'optional' | 'hsts-year') => panel.run(domain.update, { domain: fqdn, https: way })

  async function bakery(): Promise<Panel> {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic' })
    await panel.run(tenant.create, { name: 'acme' })
    await panel.work()
    await panel.run(domain.create, { tenant: 'acme', fqdn, php: 'none', aliases: [] })
    await panel.work()
    return panel
  }

  it('leads to HTTPS unless another is chosen, and stays when other things are changed', async () => {
    const panel = await bakery()
    expect(await https(panel)).toBe('redirect')

    await choose(panel, 'hsts-year')
    await panel.work()
    await panel.run(domain.update, { domain: fqdn, aliases: ['www.bakery.example.com'] })
    await panel.work()

    expect(await https(panel)).toBe('hsts-year')
    expect(await choose(panel, 'hsts-year')).toMatchObject({ jobId: null })
  })

  it('is again what it was when the machine cannot change it', async () => {
    const panel = await bakery()
    await choose(panel, 'hsts-year')
    await panel.work()

    await choose(panel, 'optional')
    await panel.work(() => true)

    expect(await https(panel)).toBe('hsts-year')
  })

  it('goes into the trash with its domain, and comes back', async () => {
    const panel = await bakery()
    await choose(panel, 'hsts-year')
    await panel.work()

    await panel.run(domain.remove, { domain: fqdn })
    await panel.work()
    await panel.run(domain.restore, { domain: fqdn })
    await panel.work()

    expect(await https(panel)).toBe('hsts-year')
  })
})
