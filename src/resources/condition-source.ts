/** A source of conditions: looks at one part of the panel or the machine and says what there needs attention now. */
import type { z } from 'zod'
import type { HealthSnapshot } from '../contract/wire.ts'
import type { Severity } from './condition/schema.ts'
import type { Context } from './context.ts'
import type { Stores } from './stores.ts'

export interface FoundCondition {
  /** What it is about, within its source: as long as this is found, it is the same condition. */
  readonly subject: string
  readonly severity: z.output<typeof Severity>
  /** One sentence. */
  readonly title: string
  /** People are told once more when the title has changed. */
  readonly tellsNewTitle?: boolean
  readonly detail?: string | null
  /** Page of the panel that shows more. */
  readonly page?: string | null
}

/** The view of a source: stores outside of any transaction, and the machine. */
export interface ConditionLook {
  readonly now: string
  readonly stores: Stores
  readonly machine: Pick<Context['machine'], 'audit'>
  /** One answer for all sources of a round; null while the agent is away. */
  health(): Promise<HealthSnapshot | null>
  /** Why the agent changes nothing now; undefined in normal operation. */
  readonly agentTrouble: string | undefined
}

export interface ConditionSource {
  readonly name: string
  /** Between two looks. */
  readonly everyMs: number
  /** null: it cannot be known now, and whatever stands goes on to stand. */
  find(look: ConditionLook): Promise<readonly FoundCondition[] | null>
}

export const eachRound = 0
