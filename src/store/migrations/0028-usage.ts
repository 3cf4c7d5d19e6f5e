/** When each source has looked at each tenant, and what tenants used by day and by month. Never edit: add a migration. */
import { index, type Migration, table } from './migration.ts'

export const usage: Migration = {
  number: 28,
  name: 'usage',
  statements: (words) => [
    table(words, 'usage_looks', {
      tenant_id: `${words.id} not null references tenants (id) on delete cascade`,
      source: 'text not null',
      looked_at: `${words.time} not null`,
      state: `${words.json} not null`,
    }),
    index('usage_looks', 'tenant_id, source', { unique: true }),
    table(words, 'usage_history', {
      tenant_id: `${words.id} not null references tenants (id) on delete cascade`,
      span: "text not null check (span in ('day', 'month'))",
      period: `${words.name} not null`,
      used_disk_mb: `${words.int} not null`,
      used_domains: `${words.int} not null`,
      bandwidth_tx: `${words.int} not null`,
    }),
    index('usage_history', 'tenant_id, span, period', { unique: true }),
    index('usage_history', 'span, period'),
  ],
}
