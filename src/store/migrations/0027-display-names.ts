/** The name by which people know a tenant, beside its Linux name; no two living tenants have the same. Never edit: add a migration. */
import { index, type Migration } from './migration.ts'

export const displayNames: Migration = {
  number: 27,
  name: 'display-names',
  statements: ({ name }) => [
    'alter table tenants add column display_name text',
    `alter table tenants add column display_key ${name}`,
    index('tenants', 'display_key', { unique: true, where: "deleted_at is null or status = 'restoring'" }),
  ],
}
