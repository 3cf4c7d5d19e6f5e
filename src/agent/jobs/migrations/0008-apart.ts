/** The version whose master serves the site beside the tenant's own, which served all sites so far. */
import type { AgentMigration } from './migration.ts'

export const apart: AgentMigration = {
  number: 8,
  name: 'apart',
  sql: 'alter table sites add column apart text;',
}
