/** What an attack of the bench `flood` is: it begins, goes on beside a victim's visitors, and stops. */
import type { Figure } from '../bench.ts'
import type { Server } from '../server.ts'

export interface Attack {
  readonly name: string
  /** The most that the victim's p99 may be against peace; null where that is only shown. */
  readonly mostRatio: number | null
  /** Peace and attack by turns so many times, and the median of what they are against each other; once unless told. */
  readonly rounds?: number
  /** Further lines of config.yaml. */
  readonly settings?: string
  /** Before the first peace. The tenants `attacker` and `victim` are there, with a PHP site each. */
  prepare?(server: Server): Promise<void>
  /** Resolves when it is under way. */
  begin(server: Server): Promise<UnderWay>
}

export interface UnderWay {
  /** Ends its requests; the server is disposed of after the last round. Figures of its own, such as how much it sent. */
  stop(): Promise<readonly Figure[]>
}

export const attacker = 'attacker'
export const victim = 'victim'
/** Of the victim. */
export const visitors = { connections: 4, pauseMs: 10 }
