/** Root's word that tokens count anew: what a panel in wrong hands did to the fences is over. */
import type { RescueReport } from '../../contract/rescue.ts'
import { Journal } from '../jobs/journal.ts'
import { type Rescue, withDatabase } from './machine.ts'
import { startAgain } from './report.ts'

export function resetFences(rescue: Rescue): Promise<RescueReport> {
  return withDatabase(rescue, (database) => {
    const journal = new Journal(database)
    rescue.audit.must({ event: 'epoch.opened', epoch: journal.epoch() + 1 })
    const epoch = journal.openEpoch()
    return {
      did: [`Tokens count anew, in epoch ${epoch}: the next job of every tenant and site is accepted.`],
      next: [`${startAgain} Jobs that waited are refused as stale: send those again that are still wanted.`],
    }
  })
}
