/** What an attack of the bench `flood` is: it begins, goes on beside a victim's visitors, and stops. */
import type { Figure } from '../bench.ts'
import type { Server } from '../server.ts'

export interface Attack {
  readonly name: string
  /** The most that the victim's p99 may be against peace; null where that is only shown. */
  readonly mostRatio: number | null
  /** Further lines of config.yaml. */
  readonly settings?: string
  /** Resolves when it is under way. The tenants `attacker` and `victim` are there, with a PHP site each. */
  begin(server: Server): Promise<UnderWay>
}

export interface UnderWay {
  /** Ends its requests; the server is disposed of after it. Figures of its own, such as how much it sent. */
  stop(): Promise<readonly Figure[]>
}

export const attacker = 'attacker'
export const victim = 'victim'
