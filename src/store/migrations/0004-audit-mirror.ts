/** How far the root side has the audit trail, so that a store that was put back goes on from there. Never edit: add a migration. */
import type { Migration } from './migration.ts'

export const auditMirror: Migration = {
  number: 4,
  name: 'audit-mirror',
  statements: ({ int }) => [`alter table audit_heads add column mirrored ${int} not null default 0`],
}
