/**
 * Has tenants measured, source after source and never twice at once. What is due stands in the store, so that a round goes on
 * after a restart with the tenants that were not seen; while the root side is away nothing is written.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { asWcpError, WcpError } from '../../contract/errors.ts'
import type { Db } from '../../store/database.ts'
import type { Stores } from '../stores.ts'
import { ticker } from '../ticker.ts'
import { type AskUsage, type Source, usageSources } from './usage-sources.ts'

export interface UsageCollectorOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly ask: AskUsage
  readonly log: Logger
  readonly sources?: readonly Source[]
  readonly tickMs?: number | undefined
  readonly now?: () => number
  /** Awaited between two transactions, for those who want the store meanwhile; 50 ms unless told. */
  readonly rest?: () => Promise<unknown>
}

/** Tenants whose figures are written in one transaction. */
const together = 100
const restMs = 50

export function usageCollector({
  db,
  storesOf,
  ask,
  log,
  sources = usageSources,
  tickMs = 60_000,
  now = Date.now,
  rest = () => pause(restMs),
}: UsageCollectorOptions) {
  const stopping = Promise.withResolvers<never>()
  stopping.promise.catch(() => {})
  let isStopping = false

  async function round(): Promise<void> {
    for (const source of sources) await collect(source).catch((error) => complain(source, error))
  }

  async function collect(source: Source): Promise<void> {
    while (!isStopping && (await lookOnce(source))) {}
  }

  /** @returns whether there may be more to look at */
  async function lookOnce(source: Source): Promise<boolean> {
    const stores = storesOf(db)
    const before = new Date(now() - source.everyMs).toISOString()
    const due = await stores.usage.due(source.name, before, source.atOnce)
    if (due.length === 0) return false
    const looks = [...(await Promise.race([source.look(due, { stores, ask }), stopping.promise]))]
    for (let from = 0; from < looks.length && !isStopping; from += together) {
      const some = new Map(looks.slice(from, from + together))
      await db.transaction().execute((tx) => storesOf(tx).usage.write(source.name, some))
      if (some.size === together) await rest()
    }
    return looks.length > 0
  }

  function complain({ name: source }: Source, error: unknown): void {
    const { code, message } = asWcpError(error)
    if (code === 'unavailable' || code === 'busy') log.debug({ source, message }, 'usage is measured later')
    else log.error({ source, err: error }, 'usage cannot be measured')
  }

  const ticking = ticker(round, tickMs, (err) => log.error({ err }, 'usage cannot be written'))

  return {
    /** A round; one that runs is joined. */
    wake: ticking.wake,
    start: ticking.start,
    async stop(): Promise<void> {
      isStopping = true
      stopping.reject(new WcpError('unavailable', 'Cannot measure usage: the panel is stopping'))
      await ticking.stop()
    },
  }
}
