/** What the panel's own work needs attention for: webhooks that take nothing, mails that were given up, a trail that is not whole. */
import { describe, expect, it, vi } from 'vitest'
import { auditTrouble } from '../../src/resources/audit/conditions.ts'
import type { ConditionSource } from '../../src/resources/condition-source.ts'
import { failedMails } from '../../src/resources/mail/conditions.ts'
import { failingWebhooks } from '../../src/resources/webhook/conditions.ts'
import type { WebhookStore } from '../../src/resources/webhook/store.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { newId, type Panel } from './harness.ts'

const { webhook, package: packages } = slices
const minute = 60_000
const day = 1440 * minute

onBothStores('conditions of the panel’s own work', (bench) => {
  const stores = (panel: Panel) => panel.stores(panel.db)
  const away = { audit: () => Promise.reject(new Error('the root side is away')) }
  const found = async (panel: Panel, { find }: ConditionSource, machine: object = away) =>
    await find({
      ...{ now: new Date(panel.clock.now).toISOString(), stores: stores(panel), agentTrouble: undefined },
      ...{ machine: machine as typeof away, health: async () => null },
    })

  describe('of webhooks', () => {
    async function failing() {
      const panel = await bench.panel()
      await panel.run(packages.create, { name: 'basic' })
      const url = 'https://hooks.example.com/'
      const { id } = await panel.run(webhook.create, { name: 'ops', url, events: ['*'] })
      await stores(panel).webhooks.emit({ type: 'condition.raised', data: {} })
      const [delivery] = await stores(panel).webhooks.due(10, 10)
      if (delivery === undefined) throw new Error('nothing is due')
      const at = new Date(panel.clock.now).toISOString()
      const attempt: Parameters<WebhookStore['refused']>[1] = { at, ms: 1, status: 500, problem: 'the answer was 500' }
      const refuse = () => stores(panel).webhooks.refused(delivery, attempt, at)
      return { panel, id, delivery, refuse, attempt }
    }

    it('begin after a while of refusals, and are over with the first that is taken', async () => {
      const { panel, id, delivery, refuse, attempt } = await failing()
      expect(await found(panel, failingWebhooks)).toEqual([])

      await refuse()
      panel.clock.now += 14 * minute
      expect(await found(panel, failingWebhooks)).toEqual([])
      panel.clock.now += 2 * minute
      expect(await found(panel, failingWebhooks)).toMatchObject([
        { subject: id, severity: 'warning', title: 'Webhook ops takes nothing', page: `/webhooks/${id}` },
      ])

      const [again] = await stores(panel).webhooks.due(10, 10)
      await stores(panel).webhooks.delivered(again ?? delivery, { ...attempt, status: 204, problem: null })
      expect(await found(panel, failingWebhooks)).toEqual([])
    })
  })

  it('of mails are those that were given up in the last days', async () => {
    const panel = await bench.panel()
    const { mails } = stores(panel)
    const id = await mails.queue('conditions', 'ann@example.com', null, ['critical: it is down'])
    await mails.refused(id, 'connection refused', new Date(panel.clock.now + minute).toISOString())
    expect(await found(panel, failedMails)).toEqual([])

    await mails.refused(id, 'connection refused', null)
    expect(await found(panel, failedMails)).toMatchObject([
      { subject: 'failed', severity: 'warning', detail: 'connection refused', page: '/mails?state=failed' },
    ])
    panel.clock.now += 3 * day
    expect(await found(panel, failedMails)).toEqual([])
  })

  describe('of the trail', () => {
    async function withTrail() {
      const panel = await bench.panel()
      const entry = { actor: 'root', actorId: null, tenantId: null, outcome: 'ok' as const, ip: null, requestId: null }
      for (const action of ['package.create', 'package.delete'])
        await panel.transaction((context) =>
          context.audit.append({ ...entry, id: newId(), at: context.now, action, metadata: {} }),
        )
      return panel
    }

    it('are none while it is whole, whether the root side is there or away', async () => {
      const panel = await withTrail()
      const there = { audit: async () => ({ ok: true, checkpoints: [], problems: [] }) }

      expect([await found(panel, auditTrouble), await found(panel, auditTrouble, there)]).toEqual([[], []])
    })

    it('are looked for with a rest after each part of the trail', async () => {
      const panel = await withTrail()
      const verify = vi.fn(stores(panel).audit.verify)
      const audit = { ...stores(panel).audit, verify }

      await auditTrouble.find({
        ...{ now: new Date(panel.clock.now).toISOString(), stores: { audit } as never },
        ...{ machine: away as never, health: async () => null, agentTrouble: undefined },
      })

      expect(verify).toHaveBeenCalledWith([], expect.any(Function))
    })

    it('are an entry that was changed', async () => {
      const panel = await withTrail()
      await panel.db.updateTable('audit_logs').set({ actor: 'nobody' }).where('sequence', '=', 1).execute()

      expect(await found(panel, auditTrouble)).toMatchObject([
        { subject: 'trail', severity: 'critical', title: 'The audit trail is not whole', page: '/audit/verify' },
      ])
    })

    it('are what the root side has otherwise, in its words', async () => {
      const panel = await withTrail()
      const audit = async () => ({ ok: false, checkpoints: [], problems: [{ message: 'line 7 was changed' }] })

      expect(await found(panel, auditTrouble, { audit })).toMatchObject([
        { severity: 'critical', detail: 'line 7 was changed' },
      ])
    })
  })
})
