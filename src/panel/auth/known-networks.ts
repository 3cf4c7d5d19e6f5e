/** Networks from which people have signed in before. Which there are is known without asking the store, for the door. */
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import { networkOf } from './network.ts'

/** Of one person: of more, those that were used longest ago are forgotten. */
const mostOfOne = 20
/** In memory; of more, those that were used last. */
const mostKept = 50_000
const lifeMs = 180 * 86_400_000
/** The last use is written at most so often. */
const touchEveryMs = 86_400_000

export interface KnownNetworks {
  /** At the start. */
  load(db: Db): Promise<void>
  /** Whether anybody has signed in from there. */
  isKnown(address: string): boolean
  /** Whether this person has. */
  knows(db: Db, user: Id, address: string): Promise<boolean>
  /** They have now. */
  add(db: Db, user: Id, address: string): Promise<void>
  purge(db: Db): Promise<void>
}

export function knownNetworks(now: () => number = Date.now): KnownNetworks {
  const iso = (ms: number) => new Date(ms).toISOString()
  /** In the order of the last use. */
  const kept = new Set<string>()

  function keep(network: string): void {
    kept.delete(network)
    kept.add(network)
    const [oldest] = kept
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
  }

  return {
    async load(db) {
      const rows = await db
        .selectFrom('known_networks')
        .select('network')
        .orderBy('used_at', 'desc')
        .limit(mostKept)
        .execute()
      for (const { network } of rows.reverse()) keep(network)
    },

    isKnown: (address) => kept.has(networkOf(address)),

    async knows(db, user, address) {
      const row = await db
        .selectFrom('known_networks')
        .select('id')
        .where('user_id', '=', user)
        .where('network', '=', networkOf(address))
        .where('used_at', '>', iso(now() - lifeMs))
        .executeTakeFirst()
      return row !== undefined
    },

    async add(db, user, address) {
      const network = networkOf(address)
      keep(network)
      const known = await db
        .selectFrom('known_networks')
        .select(['id', 'network', 'used_at'])
        .where('user_id', '=', user)
        .orderBy('used_at')
        .execute()
      const same = known.find((row) => row.network === network)
      const moment = iso(now())
      if (same !== undefined) {
        if (Date.parse(same.used_at) > now() - touchEveryMs) return
        const touched = { used_at: moment, updated_at: moment }
        await db.updateTable('known_networks').set(touched).where('id', '=', same.id).execute()
        return
      }
      const surplus = known.slice(0, Math.max(0, known.length + 1 - mostOfOne)).map(({ id }) => id)
      if (surplus.length > 0) await db.deleteFrom('known_networks').where('id', 'in', surplus).execute()
      const row = { id: newId(), created_at: moment, updated_at: moment, user_id: user, network, used_at: moment }
      await db
        .insertInto('known_networks')
        .values(row)
        .onConflict((on) => on.columns(['user_id', 'network']).doUpdateSet({ used_at: moment, updated_at: moment }))
        .execute()
    },

    async purge(db) {
      await db
        .deleteFrom('known_networks')
        .where('used_at', '<', iso(now() - lifeMs))
        .execute()
    },
  }
}
