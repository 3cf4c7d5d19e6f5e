/** Jobs in the journal that have not ended, or whose end the panel has not confirmed. */
import type { RescueJob, RescueReport } from '../../contract/rescue.ts'
import type { Database } from '../../program/native-sqlite.ts'
import { Journal, type JournaledJob } from '../jobs/journal.ts'
import { Registry } from '../jobs/registry.ts'
import { type Rescue, withDatabase } from './machine.ts'
import { startAgain } from './report.ts'

export function showJobs(rescue: Rescue): Promise<RescueReport> {
  return withDatabase(rescue, (database) => {
    const journal = new Journal(database)
    const interrupted = journal.unsettled()
    const ids = new Set(interrupted.map(({ id }) => id))
    const untold = journal.untold().filter(({ id }) => !ids.has(id))
    return {
      did: [`Interrupted jobs: ${interrupted.length}. Ended, not confirmed by the panel: ${untold.length}.`],
      next: [
        ...(interrupted.length > 0
          ? ['Settle them with "wcp emergency settle"; the daemon does it at its start.']
          : []),
        ...(untold.length > 0 ? ['The panel is told of the ends when the daemon runs again.'] : []),
      ],
      jobs: shownJobs(database, [...interrupted, ...untold]),
    }
  })
}

export function shownJobs(database: Database, jobs: readonly JournaledJob[]): RescueJob[] {
  const journal = new Journal(database)
  const registry = new Registry(database)
  return jobs.map((job) => ({
    id: job.id,
    type: job.type,
    tenant: registry.tenant(job.tenant)?.name ?? job.tenant,
    token: job.token,
    state: job.state,
    step: journal.captures(job).at(-1)?.name ?? null,
    failure: job.failure?.message ?? null,
  }))
}

/** For the end of every report: nothing is left, or what is. */
export function nextAfter(left: readonly RescueJob[]): string[] {
  if (left.length === 0) return [`${startAgain} It tells the panel how the jobs ended.`]
  return ['Mend what the failures name, then "wcp emergency settle" again.']
}
