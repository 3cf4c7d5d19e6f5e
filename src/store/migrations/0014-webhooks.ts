/** Where events are sent, and what waits to be sent. Never edit: add a migration. */
import { index, type Migration, table } from './migration.ts'

export const webhooks: Migration = {
  number: 14,
  name: 'webhooks',
  statements: (words) => {
    const { id, int, json, name, time } = words
    return [
      table(words, 'webhooks', {
        name: `${name} not null unique`,
        url: 'text not null',
        secret: 'text not null',
        events: `${json} not null`,
        is_active: `${int} not null check (is_active in (0, 1))`,
        disabled_reason: 'text',
        failing_since: time,
      }),
      table(words, 'webhook_deliveries', {
        webhook_id: `${id} not null references webhooks (id) on delete cascade`,
        event: 'text not null',
        body: 'text not null',
        state: "text not null check (state in ('queued', 'delivered', 'failed'))",
        attempts: `${int} not null`,
        tries: `${json} not null`,
        next_try_at: time,
      }),
      index('webhook_deliveries', 'webhook_id, created_at, id'),
      index('webhook_deliveries', 'state, next_try_at'),
    ]
  },
}
