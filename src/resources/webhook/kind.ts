/** Addresses that are told what happens, by signed HTTPS calls. */
import { type Badge, type Section, statusBadge, type Table } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import { failingWebhooks } from './conditions.ts'
import * as operations from './operations.ts'
import { Delivery, Webhook } from './schema.ts'
import { webhookStore } from './store.ts'

const words = {
  one: 'webhook',
  many: 'Webhooks',
  lede: 'Addresses that are told what happens, by signed HTTPS calls.',
  add: 'New webhook',
  none: 'No webhooks',
  noneText: 'A webhook tells another program when jobs end and when something is changed.',
  off: 'off',
  failing: 'failing',
  offBecause: 'Switched off because',
  failingSince: 'Failing since',
  deliveries: 'Deliveries',
  noDeliveries: 'Nothing was sent yet.',
  event: 'Event',
  times: 'tries',
  before: 'more just like it before',
  notYet: 'not tried yet',
  test: 'Send a test',
  redeliver: 'Send again',
  states: { queued: 'waiting', succeeded: 'delivered', failed: 'failed' },
}
type Words = typeof words

export const webhook = defineKind({
  name: 'webhook',
  words,
  path: '/webhooks',
  menu: { group: 'settings', icon: 'webhook' },
  item: Webhook,
  columns: ({ t, words }) => [
    { title: label(t, 'name'), cell: ({ id, name, url }) => ({ text: name, href: `/webhooks/${id}`, sub: url }) },
    { title: label(t, 'status'), cell: (one) => ({ badge: badgeOf(one, words) }) },
    { title: label(t, 'events'), wide: true, cell: ({ events }) => ({ text: events.join(', ') }) },
  ],
  detail: {
    ref: ({ id }) => id,
    async page(one, { t, words, may, some }) {
      const sent = await some('webhook.deliveries', { webhook: one.id, limit: 50 }, Delivery)
      const deliveries = deliveryTable(t, words, one, sent, one.deletedAt === null && may('webhook.redeliver'))
      return {
        title: one.name,
        status: badgeOf(one, words),
        more: one.deletedAt === null && may('webhook.test') ? [{ title: words.test, operation: 'webhook.test' }] : [],
        sections: [
          { title: words.deliveries, table: deliveries, empty: words.noDeliveries },
          { ...webhookFacts(t, words, one), isAside: true },
        ],
      }
    },
  },
  conditions: [failingWebhooks],
  stores: { webhooks: (db, material) => webhookStore(db, material, material.keys.seal) },
  purge: async ({ webhooks }, moment) => ({ jobs: 0, rows: await webhooks.purgeDeletedBefore(moment) }),
  operations,
})

function badgeOf({ isActive, failingSince, deletedAt }: Webhook, { off, failing }: Words): Badge {
  if (deletedAt !== null) return statusBadge('deleted')
  if (!isActive) return { text: off, tone: 'idle' }
  return failingSince === null ? statusBadge('active') : { text: failing, tone: 'bad' }
}

function webhookFacts(t: Texts, own: Words, one: Webhook): Section {
  return {
    title: t.job.about,
    facts: [
      { title: label(t, 'url'), code: one.url },
      { title: label(t, 'events'), text: one.events.join(', ') },
      ...(one.disabledReason === null ? [] : [{ title: own.offBecause, text: one.disabledReason }]),
      ...(one.failingSince === null ? [] : [{ title: own.failingSince, time: one.failingSince }]),
      { title: label(t, 'createdAt'), time: one.createdAt },
      ...(one.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: one.deletedAt }]),
      { title: label(t, 'id'), code: one.id },
    ],
  }
}

/** @param mayResend with the buttons for it */
function deliveryTable(
  t: Texts,
  own: Words,
  { id: webhook }: Webhook,
  deliveries: readonly Delivery[],
  mayResend: boolean,
): Table {
  const resend = (delivery: string) =>
    `/do/webhook.redeliver${query({ webhook, delivery, _back: `/webhooks/${webhook}` })}`
  return {
    caption: own.deliveries,
    columns: [
      { title: own.event },
      { title: label(t, 'state') },
      { title: label(t, 'createdAt'), wide: true },
      { title: own.redeliver, hidden: true, number: true },
    ],
    rows: likeEachOther(deliveries).map(([one, ...before]) => [
      { text: one.event, sub: subOf(own, one, before.length) },
      { badge: statusBadge(one.state === 'delivered' ? 'succeeded' : one.state, own.states) },
      { time: one.createdAt },
      mayResend && one.state !== 'queued'
        ? { text: own.redeliver, href: resend(one.id), label: one.event }
        : { text: '' },
    ]),
  }
}

/** Runs of deliveries that say the same, the newest of each first. */
function likeEachOther(deliveries: readonly Delivery[]): [Delivery, ...Delivery[]][] {
  const runs: [Delivery, ...Delivery[]][] = []
  for (const one of deliveries) {
    const run = runs.at(-1)
    if (run !== undefined && sameness(run[0]) === sameness(one)) run.push(one)
    else runs.push([one])
  }
  return runs
}

/** How long an answer took makes no difference. */
function sameness({ event, state, attempts, tries }: Delivery): string {
  const { status = null, problem = null } = tries.at(-1) ?? {}
  return JSON.stringify([event, state, attempts, status, problem])
}

function subOf(own: Words, one: Delivery, before: number): string {
  const parts = [lastTry(own, one), `${one.attempts} ${own.times}`, ...(before > 0 ? [`${before} ${own.before}`] : [])]
  return parts.join(' · ')
}

function lastTry(own: Words, { tries }: Delivery): string {
  const last = tries.at(-1)
  if (last === undefined) return own.notYet
  return last.problem ?? `HTTP ${last.status}, ${last.ms} ms`
}
