/**
 * Work that the panel owes without being asked: data in the trash for 30 days is removed for good, changed packages reach their
 * tenants, and what nobody will read any more is forgotten. Each round is small and looks at the store anew.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { asPanel } from '../../resources/as-panel.ts'
import type { Stores } from '../../resources/stores.ts'
import { applyOwedLimits, forgetOldJobs, purgeExpired, type Upkeep } from '../../resources/upkeep.ts'
import type { Db } from '../../store/database.ts'
import type { ChallengeTable } from '../auth/challenges.ts'
import type { KnownNetworks } from '../auth/known-networks.ts'
import type { SessionTable } from '../auth/sessions.ts'
import type { Idempotency } from '../operations/idempotency.ts'
import { isClockTrusted } from './trusted-clock.ts'

export interface HousekeepingOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly sessions: SessionTable
  readonly challenges: ChallengeTable
  readonly networks: Pick<KnownNetworks, 'purge'>
  readonly idempotency: Pick<Idempotency, 'purge'>
  readonly onQueued: () => void
  readonly log: Logger
  readonly now?: () => number
}

/** Between two rounds over old jobs, for those who want the store meanwhile. */
const restMs = 50

export function housekeeping({
  db,
  storesOf,
  sessions,
  challenges,
  networks,
  idempotency,
  onQueued,
  log,
  now = Date.now,
}: HousekeepingOptions) {
  const upkeepOn = (tx: Db): Upkeep => asPanel(storesOf(tx), new Date(now()).toISOString())

  let isStopping = false

  /** Hourly. */
  async function purge(): Promise<void> {
    const purged = await db.transaction().execute(async (tx) => {
      await sessions.purge(tx)
      await challenges.purge(tx)
      await networks.purge(tx)
      await idempotency.purge(tx)
      return (await isClockTrusted(tx, now())) ? purgeExpired(upkeepOn(tx)) : null
    })
    if (purged === null) return log.info({}, 'the clock has not gone on for a day yet: nothing is removed for good')
    if (purged.jobs > 0) onQueued()
    while (!isStopping && (await db.transaction().execute((tx) => forgetOldJobs(upkeepOn(tx))))) await pause(restMs)
  }

  /** After a package was changed, and after each job: a tenant that had a job then is free for its limits now. */
  async function payLimits(): Promise<void> {
    if ((await storesOf(db).tenants.owedLimits(1)).length === 0) return // mostly: a transaction would hold up others
    if ((await db.transaction().execute((tx) => applyOwedLimits(upkeepOn(tx)))) > 0) onQueued()
  }

  let timers: NodeJS.Timeout[] = []
  let paying: Promise<void> | null = null
  let purging: Promise<void> | null = null
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

    /** As with limits: one round at a time. */
    purgeSoon(): void {
      purging ??= safely(purge).finally(() => {
        purging = null
      })
    },

    start(): void {
      timers = [
        setTimeout(() => this.purgeSoon(), 60_000),
        setInterval(() => this.purgeSoon(), 3_600_000),
        setInterval(() => this.payLimitsSoon(), 15_000),
      ]
    },

    async stop(): Promise<void> {
      isStopping = true
      for (const timer of timers) clearTimeout(timer)
      await Promise.all([paying, purging])
    },
  }
}
