/** While a tenant's job is under way nothing that belongs to it is changed: people are refused, the panel's own work waits. */
import { expect, it } from 'vitest'
import { Id } from '../../src/contract/values.ts'
import { asPanel } from '../../src/resources/as-panel.ts'
import { domainPurge } from '../../src/resources/domain/jobs.ts'
import * as sshKey from '../../src/resources/ssh-key/operations.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { type Panel, refusal } from './harness.ts'

const { tenant, domain, package: packages } = slices
const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'
const shop = { domain: 'shop.example.com' }

onBothStores('the lock of a tenant', (bench) => {
  /** Two tenants with a site each; the first one has an SSH key and a site in the trash, too. */
  async function opened() {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic' })
    await panel.run(tenant.create, { name: 'acme', domain: 'shop.example.com' })
    await panel.run(tenant.create, { name: 'other', domain: 'other.example.com' })
    await panel.work()
    const { id: key } = await panel.run(sshKey.create, { tenant: 'acme', name: 'laptop', publicKey })
    const { id: old } = await panel.run(domain.create, { tenant: 'acme', fqdn: 'old.example.com' })
    await panel.work()
    await panel.run(domain.remove, { domain: 'old.example.com' })
    await panel.work()
    return { panel, key, old: Id.parse(old) }
  }
  const changes = (panel: Panel, key: string) => [
    panel.run(domain.update, { ...shop, aliases: ['www.shop.example.com'] }),
    panel.run(domain.suspend, shop),
    panel.run(domain.remove, shop),
    panel.run(domain.restore, { domain: 'old.example.com' }),
    panel.run(domain.run, { ...shop, command: ['php', '-v'] }),
    panel.run(sshKey.remove, { sshKey: key }),
    panel.run(sshKey.create, { tenant: 'acme', name: 'phone', publicKey: publicKey.replace('fwgHR4f', 'fwgHR4g') }),
  ]

  it.each(['suspend', 'remove'] as const)(
    'refuses every change of what is its own, naming the job: %s',
    async (verb) => {
      const { panel, key } = await opened()
      const acme = { tenant: 'acme' }
      const { jobId } = await (verb === 'suspend' ? panel.run(tenant.suspend, acme) : panel.run(tenant.remove, acme))

      for (const refused of await Promise.all(changes(panel, key).map(refusal)))
        expect(refused).toMatchObject({
          code: 'busy',
          message: expect.stringContaining(`job ${jobId} (tenant.${verb === 'remove' ? 'delete' : verb}) is queued`),
          help: expect.stringContaining(`wcp job watch ${jobId}`),
          details: { job: jobId },
        })
      expect(await panel.work()).toHaveLength(1)
    },
  )

  it('lets go with the job, and holds up neither reading nor other tenants', async () => {
    const { panel } = await opened()
    await panel.run(tenant.suspend, { tenant: 'acme' })
    const { status } = await panel.run(domain.get, shop)
    await panel.run(domain.suspend, { domain: 'other.example.com' })
    await panel.work()
    await panel.run(domain.update, { ...shop, aliases: ['www.shop.example.com'] })

    expect(status).toBe('active')
    expect(await panel.work()).toEqual(['domain.update'])
  })

  it('names the job that takes the tenant away, also to who adds a site', async () => {
    const { panel } = await opened()
    const { jobId } = await panel.run(tenant.remove, { tenant: 'acme' })

    const refused = await refusal(panel.run(domain.create, { tenant: 'acme', fqdn: 'new.example.com' }))

    expect(refused).toMatchObject({ code: 'busy', details: { job: jobId } })
  })

  it('has new sites and the panel’s own work wait for their turn', async () => {
    const { panel, old } = await opened()
    const { id } = await panel.run(tenant.get, { tenant: 'acme' })
    await panel.run(tenant.suspend, { tenant: 'acme' })
    await panel.run(domain.create, { tenant: 'acme', fqdn: 'new.example.com' })
    await panel.transaction(async (context) => {
      await asPanel(context, context.now).enqueue(domainPurge, { tenant: id, domain: old })
    })

    expect(await panel.work()).toEqual(['tenant.suspend', 'domain.create', 'domain.purge'])
  })
})
