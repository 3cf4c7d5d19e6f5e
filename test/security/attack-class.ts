/** What a class of attacks is to the suite: a row of the table, and the cases behind it. */
import type { Stage } from './stage.ts'
import type { Tally } from './tally.ts'

export type AttackClass = Tried | NothingYet

export interface Tried {
  /** What is tried, in a few words. */
  readonly name: string
  /** What is seen when every case held, in one sentence. */
  readonly holds: string
  /** What the class speaks of and the product does not have yet. */
  readonly notYet?: string
  /** What is said of it in the log at the level of a warning or above, as patterns. */
  readonly says?: readonly RegExp[]
  attack(stage: Stage, tally: Tally): Promise<void>
}

/** The product has nothing yet that such an attack could aim at; the row counts no case as passed. */
export interface NothingYet {
  readonly name: string
  readonly nothingYet: string
}
