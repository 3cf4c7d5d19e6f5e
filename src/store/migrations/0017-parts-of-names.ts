/**
 * PostgreSQL finds a part of a name by its trigrams (its module pg_trgm, which the owner of a database may add to it). A
 * server that lacks the module, or a user who may not add it, reads all names at each search instead. SQLite reads them
 * all in 2 ms. Never edit: add a migration.
 */
import type { Migration } from './migration.ts'

const searched = { tenants: 'name', domains: 'fqdn', users: 'email' }

export const partsOfNames: Migration = {
  number: 17,
  name: 'parts-of-names',
  statements: ({ store }) => (store === 'postgres' ? [whereItCan] : []),
}

const indexes = Object.entries(searched).map(
  ([table, column]) => `create index ${table}_${column}_part on ${table} using gin (${column} gin_trgm_ops);`,
)

const whereItCan = `do $$ begin
  create extension if not exists pg_trgm;
  ${indexes.join('\n  ')}
exception when insufficient_privilege or feature_not_supported or undefined_file then
  raise notice 'Searches read all names: the module pg_trgm cannot be added';
end $$`
