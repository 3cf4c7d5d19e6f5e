/**
 * Has every source look from time to time, stores what was raised and cleared, and tells people: once when it begins and once
 * when it is over. All that begins or ends at about the same time is one mail and one event.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { asWcpError } from '../../contract/errors.ts'
import type { HealthSnapshot } from '../../contract/wire.ts'
import type { Db } from '../../store/database.ts'
import type { ConditionLook, ConditionSource } from '../condition-source.ts'
import type { Context } from '../context.ts'
import type { Stores } from '../stores.ts'
import { tell } from './tell.ts'

export interface WatcherPace {
  /** Between two rounds. */
  readonly everyMs: number
  /** So long a condition lasts, or is over, before people hear of it. */
  readonly raisedForMs: number
  readonly clearedForMs: number
  /** Between two mails. */
  readonly mailEveryMs: number
}

const usualPace: WatcherPace = {
  everyMs: 60_000,
  raisedForMs: 60_000,
  clearedForMs: 5 * 60_000,
  mailEveryMs: 10 * 60_000,
}
const firstMs = 30_000
const keptMs = 30 * 86_400_000
const mostCleared = 2000

export interface WatcherOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly log: Logger
  readonly sources: readonly ConditionSource[]
  readonly machine: Pick<Context['machine'], 'health' | 'audit'>
  /** Why the agent changes nothing now. */
  readonly agentTrouble: () => string | undefined
  readonly canMail: () => boolean
  readonly pace?: WatcherPace | undefined
  readonly now?: () => number
}

export function watcher({ db, storesOf, log, now = Date.now, ...options }: WatcherOptions) {
  const { everyMs, raisedForMs, clearedForMs, mailEveryMs } = options.pace ?? usualPace
  const iso = (ms: number) => new Date(ms).toISOString()
  const looked = new Map<string, number>()
  const stopping = new AbortController()
  let nextMail = 0
  let running: Promise<void> | null = null

  async function round(): Promise<void> {
    const look = newLook()
    for (const source of options.sources) {
      if (stopping.signal.aborted) return
      if (now() - (looked.get(source.name) ?? Number.NEGATIVE_INFINITY) < source.everyMs) continue
      looked.set(source.name, now())
      await lookAt(source, look).catch((err) => log.error({ err, source: source.name }, 'cannot look for conditions'))
    }
    if (now() >= nextMail && (await tellPeople())) nextMail = now() + mailEveryMs
    const { conditions } = storesOf(db)
    await conditions.purgeClearedBefore(iso(now() - keptMs), mostCleared)
  }

  function newLook(): ConditionLook {
    let health: Promise<HealthSnapshot | null> | null = null
    return {
      now: iso(now()),
      stores: storesOf(db),
      machine: options.machine,
      agentTrouble: options.agentTrouble(),
      health() {
        health ??= options.machine.health().catch((error) => {
          log.debug({ reason: asWcpError(error).message }, 'the machine cannot be asked')
          return null
        })
        return health
      },
    }
  }

  async function lookAt(source: ConditionSource, look: ConditionLook): Promise<void> {
    const found = await source.find(look)
    if (found === null) return
    await db.transaction().execute((tx) => storesOf(tx).conditions.reconcile(source.name, found))
  }

  /** @returns whether there was anything to tell */
  async function tellPeople(): Promise<boolean> {
    const untold = (stores: Stores) => stores.conditions.untold(iso(now() - raisedForMs), iso(now() - clearedForMs))
    const isNothing = ({ raised, cleared }: Awaited<ReturnType<typeof untold>>) => raised.length + cleared.length === 0
    if (isNothing(await untold(storesOf(db)))) return false // mostly: a transaction would hold up others
    return await db.transaction().execute(async (tx) => {
      const stores = storesOf(tx)
      const news = await untold(stores)
      if (isNothing(news)) return false
      await tell(stores, news, { canMail: options.canMail() })
      await stores.conditions.told(news)
      return true
    })
  }

  async function run(): Promise<void> {
    const rest = (ms: number) => pause(ms, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
    await rest(Math.min(firstMs, everyMs))
    while (!stopping.signal.aborted) {
      await round().catch((err) => log.error({ err }, 'cannot watch conditions'))
      await rest(everyMs)
    }
  }

  return {
    start(): void {
      running = run()
    },
    async stop(): Promise<void> {
      stopping.abort()
      await running
    },
  }
}
