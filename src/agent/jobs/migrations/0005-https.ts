/** How each site is reached over HTTP. Those that were there get what new ones get. */
import type { AgentMigration } from './migration.ts'

export const https: AgentMigration = {
  number: 5,
  name: 'https',
  sql: "alter table sites add column https text not null default 'redirect';",
}
