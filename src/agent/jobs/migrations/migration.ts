/** One change of the agent's schema. Released text is never edited: a database records the checksum of what was applied to it. */
import { createHash } from 'node:crypto'

export interface AgentMigration {
  /** 1 for the first, and one more for each after it; SQLite keeps the last one applied as `user_version`. */
  readonly number: number
  readonly name: string
  readonly sql: string
}

export function checksumOf({ sql }: AgentMigration): string {
  return createHash('sha256').update(sql).digest('hex')
}
