import { describe, expect, it } from 'vitest'
import type { Actor } from '../../src/resources/actor.ts'
import { acceptProof } from '../../src/resources/domain/proof.ts'
import type { AskedProof } from '../../src/resources/domain/proof-store.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { newId, type Panel, refusal } from './harness.ts'

const { tenant, domain, job, package: packages, settings } = slices

/** Tenants with a customer each. */
async function customers(panel: Panel, ...names: string[]): Promise<Actor[]> {
  await panel.run(packages.create, { name: 'basic' })
  const made: Actor[] = []
  for (const name of names) {
    const { id } = await panel.run(tenant.create, { name })
    const scope = { kind: 'local', tenant: id, user: newId() } as const
    made.push({ kind: 'user', id: scope.user, email: `${name}@example.org`, permissions: 'all', scope })
  }
  await panel.work()
  return made
}

const due = (panel: Panel) => panel.stores(panel.db).proofs.due(50)

async function dueFor(panel: Panel, actor: Actor): Promise<AskedProof> {
  const own = actor.kind === 'user' && actor.scope.kind === 'local' ? actor.scope.tenant : undefined
  const found = (await due(panel)).find(({ tenantId }) => tenantId === own)
  if (found === undefined) throw new Error('no proof is asked')
  return found
}

/** As the panel does when it has seen the record. */
const accept = (panel: Panel, proof: AskedProof) =>
  panel.transaction((context) => acceptProof(context, proof, { byStaff: false }))

const statusOf = async (panel: Panel, id: string) => (await panel.run(domain.get, { domain: id })).status

