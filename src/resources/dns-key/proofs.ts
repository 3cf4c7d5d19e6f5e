/**
 * Records by which an authority sees that a name obeys its owner (RFC 8555, 8.4). Each stands in the store before it is set,
 * so that it is removed whatever ends the panel.
 */
import type { Logger } from 'pino'
import type { Id } from '../../contract/values.ts'
import { isWithin } from '../../lib/domain-name.ts'
import type { Db } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import type { Stores } from '../stores.ts'
import type { TxtRecord } from './message.ts'
import { untilSeen } from './name-servers.ts'
import { sendUpdate, UpdateRefused } from './send-update.ts'
import type { SetRecord, UsableKey } from './store.ts'

export interface ProofsOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  /** Who is asked for the servers of a zone; none: those of the system. */
  readonly dnsServers: () => readonly string[]
  readonly signal: AbortSignal
  readonly log: Logger
  readonly now: () => number
}

export const proofName = (name: string) => `_acme-challenge.${name}`

/** No order takes longer. */
const longestOrderMs = 3_600_000
const soonMs = 10 * 60_000

/** The key for a name: of the nearest owner, there for the zone that is nearest to the name. */
export function keyFor(keys: readonly UsableKey[], name: string): { key: UsableKey; zone: string } | undefined {
  const covering = keys.map((key) => ({ key, zones: key.zones.filter((zone) => isWithin(name, zone)) }))
  const [found] = covering.filter(({ zones }) => zones.length > 0)
  if (found === undefined) return undefined
  const [zone = ''] = found.zones.toSorted((one, other) => other.length - one.length)
  return { key: found.key, zone }
}

export function dnsProofs({ db, storesOf, dnsServers, signal, log, now }: ProofsOptions) {
  const at = (ms: number) => new Date(now() + ms).toISOString()

  /** Throws `UpdateRefused`; what was set before is in the store, and removed by who finds it. */
  async function set(key: UsableKey, zone: string, record: TxtRecord): Promise<SetRecord> {
    const one = { id: newId(), zone, ...record }
    await storesOf(db).dnsKeys.addRecord({ ...one, keyId: key.id, removeAt: at(longestOrderMs) })
    try {
      await sendUpdate({ servers: key.servers, zone, key: key.tsig(), add: [record], signal, now })
    } catch (error) {
      if (error instanceof UpdateRefused) await refused(key, one.id, error)
      throw error
    }
    await storesOf(db).dnsKeys.used(key.id, null)
    return { ...one, tries: 0, key }
  }

  async function refused(key: UsableKey, record: Id, { message, isUncertain }: UpdateRefused): Promise<void> {
    const { dnsKeys } = storesOf(db)
    await dnsKeys.used(key.id, message)
    await (isUncertain ? dnsKeys.retryRecord(record, at(soonMs)) : dnsKeys.removeRecord(record))
  }

  /** @returns why it is still there; null: it is gone */
  async function unset({ id, zone, name, text, key }: Omit<SetRecord, 'tries'>): Promise<string | null> {
    try {
      await sendUpdate({ servers: key.servers, zone, key: key.tsig(), remove: [{ name, text }], signal, now })
    } catch (error) {
      if (error instanceof UpdateRefused) return error.message
      throw error
    }
    await storesOf(db).dnsKeys.removeRecord(id)
    return null
  }

  return {
    set,
    unset,
    /** Sets all of them, and resolves when the servers of their zones show them. Throws `UpdateRefused`. */
    async publish(
      keys: readonly UsableKey[],
      proofs: readonly { name: string; text: string }[],
    ): Promise<readonly SetRecord[]> {
      const published: SetRecord[] = []
      try {
        for (const { name, text } of proofs) {
          const found = keyFor(keys, name)
          if (found === undefined) throw new UpdateRefused(`There is no DNS key any more for ${name}.`)
          published.push(await set(found.key, found.zone, { name: proofName(name), text }))
        }
        const mayBePrivate = published.every(({ key }) => key.isOfStaff)
        await untilSeen(published, { servers: dnsServers(), signal, mayBePrivate })
        return published
      } catch (error) {
        await this.withdraw(published)
        throw error
      }
    },

    /** What cannot be removed now is removed later. */
    async withdraw(records: readonly SetRecord[]): Promise<void> {
      if (signal.aborted) return
      for (const one of records) {
        const problem = await unset(one)
        if (problem === null) continue
        log.warn({ name: one.name, problem }, 'a proof is still in the DNS')
        await storesOf(db).dnsKeys.retryRecord(one.id, at(soonMs))
      }
    },
  }
}

export type DnsProofs = ReturnType<typeof dnsProofs>
