/** Webhooks as people see them. */
import { type Badge, type Section, statusBadge, type Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { Delivery, Webhook } from './schema.ts'

export function webhookBadge(t: Texts, { isActive, failingSince }: Webhook): Badge {
  if (!isActive) return { text: t.webhooks.off, tone: 'idle' }
  return failingSince === null ? statusBadge('active') : { text: t.webhooks.failing, tone: 'bad' }
}

export function webhookTable(t: Texts, webhooks: readonly Webhook[]): Table {
  return {
    caption: t.webhooks.title,
    columns: [{ title: label(t, 'name') }, { title: label(t, 'status') }, { title: label(t, 'events'), wide: true }],
    rows: webhooks.map((one) => [
      { text: one.name, href: `/webhooks/${one.id}`, sub: one.url },
      { badge: webhookBadge(t, one) },
      { text: one.events.join(', ') },
    ]),
  }
}

export function webhookFacts(t: Texts, one: Webhook): Section {
  return {
    title: t.job.about,
    facts: [
      { title: label(t, 'url'), code: one.url },
      { title: label(t, 'events'), text: one.events.join(', ') },
      ...(one.disabledReason === null ? [] : [{ title: t.webhooks.offBecause, text: one.disabledReason }]),
      ...(one.failingSince === null ? [] : [{ title: t.webhooks.failingSince, time: one.failingSince }]),
      { title: label(t, 'createdAt'), time: one.createdAt },
      { title: label(t, 'id'), code: one.id },
    ],
  }
}

/** @param webhook whose they are; `mayResend`: with the buttons for it */
export function deliveryTable(
  t: Texts,
  webhook: Webhook,
  deliveries: readonly Delivery[],
  { mayResend }: { mayResend: boolean },
): Table {
  return {
    caption: t.webhooks.deliveries,
    columns: [
      { title: t.webhooks.event },
      { title: label(t, 'state') },
      { title: label(t, 'createdAt'), wide: true },
      { title: t.webhooks.redeliver, hidden: true, number: true },
    ],
    rows: deliveries.map((one) => [
      { text: one.event, sub: `${lastTry(t, one)} · ${one.attempts} ${t.webhooks.times}` },
      { badge: statusBadge(one.state === 'delivered' ? 'succeeded' : one.state, t.webhooks.states) },
      { time: one.createdAt },
      mayResend && one.state !== 'queued'
        ? {
            text: t.webhooks.redeliver,
            href: `/do/webhook.redeliver?webhook=${webhook.id}&delivery=${one.id}&_back=/webhooks/${webhook.id}`,
            label: one.event,
          }
        : { text: '' },
    ]),
  }
}

function lastTry(t: Texts, { tries }: Delivery): string {
  const last = tries.at(-1)
  if (last === undefined) return t.webhooks.notYet
  return last.problem ?? `HTTP ${last.status}, ${last.ms} ms`
}