onBothStores('proofs of domains', (bench) => {
  describe('a customer’s new name', () => {
    it('is on the machine when it was proven, and not before', async () => {
      const panel = await bench.panel()
      const [me] = await customers(panel, 'acme')

      const made = await panel.run(domain.create, { tenant: 'acme', fqdn: 'shop.example.com' }, me)
      const before = await panel.run(domain.get, { domain: made.id }, me)
      const idle = await panel.work()
      const proof = await dueFor(panel, me as Actor)
      const [jobId] = await accept(panel, proof)
      const done = await panel.work()

      expect(made.jobId).toBeNull()
      expect(made.records).toEqual([
        {
          name: '_wcp360-challenge.shop.example.com',
          type: 'TXT',
          value: expect.stringMatching(/^wcp360-proof=[\w-]{43}$/),
        },
      ])
      expect(before).toMatchObject({ status: 'unverified', unproven: ['shop.example.com'], version: 0 })
      expect(idle).toEqual([])
      expect(done).toEqual(['domain.create'])
      expect((await panel.run(job.get, { job: jobId ?? '' })).resourceId).toBe(made.id)
      expect(await panel.run(domain.get, { domain: made.id }, me)).toMatchObject({ status: 'active', unproven: [] })
      expect((await panel.run(domain.proofs, { domain: made.id }, me)).items).toEqual([])
      expect(await due(panel)).toEqual([])
    })

    it('has one record for one tenant, whenever it is asked, and another for another', async () => {
      const panel = await bench.panel()
      const [me, other] = await customers(panel, 'acme', 'other')
      const ask = async (name: string, as: Actor | undefined) => {
        const { id, records } = await panel.run(domain.create, { tenant: name, fqdn: 'example.com' }, as)
        await panel.run(domain.remove, { domain: id }, as)
        return records[0]?.value
      }

      const [first, again, anothers] = [await ask('acme', me), await ask('acme', me), await ask('other', other)]

      expect(again).toBe(first)
      expect(anothers).not.toBe(first)
    })

    it('is served at once when staff makes it, vouches for it, or asks for no proofs', async () => {
      const panel = await bench.panel()
      const [me] = await customers(panel, 'acme')
      const byStaff = await panel.run(domain.create, { tenant: 'acme', fqdn: 'a.example.org' })
      const asked = await panel.run(domain.create, { tenant: 'acme', fqdn: 'b.example.net' }, me)
      const vouched = await panel.run(domain.vouch, { domain: asked.id })
      const third = await panel.run(domain.create, { tenant: 'acme', fqdn: 'c.example.com' }, me)
      const again = await panel.run(domain.create, { tenant: 'acme', fqdn: 'c.example.com' })
      await panel.run(settings.update, { key: 'domains.ask_proof', value: 'false' })
      const unasked = await panel.run(domain.create, { tenant: 'acme', fqdn: 'd.example.edu' }, me)

      expect([byStaff.records, again.records, unasked.records]).toEqual([[], [], []])
      expect(again.id).toBe(third.id)
      expect(await panel.work()).toEqual(Array(4).fill('domain.create'))
      expect(vouched.jobId).not.toBeNull()
      expect((await refusal(panel.run(domain.vouch, { domain: asked.id }))).code).toBe('conflict')
      expect((await refusal(panel.run(domain.verify, { domain: asked.id }, me))).code).toBe('conflict')
    })

    it('needs no proof below a name that the tenant has, and one record covers what is asked below it', async () => {
      const panel = await bench.panel()
      const [me] = await customers(panel, 'acme')
      await panel.run(domain.create, { tenant: 'acme', fqdn: 'example.org' })

      const below = await panel.run(domain.create, { tenant: 'acme', fqdn: 'shop.example.org' }, me)
      const aliases = ['example.edu', 'cdn.www.example.edu', 'example.com']
      const many = await panel.run(domain.create, { tenant: 'acme', fqdn: 'www.example.edu', aliases }, me)
      const proof = (await due(panel)).find(({ name }) => name === 'example.edu')
      await accept(panel, proof as AskedProof)

      expect(below).toMatchObject({ jobId: expect.any(String), records: [] })
      expect(many.records.map(({ name }) => name)).toEqual([
        '_wcp360-challenge.example.com',
        '_wcp360-challenge.example.edu',
      ])
      expect(await panel.run(domain.get, { domain: many.id })).toMatchObject({
        status: 'pending',
        aliases: ['cdn.www.example.edu', 'example.com', 'example.edu'],
        unproven: ['example.com'],
      })
      const [{ id } = { id: '' }] = (await panel.run(job.list, { resource: many.id })).items
      const { payload } = await panel.db
        .selectFrom('jobs')
        .select('payload')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      expect(JSON.parse(payload).aliases).toEqual(['cdn.www.example.edu', 'example.edu'])
    })

    it('is one of twenty a day, whatever became of the others', async () => {
      const panel = await bench.panel()
      const [me, other] = await customers(panel, 'acme', 'other')
      const ask = (number: number, as = me, name = 'acme') =>
        panel.run(domain.create, { tenant: name, fqdn: `n${number}.example${number}.com` }, as)
      for (let number = 1; number <= 19; number++) {
        const { id } = await ask(number)
        await panel.run(domain.remove, { domain: id }, me)
      }
      const last = await ask(20)

      const refused = await refusal(ask(21))
      const byAlias = await refusal(
        panel.run(domain.create, { tenant: 'acme', fqdn: 'n20.example20.com', aliases: ['example.org'] }, me),
      )
      const again = [(await ask(1)).jobId, (await ask(20)).id]
      const staff = await panel.run(domain.create, { tenant: 'acme', fqdn: 'staff.example.org' })
      const others = await ask(22, other, 'other')
      panel.passDays(1)
      const tomorrow = await ask(21)

      expect(refused).toMatchObject({ code: 'too_many_requests', details: { retryAfterSeconds: expect.any(Number) } })
      expect(refused.help).toContain('domains.claims_per_day')
      expect(byAlias.code).toBe('too_many_requests')
      expect(again).toEqual([null, last.id])
      expect([staff.records, others.records.length, tomorrow.records.length]).toEqual([[], 1, 1])
      await panel.run(settings.update, { key: 'domains.claims_per_day', value: '1' })
      expect((await refusal(ask(23))).code).toBe('too_many_requests')
    })

    it('cannot be proven when no record has room', async () => {
      const panel = await bench.panel()
      const [me] = await customers(panel, 'acme')
      const fqdn = [...Array(4).fill('a'.repeat(56)), 'example', 'com'].join('.')

      expect(await refusal(panel.run(domain.create, { tenant: 'acme', fqdn }, me))).toMatchObject({
        code: 'bad_input',
        fields: [{ field: 'fqdn' }],
      })
      expect((await panel.run(domain.create, { tenant: 'acme', fqdn })).jobId).not.toBeNull()
    })

    it('can be asked for again with other aliases, counts against the limit, and leaves no trace when it is deleted', async () => {
      const panel = await bench.panel()
      const [me] = await customers(panel, 'acme')
      await panel.run(packages.update, { package: 'basic', maxDomains: 1 })
      await panel.work()

      const first = await panel.run(domain.create, { tenant: 'acme', fqdn: 'example.com' }, me)
      const again = await panel.run(
        domain.create,
        { tenant: 'acme', fqdn: 'example.com', aliases: ['www.example.com'] },
        me,
      )
      const update = await refusal(panel.run(domain.update, { domain: first.id, aliases: [] }, me))
      const more = await refusal(panel.run(domain.create, { tenant: 'acme', fqdn: 'example.org' }, me))
      const gone = await panel.run(domain.remove, { domain: first.id }, me)

      expect(again.id).toBe(first.id)
      expect(again.records).toHaveLength(1)
      expect(update).toMatchObject({ code: 'conflict', help: expect.stringContaining('Prove') })
      expect(more.code).toBe('limit_reached')
      expect(gone).toEqual({ id: first.id, jobId: null })
      expect((await panel.run(domain.list, { deleted: true })).items).toEqual([])
      expect(await panel.db.selectFrom('domain_names').select('id').execute()).toEqual([])
      await panel.stores(panel.db).proofs.forgetUnused()
      expect(await panel.db.selectFrom('domain_proofs').select('id').execute()).toEqual([])
    })
  })

  describe('who waits', () => {
    it('keeps nobody from the name, and does not get it after another', async () => {
      const panel = await bench.panel()
      const [one, two] = await customers(panel, 'one', 'two', 'third')
      const first = await panel.run(domain.create, { tenant: 'one', fqdn: 'bank.example.com' }, one)
      const second = await panel.run(domain.create, { tenant: 'two', fqdn: 'bank.example.com' }, two)
      const proofs = [await dueFor(panel, one as Actor), await dueFor(panel, two as Actor)] as const

      await accept(panel, proofs[1])
      const late = await refusal(accept(panel, proofs[0]))
      await panel.work()

      expect(late.code).toBe('conflict')
      expect(await statusOf(panel, first.id)).toBe('unverified')
      expect(await statusOf(panel, second.id)).toBe('active')
      expect((await panel.run(domain.get, { domain: 'bank.example.com' })).id).toBe(second.id)
      expect((await panel.run(domain.get, { domain: 'bank.example.com' }, one)).id).toBe(first.id)
      expect(await dueFor(panel, one as Actor)).toMatchObject({ name: 'bank.example.com' })
    })

    it.each([
      ['above', 'example.com'],
      ['at', 'shop.example.com'],
      ['below', 'deep.shop.example.com'],
    ])('loses to who gets a name %s', async (_where, taken) => {
      const panel = await bench.panel()
      const [me] = await customers(panel, 'acme', 'other')
      await panel.run(domain.create, { tenant: 'acme', fqdn: 'shop.example.com' }, me)
      await panel.run(domain.create, { tenant: 'other', fqdn: taken })

      const error = await refusal(accept(panel, await dueFor(panel, me as Actor)))

      expect(error.code).toBe('conflict')
      expect(error.message).not.toContain('deep.')
    })

    it('goes to the trash with the tenant and waits again when it is brought back', async () => {
      const panel = await bench.panel()
      const [me, other] = await customers(panel, 'acme', 'other')
      const { id } = await panel.run(domain.create, { tenant: 'acme', fqdn: 'example.com' }, me)
      const proof = await dueFor(panel, me as Actor)

      await panel.run(tenant.remove, { tenant: 'acme' })
      await panel.work()
      const inTrash = await due(panel)
      await accept(panel, proof)
      const free = await panel.run(domain.create, { tenant: 'other', fqdn: 'example.com' }, other)
      await panel.run(tenant.restore, { tenant: 'acme' })
      await panel.work()

      expect(inTrash).toEqual([])
      expect(free.records).toHaveLength(1)
      expect(await panel.run(domain.get, { domain: id })).toMatchObject({
        status: 'unverified',
        unproven: ['example.com'],
      })
      expect(await dueFor(panel, me as Actor)).toMatchObject({ name: 'example.com' })
    })

    it('is put off while the domain has a job', async () => {
      const panel = await bench.panel()
      const [me] = await customers(panel, 'acme')
      const { id } = await panel.run(domain.create, { tenant: 'acme', fqdn: 'example.com' })
      await panel.work()
      await panel.run(domain.update, { domain: id, aliases: ['example.org'] }, me)

      const busy = await refusal(accept(panel, await dueFor(panel, me as Actor)))
      await panel.work()
      const jobs = await accept(panel, await dueFor(panel, me as Actor))

      expect(busy.code).toBe('busy')
      expect(jobs).toHaveLength(1)
    })
  })

  describe('aliases of a domain that is there', () => {
    it('wait for their proof while the site goes on, and wait again when the machine could not take them', async () => {
      const panel = await bench.panel()
      const [me] = await customers(panel, 'acme')
      const { id } = await panel.run(domain.create, { tenant: 'acme', fqdn: 'example.com' })
      await panel.work()

      const aliases = ['www.example.com', 'example.org']
      const changed = await panel.run(domain.update, { domain: id, aliases }, me)
      const told = await panel.work()
      await accept(panel, await dueFor(panel, me as Actor))
      const proven = await panel.run(domain.get, { domain: id })
      await panel.work(() => true)
      const failed = await panel.run(domain.get, { domain: id })
      const waitsUntil = (await panel.run(domain.proofs, { domain: id }, me)).items[0]?.nextTryAt ?? ''
      panel.clock.now += 2 * 3_600_000
      await accept(panel, await dueFor(panel, me as Actor))
      await panel.work()

      expect(changed.records.map(({ name }) => name)).toEqual(['_wcp360-challenge.example.org'])
      expect(told).toEqual(['domain.update'])
      expect(proven).toMatchObject({ status: 'deploying', unproven: [] })
      expect(failed).toMatchObject({
        status: 'active',
        aliases: ['example.org', 'www.example.com'],
        unproven: ['example.org'],
      })
      expect(Date.parse(waitsUntil) - Date.parse(failed.updatedAt)).toBeGreaterThan(3_500_000)
      expect(await panel.run(domain.get, { domain: id })).toMatchObject({ status: 'active', unproven: [] })
    })

    it('are given up by leaving them out', async () => {
      const panel = await bench.panel()
      const [me] = await customers(panel, 'acme')
      const { id } = await panel.run(domain.create, { tenant: 'acme', fqdn: 'example.com' })
      await panel.work()
      await panel.run(domain.update, { domain: id, aliases: ['example.org'] }, me)
      await panel.work()

      const { records } = await panel.run(domain.update, { domain: id, aliases: [] }, me)

      expect(records).toEqual([])
      expect(await panel.run(domain.get, { domain: id })).toMatchObject({ aliases: [], unproven: [] })
      expect(await due(panel)).toEqual([])
    })
  })

  describe('the looks at the DNS', () => {
    const missing = { outcome: 'absent', detail: 'no such\nname' } as const

    async function asked(panel: Panel) {
      const [me] = await customers(panel, 'acme')
      const { id } = await panel.run(domain.create, { tenant: 'acme', fqdn: 'example.com' }, me)
      const proofs = () => panel.stores(panel.db).proofs
      const shown = async () => (await panel.run(domain.proofs, { domain: id }, me)).items[0]
      return { me, id, proofs, shown }
    }
    const inMs = (panel: Panel, ms: number) => new Date(panel.clock.now + ms).toISOString()

    it('are begun by one of many, and again when it ended meanwhile', async () => {
      const panel = await bench.panel()
      const { proofs } = await asked(panel)
      const [proof] = await due(panel)

      const begun = [await proofs().begin(proof as AskedProof), await proofs().begin(proof as AskedProof)]

      expect(begun).toEqual([true, false])
      expect(await due(panel)).toEqual([])
      panel.clock.now += 61_000
      expect(await due(panel)).toMatchObject([{ tries: 1 }])
    })

    it('are told with the newest first, and few are kept', async () => {
      const panel = await bench.panel()
      const { proofs, shown } = await asked(panel)
      const [proof] = await due(panel)
      for (let n = 1; n <= 25; n++)
        await proofs().tried(proof as AskedProof, { ...missing, detail: `look\n${n}` }, inMs(panel, 60_000))

      expect((await shown())?.tries.map(({ detail }) => detail)).toEqual([25, 24, 23, 22, 21].map((n) => `look ${n}`))
      const kept = await panel.db.selectFrom('domain_proof_tries').select('id').execute()
      expect(kept).toHaveLength(20)
    })

    it('wait as long as they were told, and are due when somebody asks, but not twice in ten seconds', async () => {
      const panel = await bench.panel()
      const { me, id, proofs } = await asked(panel)
      const [proof] = await due(panel)
      await proofs().begin(proof as AskedProof)
      await proofs().tried(proof as AskedProof, missing, inMs(panel, 3_600_000))

      const waiting = await due(panel)
      await panel.run(domain.verify, { domain: id }, me)
      const resting = await due(panel)
      panel.clock.now += 10_000

      expect([waiting, resting]).toEqual([[], []])
      expect(await due(panel)).toHaveLength(1)
    })

    it('end some day, and go on when somebody asks', async () => {
      const panel = await bench.panel()
      const { me, id, proofs, shown } = await asked(panel)
      const [proof] = await due(panel)
      await proofs().tried(proof as AskedProof, missing, null)
      panel.passDays(300)

      expect(await due(panel)).toEqual([])
      expect((await shown())?.nextTryAt).toBeNull()
      await panel.run(domain.verify, { domain: id }, me)
      expect(await due(panel)).toHaveLength(1)
    })

    it('are not lost when the clock was years ahead once', async () => {
      const panel = await bench.panel()
      const { proofs } = await asked(panel)
      const [proof] = await due(panel)
      panel.passDays(3650)
      await proofs().begin(proof as AskedProof)
      await proofs().tried(proof as AskedProof, missing, inMs(panel, 86_400_000))

      panel.passDays(-3650)

      expect(await due(panel)).toHaveLength(1)
    })
  })
})
