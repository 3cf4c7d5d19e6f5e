/** A return to the version before: registry and store go back to the copies that were made before their schemas changed. */
import type { RescueReport } from '../../contract/rescue.ts'
import type { Rescue } from './machine.ts'
import { rollBackRegistry } from './registry.ts'
import { startAgain } from './report.ts'
import { askStore } from './store.ts'

export async function rollBack(rescue: Rescue): Promise<RescueReport> {
  const registry = await rollBackRegistry(rescue.places.agentDatabase, rescue.machine)
  const { did } = await askStore(rescue, { do: 'roll-back' }, 'rolled-back')
  const signIn = 'Everybody has to sign in again, and programs need new API keys.'
  const since = 'What was made since is on the machine and not in the store: "wcp health drift" tells of it.'
  return { did: [...registry, ...did], next: [`${startAgain} ${signIn}`, since] }
}
