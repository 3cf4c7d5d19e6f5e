/** As the panel says who asked for a job. Every job counts against a budget now, so `destructive` is always 1. */
import type { AgentMigration } from './migration.ts'

export const askedBy: AgentMigration = {
  number: 3,
  name: 'asked-by',
  sql: `
alter table jobs add column staff integer not null default 0;
alter table jobs add column reseller text;
drop index jobs_destructive;
create index jobs_counted on jobs (type, accepted_at, staff, tenant, reseller);
`,
}
