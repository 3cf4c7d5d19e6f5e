/** The version that began a job: only that one knows its steps for certain. */
import type { AgentMigration } from './migration.ts'

export const beganWith: AgentMigration = {
  number: 2,
  name: 'began-with',
  sql: 'alter table jobs add column began_with text;',
}
