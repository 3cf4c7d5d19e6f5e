import { openDatabase } from '../../src/program/native-sqlite.ts'

/**
 * Lets the days of the trash pass for all that was deleted, as the root side counts them: more than the 29 after which it
 * purges, and less than the 30 for which it keeps what has ended.
 */
export function passTrashDays(agentDatabase: string): void {
  const longAgo = new Date(Date.now() - 29.5 * 86_400_000).toISOString()
  const database = openDatabase(agentDatabase, { timeout: 5000 })
  try {
    database.prepare("update jobs set accepted_at = ? where type like '%.delete'").run(longAgo)
  } finally {
    database.close()
  }
}
