/** A webhook: where events are sent, and what became of each. */
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Count, Time } from '../answers.ts'

/** Events of jobs; beside these every change has an event of the name of its operation. */
export const jobEvents = ['job.succeeded', 'job.failed', 'job.cancelled', 'job.stalled'] as const
export const testEvent = 'webhook.test'

export const WebhookName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{1,39}$/, {
    error: '2 to 40 characters: a lower-case letter, then lower-case letters, digits, hyphens and underscores',
  })
  .describe('Name of the webhook: who is told')

export const WebhookRef = z
  .union([Id, WebhookName], { error: 'the id or the name of a webhook' })
  .describe('Webhook, by id or name')

export const TargetUrl = z
  .string()
  .max(500, { error: 'at most 500 characters' })
  .refine(isTarget, { error: 'an address such as https://hooks.example.com/wcp360, without user, password and #' })
  .describe('Where events are sent, by HTTPS')

export const EventPatterns = z
  .array(
    z
      .string()
      .max(60)
      .regex(/^(\*|[a-z-]+\.(\*|[a-z-]+))$/, { error: 'an event such as job.failed, tenant.*, or * for all' }),
    { error: 'a list of events such as job.failed' },
  )
  .min(1, { error: 'at least one event' })
  .max(200, { error: 'at most 200 events' })
  .describe('Events that are sent: job.failed, tenant.create, tenant.*, or * for all')

export const Webhook = z.strictObject({
  id: Id,
  name: WebhookName,
  url: z.string(),
  events: z.array(z.string()),
  isActive: z.boolean(),
  /** Why the panel switched it off by itself. */
  disabledReason: z.string().nullable(),
  /** Since when nothing was taken. */
  failingSince: Time.nullable(),
  createdAt: Time,
  updatedAt: Time,
  deletedAt: Time.nullable(),
})
export type Webhook = z.output<typeof Webhook>

export const DeliveryState = z.enum(['queued', 'delivered', 'failed'], { error: 'queued, delivered or failed' })

export const Try = z.strictObject({
  at: Time,
  ms: Count,
  /** HTTP status; null when there was no answer. */
  status: z.int().nullable(),
  /** Why it did not count as taken. */
  problem: z.string().nullable(),
})
export type Try = z.output<typeof Try>

export const Delivery = z.strictObject({
  /** The value of `webhook-id`, the same at each try. */
  id: Id,
  event: z.string(),
  state: DeliveryState,
  attempts: Count,
  /** The newest twelve. */
  tries: z.array(Try),
  body: z.string(),
  createdAt: Time,
  nextTryAt: Time.nullable(),
})
export type Delivery = z.output<typeof Delivery>

function isTarget(text: string): boolean {
  // Ends of lines, blanks and missing slashes are what a URL parser mends; they were not meant.
  if (!/^https:\/\/[^\s\p{Cc}]+$/iu.test(text)) return false
  const url = URL.parse(text)
  return url?.protocol === 'https:' && url.username === '' && url.password === '' && !text.includes('#')
}
