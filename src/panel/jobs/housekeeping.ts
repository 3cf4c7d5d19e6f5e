/**
 * What the panel owes without being asked: data in the trash for 30 days is removed for good, changed packages reach their
 * tenants, and what nobody will read any more is forgotten. Each round is small and looks at the store anew.
 */
import type { Logger } from 'pino'
import { TenantLimits } from '../../contract/values.ts'
import { domainPurge } from '../../resources/domain/jobs.ts'
import type { Stores } from '../../resources/index.ts'
import { tenantLimit, tenantPurge } from '../../resources/tenant/jobs.ts'
import type { SessionTable } from '../auth/sessions.ts'
import type { Db } from '../db/database.ts'
import { newId } from '../operation-context.ts'

export interface HousekeepingOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly sessions: SessionTable
  readonly onQueued: () => void
  readonly log: Logger
  readonly now?: () => number
}

const day = 86_400_000
export const trashDays = 30
/** Of each kind in one round: the agent counts destructive jobs, and a person must be able to stop them. */
const purgesAtOnce = 10
const limitsAtOnce = 50
const panel = { actor: 'panel', actorId: null }

export function housekeeping({ db, storesOf, sessions, onQueued, log, now = Date.now }: HousekeepingOptions) {
  const daysAgo = (days: number) => new Date(now() - days * day).toISOString()

  /** Hourly. */
  async function purge(): Promise<void> {
    const queued = await db.transaction().execute(async (tx) => {
      const { tenants, domains, jobs } = storesOf(tx)
      const due = daysAgo(trashDays)
      const goneTenants = await tenants.expired(due, purgesAtOnce)
      for (const { id: tenant } of goneTenants) await jobs.enqueue(tenantPurge, { tenant }, { id: newId(), ...panel })
      const goneDomains = await domains.expired(due, purgesAtOnce)
      for (const { id: domain, tenantId: tenant } of goneDomains)
        await jobs.enqueue(domainPurge, { tenant, domain }, { id: newId(), ...panel })
      return goneTenants.length + goneDomains.length
    })
    await db.transaction().execute(async (tx) => {
      const { users, packages, jobs, settings } = storesOf(tx)
      await users.purgeDeletedBefore(daysAgo(trashDays))
      await packages.purgeDeletedBefore(daysAgo(trashDays))
      await jobs.purgeFinishedBefore(daysAgo(await settings.get('jobs.keep_days')))
      await sessions.purge(tx)
    })
    if (queued > 0) onQueued()
  }

  /** After a package was changed, and after each job: a tenant that had a job then is free for its limits now. */
  async function payLimits(): Promise<void> {
    const queued = await db.transaction().execute(async (tx) => {
      const { tenants, packages, jobs } = storesOf(tx)
      const owed = await tenants.owedLimits(limitsAtOnce)
      for (const { id: tenant, packageId } of owed) {
        const { cpuPct, memMb, pids, ioMbps, diskMb } = await packages.get(packageId)
        const limits = TenantLimits.parse({ cpuPct, memMb, pids, ioMbps, diskMb })
        await jobs.enqueue(tenantLimit, { tenant, limits }, { id: newId(), ...panel })
        await tenants.limitsQueued(tenant)
      }
      return owed.length
    })
    if (queued > 0) onQueued()
  }

  let timers: NodeJS.Timeout[] = []
  let paying: Promise<void> | null = null
  const safely = (work: () => Promise<void>) => work().catch((err) => log.error({ err }, 'housekeeping failed'))

  return {
    purge,
    payLimits,

    /** Rounds that are asked for while one runs become one. */
    payLimitsSoon(): void {
      paying ??= safely(payLimits).finally(() => {
        paying = null
      })
    },

    start(): void {
      timers = [
        setTimeout(() => void safely(purge), 60_000),
        setInterval(() => void safely(purge), 3_600_000),
        setInterval(() => this.payLimitsSoon(), 15_000),
      ]
    },

    async stop(): Promise<void> {
      for (const timer of timers) clearTimeout(timer)
      await paying
    },
  }
}
