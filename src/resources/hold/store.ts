/** Holds in the panel's database. A thing in the trash keeps its own. */
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { type StoreTools, stored } from '../store-tools.ts'
import { column, type Held, holdsOn } from './row.ts'
import type { HoldLevel, HoldReason } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly holds: HoldStore
  }
}

export interface NewHold {
  readonly level: HoldLevel
  readonly reason: HoldReason
  readonly note: string
  /** E-mail address of who really acts, or `root`. */
  readonly actor: string
  readonly actorId: Id | null
}

export interface StandingHold extends Omit<NewHold, 'actorId'> {
  readonly id: Id
  readonly since: string
}

export interface HoldStore {
  /** The oldest first. */
  of(on: Held): Promise<StandingHold[]>
  /** Leaves one of the same level and reason as it is. */
  put(on: Held, hold: NewHold): Promise<void>
  lift(on: Held, id: Id): Promise<void>
  liftAll(on: Held): Promise<void>
}

export function holdStore(db: Db, { now, newId }: StoreTools): HoldStore {
  /** A change of holds is a change of the held row. */
  const touch = async ({ kind, id }: Held) => {
    await db.updateTable(`${kind}s`).set({ updated_at: now }).where('id', '=', id).execute()
  }

  return {
    async of(on) {
      const query = db.selectFrom('holds').selectAll().where(holdsOn(on))
      const rows = await query.orderBy('created_at').orderBy('id').execute()
      return rows.map((row) => ({
        id: stored(row.id),
        level: stored(row.level),
        reason: stored(row.reason),
        note: row.note,
        actor: row.actor,
        since: row.created_at,
      }))
    },

    async put({ kind, id, effect = 'suspend' }, { level, reason, note, actor, actorId }) {
      const about = { tenant_id: null, domain_id: null, user_id: null, [column(kind)]: id }
      const common = { id: newId(), created_at: now, updated_at: now }
      await db
        .insertInto('holds')
        .values({ ...common, ...about, effect, level, reason, note, actor, actor_id: actorId })
        .onConflict((known) => known.doNothing())
        .execute()
      await touch({ kind, id })
    },

    async lift(on, id) {
      await db.deleteFrom('holds').where('id', '=', id).execute()
      await touch(on)
    },

    async liftAll(on) {
      await db.deleteFrom('holds').where(holdsOn(on)).execute()
    },
  }
}
