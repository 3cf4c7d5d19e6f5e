/** One connection to a database server, and the bounds of all of them. */
import type { Statement } from './statement.ts'

export type Row = readonly (string | null)[]

export const mostRows = 10_000
/** A longer packet is no answer to our questions. */
export const longestPacket = 1024 * 1024
/** A large database takes its time to be dropped. */
export const patienceMs = 10 * 60_000
export const signInMs = 10_000

export interface Session {
  ask(statement: Statement): Promise<readonly Row[]>
}
