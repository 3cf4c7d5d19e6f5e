/** The trail of one person, and of one address. Never edit: add a migration. */
import { index, type Migration } from './migration.ts'

export const auditByWhom: Migration = {
  number: 29,
  name: 'audit-by-whom',
  statements: () => [index('audit_logs', 'actor_id, sequence'), index('audit_logs', 'ip, sequence')],
}
