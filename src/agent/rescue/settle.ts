/** Brings interrupted jobs to their end, by the code that ran them: resumed where that works, undone where not. */

import { WcpError } from '../../contract/errors.ts'
import type { RescueReport } from '../../contract/rescue.ts'
import type { Id } from '../../contract/values.ts'
import type { Database } from '../../program/native-sqlite.ts'
import { version } from '../../program/version.ts'
import { Journal, type JournaledJob } from '../jobs/journal.ts'
import { Turn } from '../jobs/lanes.ts'
import { interrupted } from '../jobs/recover.ts'
import { Registry } from '../jobs/registry.ts'
import { runJob, type Workshop } from '../jobs/run-job.ts'
import { accountLookup } from '../os/accounts.ts'
import { installedPhp } from '../os/php-versions.ts'
import { nextAfter, shownJobs } from './jobs.ts'
import { type Rescue, withDatabase } from './machine.ts'
import { HalfDone } from './report.ts'

/** @param only null settles all. */
export function settleJobs(rescue: Rescue, only: Id | null): Promise<RescueReport> {
  return withDatabase(rescue, async (database) => {
    const journal = new Journal(database)
    const jobs = chosen(journal, only)
    for (const job of jobs) await settle(job, journal, workshopOf(rescue, database))
    const after = jobs.map(({ id }) => journal.job(id)).filter((job) => job !== undefined)
    const shown = shownJobs(database, after)
    const left = shown.filter(({ state }) => state !== 'succeeded' && state !== 'failed')
    const done = shown.length - left.length
    const report = {
      did: [only === null && done === 0 && left.length === 0 ? 'Nothing was interrupted.' : `Jobs settled: ${done}.`],
      next: nextAfter(left),
      jobs: shown,
    }
    if (left.length === 0) return report
    const error = new WcpError('machine_failed', `Cannot settle ${left.map(({ id }) => id).join(', ')}`, {
      help: 'Each names its failure. Mend the cause and settle again; nothing else happens to that tenant before.',
    })
    throw new HalfDone(report, error)
  })
}

/** A later job may rest on an earlier one of the same tenant. */
function chosen(journal: Journal, only: Id | null): readonly JournaledJob[] {
  const all = interrupted(journal)
  if (only === null) return all
  const job = all.find(({ id }) => id === only)
  if (job === undefined) {
    throw new WcpError('not_found', `Cannot find an interrupted job "${only}"`, {
      help: '"wcp emergency jobs" lists them.',
    })
  }
  const older = olderOf(journal, job)
  if (older === undefined) return [job]
  throw new WcpError('conflict', `Cannot settle ${only} before ${older.id}, which is older and of the same tenant`, {
    help: `Settle ${older.id} first, or all with "wcp emergency settle".`,
  })
}

/** Jobs behind one that could not be settled are left for later. */
async function settle(job: JournaledJob, journal: Journal, workshop: Workshop): Promise<void> {
  if (olderOf(journal, job) === undefined) await runJob(job, workshop)
}

function olderOf(journal: Journal, job: JournaledJob): JournaledJob | undefined {
  return journal.unsettled().find(({ tenant, seq }) => tenant === job.tenant && seq < job.seq)
}

function workshopOf({ machine, log, audit }: Rescue, database: Database): Workshop {
  const registry = new Registry(database)
  return {
    world: { registry, machine, accounts: accountLookup, phpVersions: installedPhp },
    journal: new Journal(database),
    log,
    audit,
    emit() {},
    judging: new Turn(),
    heartbeatMs: 60_000,
    version: version(),
  }
}
