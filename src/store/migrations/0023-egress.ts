/** Where processes of a package's tenants may connect to. Never edit: add a migration. */
import type { Migration } from './migration.ts'

export const egress: Migration = {
  number: 23,
  name: 'egress',
  statements: () => ["alter table package_limits add column egress text not null default 'default'"],
}
