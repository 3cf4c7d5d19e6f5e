/** What SSH gives the tenants of a package. Nobody was let in before, so packages that are there say none. Never edit: add a migration. */
import type { Migration } from './migration.ts'

export const sshAccess: Migration = {
  number: 40,
  name: 'ssh-access',
  statements: () => ["alter table package_limits add column ssh_access text not null default 'none'"],
}
