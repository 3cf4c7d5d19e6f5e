/** What the owner of a site has chosen for it; `{}`: nothing. */
import type { AgentMigration } from './migration.ts'

export const settings: AgentMigration = {
  number: 7,
  name: 'settings',
  sql: "alter table sites add column settings text not null default '{}';",
}
