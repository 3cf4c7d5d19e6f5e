/** Databases are things of a tenant, too. Their names are looked up, as no two tenants have the same. */
import type { AgentMigration } from './migration.ts'

export const databases: AgentMigration = {
  number: 6,
  name: 'databases',
  sql: 'create index things_by_name on things (kind, name);',
}
