/** The root side's share in a return to the version before: the panel's store is asked to go back to its copy. */
import type { RescueReport } from '../../contract/rescue.ts'
import { Journal } from '../jobs/journal.ts'
import { type Rescue, withDatabase } from './rescue-machine.ts'
import { startAgain } from './rescue-report.ts'
import { askStore } from './rescue-store.ts'

export async function rollBack(rescue: Rescue): Promise<RescueReport> {
  const fence = await withDatabase(rescue, (database) => new Journal(database).highestToken())
  const { did } = await askStore(rescue, { do: 'roll-back', fence }, 'rolled-back')
  const signIn = 'Everybody has to sign in again, and programs need new API keys.'
  const since = 'What was made since is on the machine and not in the store: "wcp health drift" tells of it.'
  return { did, next: [`${startAgain} ${signIn}`, since] }
}
