import { expect, it } from 'vitest'
import type { Id } from '../../contract/values.ts'
import { english } from '../index.ts'
import { type Look, wordsOf } from '../kind.ts'
import { webhook } from './kind.ts'
import type { Delivery, Webhook } from './schema.ts'

const id = '00000000-0000-4000-8000-000000000001' as Id
const at = '2026-01-02T03:04:05.000Z'
const one: Webhook = {
  ...{ id, name: 'ops', url: 'https://hooks.example.com/', events: ['*'], isActive: true, disabledReason: null },
  ...{ failingSince: null, createdAt: at, updatedAt: at, deletedAt: null },
}

function delivery(event: string, status: number, ms: number): Delivery {
  const tries = [{ at, ms, status, problem: null }]
  return {
    id,
    event,
    state: status < 300 ? 'delivered' : 'failed',
    attempts: 1,
    body: '',
    createdAt: at,
    nextTryAt: null,
    tries,
  }
}

it('shows deliveries that are alike, one after the other, as one row that says how many there are', async () => {
  const sent = [
    ...Array.from({ length: 48 }, (_, ms) => delivery('tenant.create', 204, ms)),
    delivery('tenant.create', 500, 7),
    delivery('job.failed', 204, 7),
  ]
  const words = wordsOf(english, webhook)
  const look = { t: english, words, may: () => false, some: () => Promise.resolve(sent) } as unknown as Look<
    typeof words
  >
  if (typeof webhook.detail !== 'object') expect.fail('webhooks have pages')

  const { sections } = await webhook.detail.page(one, look)

  expect(sections[0]?.table?.rows.map(([event]) => [event?.text, event?.sub])).toEqual([
    ['tenant.create', 'HTTP 204, 0 ms · 1 tries · 47 more just like it before'],
    ['tenant.create', 'HTTP 500, 7 ms · 1 tries'],
    ['job.failed', 'HTTP 204, 7 ms · 1 tries'],
  ])
})
