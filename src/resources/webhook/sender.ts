/**
 * Sends what webhooks are owed, outside of every request. A delivery is taken from the queue when it was answered and not
 * before, so that it is sent at least once whatever ends the panel in between.
 */
import type { Logger } from 'pino'
import type { Db } from '../../store/database.ts'
import type { Stores } from '../stores.ts'
import { ticker } from '../ticker.ts'
import { postTo } from './post.ts'
import type { Try } from './schema.ts'
import { signedHeaders } from './signature.ts'
import type { DueDelivery } from './store.ts'

export interface WebhookSenderOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly log: Logger
  readonly mayBePrivate: () => boolean
  readonly version: string
  readonly tickMs?: number | undefined
  readonly ca?: string | undefined
  readonly now?: () => number
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
/** Between the tries of one delivery, three days in all; after the last one it has failed. */
const pauses = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]
/** An address that took nothing for so long is not asked any more. */
const patienceMs = 5 * 24 * hour
const timeoutMs = 15 * second
const keptMs = 30 * 24 * hour
const webhooksAtOnce = 10
const ofEachInARow = 5

export function webhookSender(options: WebhookSenderOptions) {
  const { db, storesOf, log, tickMs = 3000, now = Date.now } = options
  const iso = (ms: number) => new Date(ms).toISOString()
  let isStopping = false
  let purging: NodeJS.Timeout | undefined

  /** Webhooks side by side, so that a slow one holds up nobody else. */
  async function work(): Promise<void> {
    const due = await storesOf(db).webhooks.due(webhooksAtOnce, ofEachInARow)
    const rows = Map.groupBy(due, ({ webhook }) => webhook).values()
    await Promise.all([...rows].map(sendInOrder))
  }

  /** The rest waits when one was not taken: the address is likely to take none of them now. */
  async function sendInOrder(row: readonly DueDelivery[]): Promise<void> {
    for (const delivery of row) if (isStopping || !(await send(delivery))) return
  }

  async function send(delivery: DueDelivery): Promise<boolean> {
    const attempt = await tryOnce(delivery)
    const { webhooks } = storesOf(db)
    if (attempt.problem === null) {
      await webhooks.delivered(delivery, attempt)
      return true
    }
    const pause = pauses[delivery.attempts]
    await webhooks.refused(delivery, attempt, pause === undefined ? null : iso(now() + pause))
    const facts = { webhook: delivery.webhook, delivery: delivery.id, reason: attempt.problem }
    log.warn({ ...facts, attempts: delivery.attempts + 1 }, 'a webhook did not take an event')
    const why = reasonToStop(delivery, attempt)
    if (why !== null) {
      await webhooks.switchOff(delivery.webhook, why)
      log.warn({ ...facts, why }, 'a webhook was switched off')
    }
    return false
  }

  function reasonToStop({ failingSince }: DueDelivery, { status }: Try): string | null {
    if (status === 410) return 'it answered 410 Gone'
    const isLong = failingSince !== null && now() - Date.parse(failingSince) > patienceMs
    return isLong ? 'it took nothing for five days' : null
  }

  async function tryOnce({ id, url, secret, body }: DueDelivery): Promise<Try> {
    const begun = now()
    const since = performance.now()
    const facts = () => ({ at: iso(begun), ms: Math.round(performance.now() - since) })
    try {
      const status = await postTo(url, {
        headers: {
          'content-type': 'application/json',
          'user-agent': `wcp360/${options.version}`,
          ...signedHeaders(secret, { id, timestamp: Math.floor(begun / 1000), body }),
        },
        ...{ body, timeoutMs, ca: options.ca, mayBePrivate: options.mayBePrivate() },
      })
      const isTaken = status >= 200 && status <= 299
      return { ...facts(), status, problem: isTaken ? null : `it answered ${status}` }
    } catch (error) {
      return { ...facts(), status: null, problem: wordsOf(error) }
    }
  }

  async function purge(): Promise<void> {
    await storesOf(db)
      .webhooks.purgeEndedBefore(iso(now() - keptMs))
      .catch((err) => log.error({ err }, 'old deliveries could not be removed'))
  }

  const ticking = ticker(work, tickMs, (err) => log.error({ err }, 'cannot process the queue of webhooks'))

  return {
    start(): void {
      ticking.start()
      purging = setInterval(() => void purge(), hour)
    },
    /** Waits for the answers under way. */
    async stop(): Promise<void> {
      isStopping = true
      clearInterval(purging)
      await ticking.stop()
    },
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time'
  return error.message || ('code' in error ? String(error.code) : error.name)
}
