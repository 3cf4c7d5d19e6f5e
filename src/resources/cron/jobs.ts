/** The one job of cron: a run. When it is due the panel decides; the root side knows commands of tenants, and no calendar. */
import { z } from 'zod'
import { defineJob } from '../../contract/job.ts'
import { TenantCommand } from '../../contract/tenant-command.ts'
import { Id } from '../../contract/values.ts'

export const longestSeconds = 3600

/** As `domain.run`, with a budget and lanes of its own, so that neither holds up the other (docs/0030-cron.md). */
export const cronRun = defineJob({
  type: 'cron.run',
  payload: z.strictObject({
    tenant: Id,
    cron: Id,
    domain: Id,
    run: Id,
    command: TenantCommand,
    seconds: z.int().min(1).max(longestSeconds),
  }),
  kind: 'cron',
  destructive: false,
  brake: 'runs',
  timeoutSeconds: 2 * longestSeconds,
  status: { queued: 'previous', succeeded: 'previous', failed: 'previous' },
  beside: true,
})
