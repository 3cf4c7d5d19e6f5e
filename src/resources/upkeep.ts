/** What the panel owes without being asked, a few at a time: each call in a transaction of its own. */
import type { Id, TenantLimits } from '../contract/values.ts'
import type { Context } from './context.ts'
import { domainPurge } from './domain/jobs.ts'
import { limitsOf } from './package/limits.ts'
import { tenantLimit, tenantPurge } from './tenant/jobs.ts'

/** For so long what was deleted can be restored. */
export const trashDays = 30
/** Of each kind: the agent counts destructive jobs, and a person must be able to stop them. */
const purgesAtOnce = 10
const limitsAtOnce = 50
/** A few milliseconds of the store. */
const oldJobsAtOnce = 100

/** What it needs of an operation's context. */
export type Upkeep = Pick<
  Context,
  | 'tenants'
  | 'domains'
  | 'proofs'
  | 'users'
  | 'roles'
  | 'apiKeys'
  | 'packages'
  | 'jobs'
  | 'settings'
  | 'enqueue'
  | 'now'
>

export interface Purged {
  readonly jobs: number
  readonly rows: number
}

/**
 * Ends the 30 days: queues the purge of tenants and domains whose data lies in the trash of the machine, and removes the
 * rows of what has no data there. Call it every hour or so; it does not matter when.
 */
export async function purgeExpired(context: Upkeep): Promise<Purged> {
  const moment = daysBefore(context.now, trashDays)
  const tenants = await context.tenants.expired(moment, purgesAtOnce)
  for (const { id } of tenants) await context.enqueue(tenantPurge, { tenant: id })
  const domains = await context.domains.expired(moment, purgesAtOnce)
  for (const { id, tenantId } of domains) await context.enqueue(domainPurge, { tenant: tenantId, domain: id })
  const rows = [
    await context.users.purgeDeletedBefore(moment),
    await context.roles.purgeDeletedBefore(moment),
    await context.apiKeys.purgeExpiredBefore(moment),
    await context.packages.purgeDeletedBefore(moment),
  ]
  await context.proofs.forgetUnused()
  return { jobs: tenants.length + domains.length, rows: rows.reduce((sum, count) => sum + count, 0) }
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
    await context.enqueue(tenantLimit, { tenant: id, limits: known })
    await context.tenants.limitsQueued(id)
  }
  return tenants.length
}

function daysBefore(now: string, days: number): string {
  return new Date(Date.parse(now) - days * 86_400_000).toISOString()
}
