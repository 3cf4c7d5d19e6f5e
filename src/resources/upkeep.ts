/** Work that the panel owes without being asked, a few at a time: each call in a transaction of its own. */
import type { Id, TenantLimits } from '../contract/values.ts'
import type { PanelContext } from './as-panel.ts'
import { kinds } from './index.ts'
import type { Purged } from './kind.ts'
import { limitsOf } from './package/limits.ts'
import { tenantLimit } from './tenant/jobs.ts'
import { trashDays } from './trash-days.ts'

/** Of each kind: the agent counts destructive jobs, and a person must be able to stop them. */
const purgesAtOnce = 10
const limitsAtOnce = 50
/** A few milliseconds of the store. */
const oldJobsAtOnce = 100

export type Upkeep = PanelContext

/**
 * Ends the 30 days: queues the purge of what has data in the trash of the machine, and removes the rows of what has none
 * there. Call it every hour or so; it does not matter when.
 */
export async function purgeExpired(context: Upkeep): Promise<Purged> {
  const moment = daysBefore(context.now, trashDays)
  const sum = { jobs: 0, rows: 0 }
  for (const kind of kinds) {
    const purged = await kind.purge?.(context, moment, purgesAtOnce)
    sum.jobs += purged?.jobs ?? 0
    sum.rows += purged?.rows ?? 0
  }
  return sum
}

/** Forgets some of the jobs that ended longer ago than the settings keep them. @returns whether there may be more */
export async function forgetOldJobs({ jobs, settings, now }: Upkeep): Promise<boolean> {
  const keepDays = await settings.get('jobs.keep_days')
  return (await jobs.purgeFinishedBefore(daysBefore(now, keepDays), oldJobsAtOnce)) === oldJobsAtOnce
}

/** Queues the limits that tenants did not get when their package changed, because they were busy or in the trash then. */
export async function applyOwedLimits(context: Upkeep): Promise<number> {
  const tenants = await context.tenants.owedLimits(limitsAtOnce)
  const limits = new Map<Id, TenantLimits>()
  for (const { id, packageId } of tenants) {
    const known = limits.get(packageId) ?? limitsOf(await context.packages.get(packageId))
    limits.set(packageId, known)
    await context.enqueue(tenantLimit, { tenant: id, limits: known }, context.tenants.limitsQueued)
  }
  return tenants.length
}

function daysBefore(now: string, days: number): string {
  return new Date(Date.parse(now) - days * 86_400_000).toISOString()
}
