/** The outbox of webhooks, and answers that are kept for calls that come again, on both stores. */
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { idempotency } from '../../src/panel/operations/idempotency.ts'
import { purgeExpired } from '../../src/resources/upkeep.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { newId, type Panel, refusal, root } from './harness.ts'

const { webhook, tenant, package: packages } = slices

onBothStores('the outbox of webhooks', (bench) => {
  const hooks = (panel: Panel) => panel.stores(panel.db).webhooks
  const url = 'https://hooks.example.com/wcp360'

  async function withHook(events: string[]) {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic' })
    const { id } = await panel.run(webhook.create, { name: 'ops', url, events })
    return { panel, id }
  }

  it('has one delivery for the end of each job, also of those that failed or were silent', async () => {
    const { panel, id } = await withHook(['job.*'])
    for (const name of ['one', 'two', 'three']) await panel.run(tenant.create, { name })
    const [silent] = await panel.stores(panel.db).jobs.nextRunnable(1)
    await panel.stores(panel.db).jobs.delivered(silent?.id ?? newId())
    await panel.stores(panel.db).jobs.accepted(silent?.id ?? newId(), ['step'])
    await panel.stores(panel.db).jobs.stalled(silent?.id ?? newId())
    await panel.work((job) => JSON.stringify(job.payload).includes('two'))

    const { items } = await panel.run(webhook.deliveries, { webhook: id })
    expect(items.map(({ event }) => event).sort()).toEqual(['job.failed', 'job.stalled', 'job.succeeded'])
    expect(items.map(({ body }) => JSON.parse(body).data.resource.name).sort()).toEqual(['one', 'three', 'two'])
  })

  it('gives what is due, keeps each try, and ends', async () => {
    const { panel, id } = await withHook(['*'])
    for (const type of ['a.b', 'c.d']) await hooks(panel).emit({ type, data: {} })
    const [first, second, ...more] = await hooks(panel).due(10, 5)
    expect(more).toEqual([])
    if (first === undefined || second === undefined) throw new Error('nothing is due')
    expect(first).toMatchObject({ webhook: id, url, attempts: 0, failingSince: null })
    expect(first.secret).toHaveLength(32)
    const attempt = { at: '2026-03-01T12:00:00.000Z', ms: 5, status: 500, problem: 'it answered 500\0' }
    await hooks(panel).refused(first, attempt, '2999-01-01T00:00:00.000Z')
    await hooks(panel).delivered(second, { ...attempt, status: 200, problem: null })

    const { items } = await panel.run(webhook.deliveries, { webhook: 'ops' })
    expect(items.find((one) => one.id === first.id)).toMatchObject({ state: 'queued', attempts: 1, tries: [{ ms: 5 }] })
    expect(items.find((one) => one.id === second.id)).toMatchObject({ state: 'delivered', nextTryAt: null })
    expect(await hooks(panel).due(10, 5)).toEqual([])
    expect((await panel.run(webhook.get, { webhook: 'ops' })).failingSince).toBe(attempt.at)
    panel.passDays(31)
    await hooks(panel).purgeEndedBefore(new Date(panel.clock.now - 30 * 86_400_000).toISOString())
    expect((await panel.run(webhook.deliveries, { webhook: 'ops' })).items).toHaveLength(1)
    await panel.run(webhook.remove, { webhook: 'ops' })
    expect(await panel.db.selectFrom('webhook_deliveries').selectAll().execute()).toEqual([])
  })

  it('has nothing for a webhook in the trash, which comes back with its secret unless its name was taken', async () => {
    const { panel, id } = await withHook(['*'])
    const secret = async () => {
      await hooks(panel).emit({ type: 'a.b', data: {} })
      return (await hooks(panel).due(10, 1)).map((due) => due.secret.toString('hex'))
    }
    const [before] = await secret()
    await panel.run(webhook.remove, { webhook: 'ops' })
    const trashed = await panel.run(webhook.list, { deleted: true })
    const meanwhile = await secret()
    const { id: second } = await panel.run(webhook.create, { name: 'ops', url, events: ['tenant.*'] })
    const taken = await refusal(panel.run(webhook.restore, { webhook: id }))
    await panel.run(webhook.remove, { webhook: second })
    await panel.run(webhook.restore, { webhook: id })

    expect(trashed.items).toMatchObject([{ id, name: 'ops', deletedAt: expect.any(String) }])
    expect(await panel.run(webhook.get, { webhook: id })).toMatchObject({ name: 'ops', deletedAt: null, events: ['*'] })
    expect([meanwhile, taken.code, await secret()]).toEqual([[], 'conflict', [before]])
    panel.passDays(31)
    await panel.transaction((context) => purgeExpired(context))
    expect(await refusal(panel.run(webhook.restore, { webhook: second }))).toMatchObject({ code: 'not_found' })
    expect(await panel.run(webhook.get, { webhook: 'ops' })).toMatchObject({ id })
  })

  it('is as it was when the transaction ends badly', async () => {
    const { panel } = await withHook(['*'])
    const undone = panel.db.transaction().execute(async (tx) => {
      await panel.stores(tx).webhooks.emit({ type: 'a.b', data: {} })
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')

    expect(await hooks(panel).due(10, 5)).toEqual([])
  })
})

onBothStores('kept answers', (bench) => {
  describe('of a call that comes many times at once', () => {
    it('are one answer, whichever panel takes the call', async () => {
      const panel = await bench.panel()
      const keys = { seal: randomBytes(32), codes: randomBytes(32) }
      let made = 0
      // Each has memory of its own, as two panels over one store have.
      const call = async () => {
        const answers = idempotency(keys)
        const claim = answers.claim(root, packages.create, { name: 'basic' }, 'key')
        return await panel.db.transaction().execute(async (tx) => {
          const before = await answers.find(tx, claim)
          if (before) return before.value
          const outcome = { value: { number: ++made }, jobIds: [] }
          await answers.keep(tx, claim, outcome)
          return outcome.value
        })
      }

      const answers = await Promise.all(Array.from({ length: 6 }, call))
      expect(answers).toEqual(Array(6).fill({ number: 1 }))
    })
  })
})
