import { describe, expect, it } from 'vitest'
import { TenantName } from '../../src/contract/values.ts'
import type { Actor } from '../../src/resources/actor.ts'
import { applyOwedLimits, purgeExpired } from '../../src/resources/upkeep.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { cronCases } from './cron-cases.ts'
import { newId, type Panel, refusal, root } from './harness.ts'

const { tenant, domain, job, package: packages, settings } = slices

async function withTenant(panel: Panel, name = 'acme', more: object = {}) {
  if ((await panel.run(packages.list, {})).items.length === 0) await panel.run(packages.create, { name: 'basic' })
  const made = await panel.run(tenant.create, { name, ...more })
  await panel.work()
  return made
}

function customerOf(tenantId: string): Actor {
  const id = newId()
  return {
    kind: 'user',
    id,
    email: 'customer@example.org',
    permissions: 'all',
    scope: { kind: 'local', tenant: tenantId as typeof id, user: id },
  }
}

onBothStores('tenants and domains', (bench) => {
  describe('life of a tenant', () => {
    it('is pending until its job has ended, and active after it', async () => {
      const panel = await bench.panel()
      await panel.run(packages.create, { name: 'basic', memMb: 512 })

      const made = await panel.run(tenant.create, { name: 'acme' })
      const before = await panel.run(tenant.get, { tenant: 'acme' })
      const queued = await panel.run(job.get, { job: made.jobId })
      await panel.work()

      expect(before).toMatchObject({ id: made.id, status: 'pending', packageName: 'basic', version: 1 })
      expect(queued).toMatchObject({ type: 'tenant.create', state: 'queued', resourceName: 'acme', actor: 'root' })
      expect(await panel.run(tenant.get, { tenant: made.id })).toMatchObject({ status: 'active' })
      expect(await panel.run(job.get, { job: made.jobId })).toMatchObject({ state: 'succeeded', failure: null })
    })

    it('is told by id in pages, also from the trash', async () => {
      const panel = await bench.panel()
      await withTenant(panel, 'acme', { domain: 'acme.example.com' })
      await withTenant(panel, 'beta', { domain: 'beta.example.com' })
      await panel.run(tenant.remove, { tenant: 'beta' })
      await panel.work()

      for (const kind of ['tenants', 'domains'] as const) {
        const told = await panel.transaction(async (context) => {
          const [first] = await context[kind].inventory(null, 1)
          return [first, ...(await context[kind].inventory(first?.id ?? null, 5))]
        })
        expect(told.map((row) => row?.status).toSorted()).toEqual(['active', 'deleted'])
        expect(told.map((row) => row?.id)).toEqual(told.map((row) => row?.id).toSorted())
      }
    })

    it('can be created by the same request again after the machine failed', async () => {
      const panel = await bench.panel()
      await panel.run(packages.create, { name: 'basic' })
      const first = await panel.run(tenant.create, { name: 'acme', domain: 'acme.example.com' })
      await panel.work(() => true)
      expect((await panel.run(tenant.get, { tenant: 'acme' })).status).toBe('error')

      const second = await panel.run(tenant.create, { name: 'acme', domain: 'acme.example.com' })
      const done = await panel.work()

      expect(second.id).toBe(first.id)
      expect(second.domain?.id).toBe(first.domain?.id)
      expect(done).toEqual(['tenant.create', 'domain.create'])
      expect((await panel.run(tenant.get, { tenant: 'acme' })).status).toBe('active')
      expect((await panel.run(domain.get, { domain: 'acme.example.com' })).status).toBe('active')
    })

    it('goes to the trash with its domains and comes back with those, not with earlier ones', async () => {
      const panel = await bench.panel()
      await withTenant(panel, 'acme', { domain: 'one.example.com' })
      for (const fqdn of ['two.example.com', 'old.example.com'])
        await panel.run(domain.create, { tenant: 'acme', fqdn, aliases: [`www.${fqdn}`] })
      await panel.work()
      await panel.run(domain.suspend, { domain: 'two.example.com' })
      await panel.run(domain.remove, { domain: 'old.example.com' })
      await panel.work()

      await panel.run(tenant.remove, { tenant: 'acme' })
      await panel.work()
      const gone = await panel.run(domain.list, {})
      const trashed = await panel.run(tenant.get, { tenant: 'acme' })
      await panel.run(tenant.restore, { tenant: 'acme' })
      await panel.work()

      expect(gone.items).toEqual([])
      expect(trashed).toMatchObject({ status: 'deleted', deletedAt: expect.any(String) })
      expect(await panel.run(tenant.get, { tenant: 'acme' })).toMatchObject({
        status: 'active',
        deletedAt: null,
        domains: 2,
      })
      const back = (await panel.run(domain.list, {})).items.map(({ fqdn, status, aliases }) => [fqdn, status, aliases])
      expect(back).toEqual([
        ['one.example.com', 'active', []],
        ['two.example.com', 'suspended', ['www.two.example.com']],
      ])
      expect((await panel.run(domain.list, { deleted: true })).items.map((one) => one.fqdn)).toEqual([
        'old.example.com',
      ])
    })

    it('stays in the trash, on the same day, when its restore fails', async () => {
      const panel = await bench.panel()
      await withTenant(panel, 'acme', { domain: 'acme.example.com' })
      await panel.run(tenant.remove, { tenant: 'acme' })
      await panel.work()
      const { deletedAt } = await panel.run(tenant.get, { tenant: 'acme' })

      await panel.run(tenant.restore, { tenant: 'acme' })
      const during = await panel.run(tenant.get, { tenant: 'acme' })
      await panel.work(() => true)

      expect(during.status).toBe('restoring')
      expect(await panel.run(tenant.get, { tenant: 'acme' })).toMatchObject({ status: 'deleted', deletedAt })
      // Its names are free again.
      await withTenant(panel, 'other', { domain: 'acme.example.com' })
      expect((await refusal(panel.run(tenant.restore, { tenant: 'acme' }))).code).toBe('conflict')
    })

    it('keeps its name while it is in the trash, and says what can be done', async () => {
      const panel = await bench.panel()
      await withTenant(panel)
      await panel.run(tenant.remove, { tenant: 'acme' })
      await panel.work()

      const error = await refusal(panel.run(tenant.create, { name: 'acme' }))
      const jobs = await panel.work()
      panel.passDays(31)
      await panel.transaction((context) => purgeExpired(context))
      await panel.work()

      expect(error).toMatchObject({
        code: 'conflict',
        message: 'Cannot create tenant "acme": a deleted tenant of this name is in the trash',
        fields: [{ field: 'name' }],
        help: 'Restore that tenant, choose another name, or wait until 2026-03-31: then it is removed for good.',
      })
      expect(jobs).toEqual([])
      expect((await withTenant(panel)).id).toBeDefined()
    })

    it('leaves its name at once when it could never be made', async () => {
      const panel = await bench.panel()
      await panel.run(packages.create, { name: 'basic' })
      await panel.run(tenant.create, { name: 'acme', domain: 'acme.example.com' })
      await panel.work(() => true)
      await panel.run(tenant.remove, { tenant: 'acme' })
      await panel.work()

      expect((await panel.run(tenant.list, { deleted: true })).items).toEqual([])
      expect((await panel.run(domain.list, { deleted: true })).items).toEqual([])
      await withTenant(panel, 'other', { domain: 'acme.example.com' })
      expect((await withTenant(panel)).id).toBeDefined()
    })

    it('is refused a restore while somebody else has its name, as a store of an earlier version may have it', async () => {
      const panel = await bench.panel()
      const old = await withTenant(panel)
      const { packageId } = await panel.run(tenant.get, { tenant: 'acme' })
      await panel.run(tenant.remove, { tenant: 'acme' })
      await panel.work()
      const other = { id: newId(), name: TenantName.parse('acme'), packageId, ownerId: null, resellerId: null }
      await panel.stores(panel.db).tenants.insert(other)

      const error = await refusal(panel.run(tenant.restore, { tenant: old.id }))

      expect(error).toMatchObject({ code: 'conflict', message: 'Cannot restore tenant "acme": "acme" is taken' })
    })

    it('refuses what its status does not allow, in words', async () => {
      const panel = await bench.panel()
      await withTenant(panel)
      await panel.run(tenant.suspend, { tenant: 'acme' })
      const busy = await refusal(panel.run(tenant.suspend, { tenant: 'acme' }))
      await panel.work()

      const twice = await refusal(panel.run(tenant.suspend, { tenant: 'acme' }))
      const alive = await refusal(panel.run(tenant.restore, { tenant: 'acme' }))

      expect(busy).toMatchObject({ code: 'busy', details: { type: 'tenant.suspend', state: 'queued' } })
      expect(twice).toMatchObject({
        code: 'conflict',
        message: 'Cannot suspend tenant "acme": it is suspended already',
      })
      expect(alive.code).toBe('not_found')
    })

    it('refuses a name that another has, with the field', async () => {
      const panel = await bench.panel()
      await withTenant(panel)

      const error = await refusal(panel.run(tenant.create, { name: 'acme' }))

      expect(error).toMatchObject({ code: 'conflict', status: 409, fields: [{ field: 'name', problem: 'is taken' }] })
    })
  })

  describe('life of a domain', () => {
    it('gets the newest PHP, none, or the one asked for if it is installed', async () => {
      const panel = await bench.panel()
      await withTenant(panel)
      await panel.run(domain.create, { tenant: 'acme', fqdn: 'a.example.com' })
      await panel.run(domain.create, { tenant: 'acme', fqdn: 'b.example.com', php: 'none' })
      await panel.run(domain.create, { tenant: 'acme', fqdn: 'c.example.com', php: '8.2' })

      const error = await refusal(panel.run(domain.create, { tenant: 'acme', fqdn: 'd.example.com', php: '8.5' }))

      expect((await panel.run(domain.list, {})).items.map((one) => one.php)).toEqual(['8.4', null, '8.2'])
      expect(error).toMatchObject({ code: 'bad_input', fields: [{ field: 'php', accepted: '8.2, 8.4, none' }] })
    })

    it('asks for a moment while the root side has not told which versions there are', async () => {
      const panel = await bench.panel()
      await withTenant(panel)
      panel.machine.php = null

      for (const php of [undefined, '8.4'] as const) {
        const refused = await refusal(panel.run(domain.create, { tenant: 'acme', fqdn: 'a.example.com', php }))
        expect(refused).toMatchObject({ code: 'unavailable', details: { retryAfterSeconds: 1 } })
      }
      await panel.run(domain.create, { tenant: 'acme', fqdn: 'static.example.com', php: 'none' })
    })

    it('goes back to its aliases and PHP when an update fails', async () => {
      const panel = await bench.panel()
      await withTenant(panel)
      await panel.run(domain.create, { tenant: 'acme', fqdn: 'a.example.com', aliases: ['www.a.example.com'] })
      await panel.work()

      await panel.run(domain.update, { domain: 'a.example.com', aliases: ['new.a.example.com'], php: '8.2' })
      const wish = await panel.run(domain.get, { domain: 'a.example.com' })
      await panel.work(() => true)

      expect(wish).toMatchObject({ status: 'deploying', aliases: ['new.a.example.com'], php: '8.2' })
      const after = await panel.run(domain.get, { domain: 'a.example.com' })
      expect(after).toMatchObject({ status: 'active', aliases: ['www.a.example.com'], php: '8.4' })
    })

    it('is not changed while its tenant leaves', async () => {
      const panel = await bench.panel()
      await withTenant(panel, 'acme', { domain: 'a.example.com' })
      await panel.run(tenant.remove, { tenant: 'acme' })

      const change = await refusal(panel.run(domain.suspend, { domain: 'a.example.com' }))
      const more = await refusal(panel.run(domain.create, { tenant: 'acme', fqdn: 'b.example.com' }))

      await panel.work()
      const gone = await refusal(panel.run(domain.restore, { domain: 'a.example.com' }))

      expect([change.code, more.code]).toEqual(['busy', 'busy'])
      expect(gone).toMatchObject({ code: 'conflict', message: expect.stringContaining('"acme" is in the trash') })
    })
  })

  describe('names of domains', () => {
    it('are taken once, whether as name or as alias, in any writing', async () => {
      const panel = await bench.panel()
      await withTenant(panel, 'acme')
      await withTenant(panel, 'other')
      await panel.run(domain.create, { tenant: 'acme', fqdn: 'example.com', aliases: ['example.org', 'bücher.de'] })

      const asName = await refusal(panel.run(domain.create, { tenant: 'acme', fqdn: 'EXAMPLE.org.' }))
      const asAlias = await refusal(
        panel.run(domain.create, { tenant: 'acme', fqdn: 'x.com', aliases: ['y.com', 'XN--bcher-kva.de'] }),
      )
      const byOther = await refusal(panel.run(domain.create, { tenant: 'other', fqdn: 'example。com' }))

      expect(asName).toMatchObject({ code: 'conflict', fields: [{ field: 'fqdn' }] })
      expect(asAlias).toMatchObject({ code: 'conflict', fields: [{ field: 'aliases.1' }] })
      expect(byOther.code).toBe('conflict')
    })

    it.each(['sub.example.com', 'a.b.example.com', 'www.alias.example.org'])(
      'of another tenant cover what is below them: %s',
      async (fqdn) => {
        const panel = await bench.panel()
        await withTenant(panel, 'acme')
        await withTenant(panel, 'other')
        await panel.run(domain.create, { tenant: 'acme', fqdn: 'example.com', aliases: ['alias.example.org'] })

        const error = await refusal(panel.run(domain.create, { tenant: 'other', fqdn }))
        expect(error).toMatchObject({ code: 'conflict', fields: [{ field: 'fqdn' }] })
        expect((await panel.run(domain.list, { tenant: 'other' })).items).toEqual([])
      },
    )

    it('of another tenant cannot be surrounded from above', async () => {
      const panel = await bench.panel()
      await withTenant(panel, 'acme')
      await withTenant(panel, 'other')
      await panel.run(domain.create, { tenant: 'acme', fqdn: 'deep.shop.example.com' })

      const error = await refusal(panel.run(domain.create, { tenant: 'other', fqdn: 'shop.example.com' }))
      const neighbour = await panel.run(domain.create, { tenant: 'other', fqdn: 'nodeep.example.com' })

      expect(error.message).toBe('Cannot create domain "shop.example.com": another tenant has "deep.shop.example.com"')
      expect(neighbour.id).toBeDefined()
    })

    it('of the panel are nobody’s', async () => {
      const panel = await bench.panel()
      const { id } = await withTenant(panel)

      for (const fqdn of ['panel.example.net', 'x.panel.example.net'])
        expect((await refusal(panel.run(domain.create, { tenant: 'acme', fqdn }))).code, fqdn).toBe('bad_input')
      const above = await refusal(panel.run(domain.create, { tenant: 'acme', fqdn: 'example.net' }, customerOf(id)))
      const machine = ['web1.example.net', 'x.web1.example.net', 'WEB1.example.net.'].map((fqdn) =>
        refusal(panel.run(domain.create, { tenant: 'acme', fqdn }, customerOf(id))),
      )
      for (const refused of machine) expect((await refused).code).toBe('bad_input')
      const byOperator = await panel.run(domain.create, { tenant: 'acme', fqdn: 'example.net' })

      expect(above.code).toBe('bad_input')
      expect(byOperator.id).toBeDefined()
    })

    it('cool off: whoever else wants them proves that they are his, even where no proofs are asked', async () => {
      const panel = await bench.panel()
      await withTenant(panel, 'acme', { domain: 'example.com' })
      const other = await withTenant(panel, 'other')
      const as = customerOf(other.id)
      await panel.run(settings.update, { key: 'domains.ask_proof', value: false })
      await panel.run(domain.remove, { domain: 'example.com' })
      await panel.work()

      const hot = await panel.run(domain.create, { tenant: 'other', fqdn: 'example.com' }, as)
      await panel.run(domain.remove, { domain: hot.id }, as)
      panel.passDays(30)
      const cool = await panel.run(domain.create, { tenant: 'other', fqdn: 'example.com' }, as)

      expect(hot).toMatchObject({ jobId: null, records: [{ name: '_wcp360-challenge.example.com' }] })
      expect(cool).toMatchObject({ jobId: expect.any(String), records: [] })
      expect((await refusal(panel.run(domain.restore, { domain: 'example.com' }))).code).toBe('conflict')
    })

    it('do not come back from the trash to a customer when another had them meanwhile', async () => {
      const panel = await bench.panel()
      const mine = await withTenant(panel, 'acme', { domain: 'example.com' })
      await withTenant(panel, 'other')
      await panel.run(domain.remove, { domain: 'example.com' })
      await panel.work()
      const between = await panel.run(domain.create, { tenant: 'other', fqdn: 'example.com' })
      await panel.work()
      await panel.run(domain.remove, { domain: between.id })
      await panel.work()
      const id = mine.domain?.id ?? ''

      const byCustomer = await refusal(panel.run(domain.restore, { domain: id }, customerOf(mine.id)))
      const byStaff = await panel.run(domain.restore, { domain: id })

      expect(byCustomer).toMatchObject({ code: 'conflict', fields: [{ field: 'fqdn' }] })
      expect(byStaff.id).toBe(id)
    })

    it('cannot be had by many at once', async () => {
      const panel = await bench.panel()
      const names = ['one', 'two', 'three', 'four', 'five']
      for (const name of names) await withTenant(panel, name)

      const tries = names.flatMap((name) =>
        ['race.example.com', 'sub.race.example.com'].map((fqdn) => panel.run(domain.create, { tenant: name, fqdn })),
      )
      const results = await Promise.allSettled(tries)

      const holders = new Set((await panel.run(domain.list, {})).items.map((one) => one.tenantName))
      expect(holders.size).toBe(1)
      expect(results.filter((one) => one.status === 'rejected').length).toBeGreaterThanOrEqual(names.length - 1)
    })
  })

  describe('limits', () => {
    it('lets exactly as many domains through as the package allows, of many at once', async () => {
      const panel = await bench.panel()
      await panel.run(packages.create, { name: 'small', maxDomains: 3 })
      await withTenant(panel)

      const tries = Array.from({ length: 20 }, (_, n) =>
        panel.run(domain.create, { tenant: 'acme', fqdn: `n${n}.example.com` }),
      )
      const results = await Promise.allSettled(tries)

      const reasons = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
      expect(reasons).toHaveLength(17)
      for (const reason of reasons) expect(reason).toMatchObject({ code: 'limit_reached', status: 409 })
      expect((await panel.run(tenant.get, { tenant: 'acme' })).domains).toBe(3)
    })

    it('of a new package go to the machine, or back when it refuses', async () => {
      const panel = await bench.panel()
      await withTenant(panel)
      await panel.run(packages.create, { name: 'large', memMb: 2048 })

      const { jobId } = await panel.run(tenant.update, { tenant: 'acme', package: 'large' })
      const payload = jobId && (await panel.stores(panel.db).jobs.find(jobId))?.payload
      await panel.work(() => true)

      expect(payload).toMatchObject({ limits: { memMb: 2048, cpuPct: null } })
      expect(await panel.run(tenant.get, { tenant: 'acme' })).toMatchObject({ packageName: 'basic', status: 'active' })
    })

    it('of a changed package reach every tenant that has it, busy ones later', async () => {
      const panel = await bench.panel()
      for (const name of ['one', 'two', 'three']) await withTenant(panel, name)
      await panel.run(tenant.suspend, { tenant: 'two' })
      await panel.run(tenant.remove, { tenant: 'three' })
      await panel.work((one) => one.type === 'none')
      await panel.run(tenant.unsuspend, { tenant: 'two' })

      const changed = await panel.run(packages.update, { package: 'basic', pids: 100 })
      const none = await panel.transaction(applyOwedLimits)
      await panel.work()
      await panel.run(tenant.restore, { tenant: 'three' })
      await panel.work()
      const later = await panel.transaction(applyOwedLimits)

      expect(changed.jobIds).toHaveLength(1)
      expect(none).toBe(0)
      expect(later).toBe(2)
      expect(await panel.work()).toEqual(['tenant.limit', 'tenant.limit'])
      expect((await panel.run(packages.update, { package: 'basic', description: 'words' })).jobIds).toEqual([])
    })

    it('keeps a tenant from a package that is too small for it', async () => {
      const panel = await bench.panel()
      await withTenant(panel, 'acme', { domain: 'a.example.com' })
      await panel.run(packages.create, { name: 'none', maxDomains: 0 })

      const error = await refusal(panel.run(tenant.update, { tenant: 'acme', package: 'none' }))

      expect(error.code).toBe('limit_reached')
    })
  })

  describe('packages', () => {
    it('makes the first one the default, and always has exactly one', async () => {
      const panel = await bench.panel()
      await panel.run(packages.create, { name: 'first' })
      await panel.run(packages.create, { name: 'second', isDefault: true })

      const defaults = (await panel.run(packages.list, {})).items.filter((one) => one.isDefault).map((one) => one.name)

      expect(defaults).toEqual(['second'])
      expect((await refusal(panel.run(packages.remove, { package: 'second' }))).message).toContain('it is the default')
    })

    it('cannot be deleted while a tenant has it, alive or in the trash', async () => {
      const panel = await bench.panel()
      await withTenant(panel)
      await panel.run(packages.create, { name: 'second', isDefault: true })
      const used = await refusal(panel.run(packages.remove, { package: 'basic' }))
      await panel.run(tenant.remove, { tenant: 'acme' })
      await panel.work()
      const stillUsed = await refusal(panel.run(packages.remove, { package: 'basic' }))

      expect(used.message).toBe('Cannot delete package "basic": 1 tenant has it')
      expect(stillUsed.code).toBe('conflict')
    })

    it('can be restored until its name is taken', async () => {
      const panel = await bench.panel()
      await panel.run(packages.create, { name: 'first' })
      const { id } = await panel.run(packages.create, { name: 'second' })
      await panel.run(packages.remove, { package: 'second' })
      await panel.run(packages.restore, { package: id })
      await panel.run(packages.remove, { package: 'second' })
      await panel.run(packages.create, { name: 'second' })

      expect(await refusal(panel.run(packages.restore, { package: id }))).toMatchObject({ code: 'conflict' })
    })
  })

  describe('the 30 days', () => {
    it('end with a purge of data and rows, and not a day earlier', async () => {
      const panel = await bench.panel()
      await withTenant(panel, 'acme', { domain: 'a.example.com' })
      await withTenant(panel, 'other', { domain: 'b.example.com' })
      await panel.run(tenant.remove, { tenant: 'acme' })
      await panel.run(domain.remove, { domain: 'b.example.com' })
      await panel.work()

      panel.passDays(29)
      const early = await panel.transaction(purgeExpired)
      panel.passDays(1)
      const due = await panel.transaction(purgeExpired)
      const again = await panel.transaction(purgeExpired)
      const done = await panel.work()

      expect([early.jobs, due.jobs, again.jobs]).toEqual([0, 2, 0])
      expect(done.toSorted()).toEqual(['domain.purge', 'tenant.purge'])
      expect((await refusal(panel.run(tenant.get, { tenant: 'acme' }))).code).toBe('not_found')
      expect(await panel.db.selectFrom('domains').select('id').execute()).toEqual([])
      expect(await panel.db.selectFrom('domain_names').select('id').execute()).toEqual([])
      const purge = (await panel.run(job.list, { type: 'tenant.purge' })).items[0]
      expect(purge).toMatchObject({ state: 'succeeded', resourceName: 'acme', tenantId: null })
    })

    it('leave in the trash what the machine could not purge, for another try', async () => {
      const panel = await bench.panel()
      await withTenant(panel)
      await panel.run(tenant.remove, { tenant: 'acme' })
      await panel.work()
      panel.passDays(31)
      await panel.transaction(purgeExpired)
      await panel.work(() => true)

      expect((await panel.transaction(purgeExpired)).jobs).toBe(1)
    })
  })

  describe('customers', () => {
    it('find their own tenant and domains, and nobody else’s', async () => {
      const panel = await bench.panel()
      const mine = await withTenant(panel, 'acme', { domain: 'a.example.com' })
      const theirs = await withTenant(panel, 'other', { domain: 'b.example.com' })
      const me = customerOf(mine.id)

      const hidden = [
        panel.run(tenant.get, { tenant: 'other' }, me),
        panel.run(tenant.get, { tenant: theirs.id }, me),
        panel.run(domain.get, { domain: 'b.example.com' }, me),
        panel.run(domain.suspend, { domain: 'b.example.com' }, me),
        panel.run(domain.remove, { domain: theirs.domain?.id ?? '' }, me),
        panel.run(domain.create, { tenant: 'other', fqdn: 'c.example.com' }, me),
        panel.run(domain.list, { tenant: 'other' }, me),
        panel.run(job.get, { job: theirs.jobId }, me),
        panel.run(job.cancel, { job: theirs.jobId }, me),
      ]

      for (const one of await Promise.all(hidden.map(refusal))) expect(one.code).toBe('not_found')
      expect((await panel.run(tenant.list, {}, me)).items.map((one) => one.name)).toEqual(['acme'])
      expect((await panel.run(domain.list, {}, me)).items.map((one) => one.fqdn)).toEqual(['a.example.com'])
      expect((await panel.run(job.list, {}, me)).items.every((one) => one.tenantName === 'acme')).toBe(true)
      expect((await panel.run(tenant.list, {}, root)).items).toHaveLength(2)
    })
  })

  describe('cron jobs', () => cronCases(bench))
})
