/** What a tenant owns whose being on the machine is a list of facts: one table for all such kinds. */
import type { AgentMigration } from './migration.ts'

export const things: AgentMigration = {
  number: 4,
  name: 'things',
  sql: `
create table things (
  id text primary key,
  kind text not null,
  tenant text not null references tenants (id),
  -- as people know it
  name text not null,
  -- the payload that made it what it is
  record text not null
) strict;
create index things_of_tenant on things (tenant, kind, id);
create index things_of_kind on things (kind, id);
`,
}
