import { it } from 'vitest'
import { asRow, isWhole } from './rows.ts'

/** A test and its row in the table. @param seen what is seen when all holds, in a few words. */
export function fault(id: string, name: string, seen: string, work: () => Promise<void>): void {
  it(`${id} ${name}: ${seen}`, () => asRow(id, name, seen, work))
}

/** The same in the whole run only, as it takes minutes. */
export const faultInWholeRun: typeof fault = isWhole ? fault : () => {}
