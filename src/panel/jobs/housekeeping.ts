/**
 * What the panel owes without being asked: data in the trash for 30 days is removed for good, changed packages reach their
 * tenants, and what nobody will read any more is forgotten. Each round is small and looks at the store anew.
 */
import type { Logger } from 'pino'
import type { Stores } from '../../resources/index.ts'
import { applyOwedLimits, purgeExpired, type Upkeep } from '../../resources/upkeep.ts'
import type { ChallengeTable } from '../auth/challenges.ts'
import type { SessionTable } from '../auth/sessions.ts'
import type { Db } from '../db/database.ts'
import { newId } from '../operation-context.ts'
import { isClockTrusted } from './trusted-clock.ts'

export interface HousekeepingOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly sessions: SessionTable
  readonly challenges: ChallengeTable
  readonly onQueued: () => void
  readonly log: Logger
  readonly now?: () => number
}

export function housekeeping({
  db,
  storesOf,
  sessions,
  challenges,
  onQueued,
  log,
  now = Date.now,
}: HousekeepingOptions) {
  const upkeepOn = (tx: Db): Upkeep => {
    const stores = storesOf(tx)
    return {
      ...stores,
      now: new Date(now()).toISOString(),
      enqueue: async (contract, payload) =>
        (await stores.jobs.enqueue(contract, payload, { id: newId(), actor: 'panel', actorId: null })).id,
    }
  }

  /** Hourly. */
  async function purge(): Promise<void> {
    const { jobs } = await db.transaction().execute(async (tx) => {
      await sessions.purge(tx)
      await challenges.purge(tx)
      if (await isClockTrusted(tx, now())) return purgeExpired(upkeepOn(tx))
      log.info({}, 'the clock has not gone on for a day yet: nothing is removed for good')
      return { jobs: 0 }
    })
    if (jobs > 0) onQueued()
  }

  /** After a package was changed, and after each job: a tenant that had a job then is free for its limits now. */
  async function payLimits(): Promise<void> {
    if ((await storesOf(db).tenants.owedLimits(1)).length === 0) return // mostly: a transaction would hold up others
    if ((await db.transaction().execute((tx) => applyOwedLimits(upkeepOn(tx)))) > 0) onQueued()
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
