/** Registry, fences and journal as they were first released. */
import type { AgentMigration } from './migration.ts'

export const foundation: AgentMigration = {
  number: 1,
  name: 'foundation',
  sql: `
create table meta (key text primary key, value text not null) strict;

-- 'making' is reserved by a running job, 'purging' can no longer be restored, 'none' was purged: id and uid stay used
create table tenants (
  id text primary key,
  name text not null,
  uid integer not null unique check (uid between 20000 and 59999),
  state text not null check (state in ('making', 'active', 'suspended', 'trashed', 'purging', 'none')),
  limits text not null
) strict;
create unique index tenant_names on tenants (name) where state <> 'none';

create table sites (
  id text primary key,
  tenant text not null references tenants (id),
  fqdn text not null,
  aliases text not null,
  php text,
  state text not null check (state in ('making', 'active', 'suspended', 'trashed', 'purging', 'none'))
) strict;
create index sites_of_tenant on sites (tenant);

-- which site answers for a name: the ownership map
create table hosts (
  name text primary key,
  -- the name from its end, so that the names below another one are a range of the index
  backwards text not null unique,
  site text not null references sites (id)
) strict;
create index hosts_of_site on hosts (site);

create table fences (
  resource text primary key,
  token integer not null,
  hash text not null
) strict;

create table jobs (
  seq integer primary key,
  id text not null unique,
  type text not null,
  resource text not null,
  tenant text not null,
  token integer not null,
  hash text not null,
  payload text not null,
  destructive integer not null,
  accepted_at text not null,
  target text,
  state text not null check (state in ('queued', 'running', 'undoing', 'stuck', 'succeeded', 'failed')),
  failure text,
  acknowledged integer not null default 0
) strict;
create index jobs_by_fence on jobs (resource, token);
create index jobs_unsettled on jobs (seq) where state in ('queued', 'running', 'undoing', 'stuck');
create index jobs_untold on jobs (seq) where acknowledged = 0;
create index jobs_destructive on jobs (accepted_at) where destructive = 1;

-- what a step saw before it was begun; a step without a row was never begun
create table captures (
  job integer not null references jobs (seq),
  step integer not null,
  name text not null,
  before text not null,
  primary key (job, step)
) strict, without rowid;
`,
}
