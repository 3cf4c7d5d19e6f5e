/** The one job of cron: a run. When it is due the panel decides; the root side knows commands of tenants, and no calendar. */
import { defineJob } from '../../contract/job.ts'
import { Id } from '../../contract/values.ts'
import { longestRunSeconds, runPayload } from '../domain/jobs.ts'

/** As `domain.run`, with a budget and lanes of its own, so that neither holds up the other (docs/0030-cron.md). */
export const cronRun = defineJob({
  type: 'cron.run',
  payload: runPayload.extend({ cron: Id }),
  kind: 'cron',
  destructive: false,
  brake: 'runs',
  timeoutSeconds: 2 * longestRunSeconds,
  status: { queued: 'previous', succeeded: 'previous', failed: 'previous' },
  beside: true,
})
