/** Tries new keys, and removes the records that were left in the DNS, outside of every request. */
import type { Logger } from 'pino'
import type { Db } from '../../store/database.ts'
import type { Stores } from '../stores.ts'
import { ticker } from '../ticker.ts'
import { dnsProofs, proofName } from './proofs.ts'
import { UpdateRefused } from './send-update.ts'
import type { SetRecord, UsableKey } from './store.ts'

export interface KeeperOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly dnsServers: () => readonly string[]
  readonly log: Logger
  readonly tickMs?: number | undefined
  readonly now?: () => number
}

const hour = 3_600_000
const atOnce = 4
/** Before the tries of removing one; after the last one it stays where it is. A proof of the past proves nothing. */
const pausesMs = [hour / 6, hour, 6 * hour, 24 * hour, 48 * hour, 96 * hour]

export function dnsKeeper({ db, storesOf, dnsServers, log, tickMs = 2000, now = Date.now }: KeeperOptions) {
  const stopping = new AbortController()
  const proofs = dnsProofs({ db, storesOf, dnsServers, signal: stopping.signal, log, now })
  const logFault = (err: unknown) => {
    if (!stopping.signal.aborted) log.error({ err }, 'cannot look after keys for the DNS')
  }

  async function work(): Promise<void> {
    const { dnsKeys } = storesOf(db)
    const [keys, records] = [await dnsKeys.dueChecks(atOnce), await dnsKeys.dueRecords(atOnce)]
    await Promise.all([
      ...keys.map((one) => check(one).catch(logFault)),
      ...records.map((one) => sweep(one).catch(logFault)),
    ])
  }

  /** By a record as it would be for a certificate, in each zone. */
  async function check(key: UsableKey): Promise<void> {
    try {
      for (const zone of key.zones) {
        const problem = await proofs.unset(await proofs.set(key, zone, { name: proofName(zone), text: 'wcp360' }))
        if (problem !== null) throw new UpdateRefused(problem)
      }
    } catch (error) {
      if (stopping.signal.aborted) return
      const isSaid = error instanceof UpdateRefused
      await storesOf(db).dnsKeys.used(
        key.id,
        isSaid ? error.message : 'It could not be tried: the log of the panel tells why.',
      )
      if (!isSaid) throw error
    }
  }

  async function sweep(one: SetRecord): Promise<void> {
    const problem = await proofs.unset(one).catch((error) => (stopping.signal.aborted ? null : String(error)))
    if (problem === null) return
    const pauseMs = pausesMs[one.tries]
    log.warn({ name: one.name, problem, isGivenUp: pauseMs === undefined }, 'a proof is still in the DNS')
    if (pauseMs === undefined) return await storesOf(db).dnsKeys.removeRecord(one.id)
    await storesOf(db).dnsKeys.retryRecord(one.id, new Date(now() + pauseMs).toISOString())
  }

  const ticking = ticker(work, tickMs, logFault)
  return {
    start: ticking.start,
    async stop(): Promise<void> {
      stopping.abort()
      await ticking.stop()
    },
  }
}
