/**
 * Looks for drift all the time, a small part every few minutes and all of it every few hours. How far it has come is in the
 * store, so that another life of the panel goes on there; what is found stays there until it is found gone.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { asWcpError, WcpError } from '../../contract/errors.ts'
import type { TenantName } from '../../contract/values.ts'
import type { DriftPage, DriftReport } from '../../contract/wire.ts'
import type { Db } from '../../store/database.ts'
import type { Context } from '../context.ts'
import { type Stores, withStores } from '../stores.ts'
import type { Round } from './findings.ts'
import { inventoryDiff } from './inventory-diff.ts'

export interface DriftPace {
  /** Between two parts. */
  readonly partMs: number
  /** Between the beginnings of two rounds, unless one takes longer. */
  readonly roundMs: number
  /** Between two looks whether something was put back. */
  readonly tickMs: number
}

const usualPace: DriftPace = { partMs: 5 * 60_000, roundMs: 4 * 3_600_000, tickMs: 15_000 }

export interface DriftWatcherOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly log: Logger
  readonly page: (after: TenantName | null) => Promise<DriftPage>
  readonly machine: Pick<Context['machine'], 'inventory'>
  readonly kinds: Context['kinds']
  readonly pace?: DriftPace | undefined
  readonly now?: () => number
}

export function driftWatcher({ db, storesOf, log, page, now = Date.now, ...options }: DriftWatcherOptions) {
  const { partMs, roundMs, tickMs } = options.pace ?? usualPace
  const stopping = new AbortController()
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => {})
  let nextPart = now() + Math.min(partMs, 60_000)
  let running: Promise<void> | null = null

  async function part(): Promise<void> {
    const before = await storesOf(db).driftFindings.round()
    const round = nextRound(before, new Date(now()).toISOString())
    if (round === null) return
    const { items, next } = await Promise.race([page(round.after), stopped.promise])
    const others = next === null ? await inventoryDiff(withSides()) : []
    await db.transaction().execute(async (tx) => {
      const { driftFindings } = storesOf(tx)
      // something was put back meanwhile: what was seen may be from before
      if (!isDeepStrictEqual(await driftFindings.round(), before)) return
      await driftFindings.note([...items, ...others.map(ofBothSides)])
      if (next === null) await driftFindings.dropNotSeenSince(round.began)
      await driftFindings.setRound({ ...round, after: next, isDone: next === null })
    })
  }

  function withSides() {
    const { machine, kinds } = options
    return withStores(storesOf(db), { machine, kinds })
  }

  /** null: the last one is over and the next is not due. */
  function nextRound(last: Round | null, moment: string): Round | null {
    if (last !== null && !last.isDone) return last
    const isDue = last === null || Math.abs(Date.parse(moment) - Date.parse(last.began)) >= roundMs
    return isDue ? { began: moment, after: null, isDone: false } : null
  }

  async function tick(): Promise<void> {
    await storesOf(db).driftFindings.dropRepaired()
    if (now() < nextPart) return
    nextPart = now() + partMs
    await part().catch((error) => {
      if (!stopping.signal.aborted) log.warn({ reason: asWcpError(error).message }, 'cannot look for drift now')
    })
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await tick().catch((err) => log.error({ err }, 'cannot watch drift'))
      await pause(tickMs, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
    }
  }

  return {
    start(): void {
      running = run()
    },
    /** Does not wait for the root side: the part that is looked at is looked at anew. */
    async stop(): Promise<void> {
      stopping.abort()
      stopped.reject(new WcpError('unavailable', 'Cannot look for drift: the panel is stopping'))
      await running
    },
  }
}

/** Apart from what differs about the files of the same thing. */
function ofBothSides(one: DriftReport[number]): DriftReport[number] {
  return { ...one, resource: `inventory: ${one.resource}` }
}
