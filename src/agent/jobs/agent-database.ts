/**
 * The root side's own state in one file: registry (what exists), fences (what was accepted last), journal (what is being
 * done). One file, so that the end of a job and what it means for the registry are one transaction.
 */
import { WcpError } from '../../contract/errors.ts'
import { type Database, openDatabase } from '../../program/native-sqlite.ts'
import { keepReserve } from '../../program/sqlite-reserve.ts'
import type { Machine } from '../os/machine.ts'

const schemaVersion = 1

const schema = `
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
`

/**
 * Opens the database, or makes it on a machine that never had one. Throws when it is missing although it existed, is
 * damaged, or was written by a newer version: then the agent may only look (B14).
 */
export async function openAgentDatabase(path: string, machine: Machine): Promise<Database> {
  const { files, places } = machine
  const marker = `${path}.made`
  const isMade = files.existsNow(marker)
  const isThere = files.existsNow(path)
  if (!isThere) {
    if (isMade || files.existsNow(places.setupClosed) || (await hasCustomers(machine))) throw missing(path)
    await files.writeFile(path, '', rootOnly)
  }
  const database = open(path)
  try {
    // without the marker, an empty file is what a crash left while it was made
    if (!isMade && version(database) === 0) create(database)
    verify(database, path)
    if (!isMade) await files.writeFile(marker, '', rootOnly)
    keepReserve(database)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

const rootOnly = { mode: 0o600, uid: 0, gid: 0 }

async function hasCustomers({ files, places }: Machine): Promise<boolean> {
  return (await files.list(places.customers.root)).some((name) => !name.startsWith('.'))
}

function missing(path: string): WcpError {
  return new WcpError('unavailable', `Cannot find the registry "${path}", which this machine had`, {
    help: 'Restore the file from a backup and start again; sites keep being served meanwhile.',
  })
}

function open(path: string): Database {
  const database = openDatabase(path, { timeout: 5000 })
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.pragma('foreign_keys = ON')
  return database
}

function create(database: Database): void {
  database.transaction(() => {
    database.exec(schema)
    database.pragma(`user_version = ${schemaVersion}`)
  })()
}

function verify(database: Database, path: string): void {
  const found = version(database)
  if (found !== schemaVersion) {
    throw new WcpError('unavailable', `Cannot use the registry "${path}": schema ${found}, expected ${schemaVersion}`)
  }
  const said = database.pragma('quick_check(1)', { simple: true })
  if (said !== 'ok') throw new WcpError('unavailable', `Cannot use the registry "${path}": it is damaged: ${said}`)
}

function version(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }))
}
