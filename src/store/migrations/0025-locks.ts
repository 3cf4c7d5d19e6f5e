/** Holds that lock the people of a tenant out while its sites are served. Never edit: add a migration. */
import { index, type Migration } from './migration.ts'

export const locks: Migration = {
  number: 25,
  name: 'locks',
  statements: () => [
    "alter table holds add column effect text not null default 'suspend' check (effect in ('suspend', 'lock'))",
    'drop index holds_tenant_id_level_reason_some',
    index('holds', 'tenant_id, effect, level, reason', { unique: true, where: 'tenant_id is not null' }),
  ],
}
