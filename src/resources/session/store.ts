/** Living sessions in the panel's database, for those who look at them; who signs in is the matter of `panel/auth`. */
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import type { Page } from '../listing.ts'
import { newestFirst, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { type StoreTools, stored } from '../store-tools.ts'
import type { Session } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly sessions: SessionStore
  }
}

export interface SessionStore {
  /** Newest first; of all users where none is named. */
  list(query: { cursor?: string | undefined; limit: number; user: Id | undefined }): Promise<Page<Session>>
  get(id: Id): Promise<Session>
  /** Dead at the next request. */
  end(id: Id): Promise<void>
  /** Those of a user, also those as another person, and sign-ins that have begun. */
  endAll(user: Id): Promise<void>
}

export function sessionStore(db: Db, { now }: StoreTools): SessionStore {
  const living = () =>
    db
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .selectAll('sessions')
      .select(['users.id as owner', 'users.email as email'])
      .where('sessions.kind', '=', 'user')
      .where('sessions.impersonator_id', 'is', null)
      .where('sessions.deleted_at', 'is', null)
      .where('sessions.expires_at', '>', now)
      .where('sessions.idle_until', '>', now)

  return {
    async list({ cursor, limit, user }) {
      let query = living()
      if (user !== undefined) query = query.where('sessions.user_id', '=', user)
      return readPage(query, { cursor, limit }, newestFirst('sessions'), (rows) => rows.map(sessionOf))
    },

    async get(id) {
      const row = await living().where('sessions.id', '=', id).executeTakeFirst()
      return row === undefined ? notFound('session', id) : sessionOf(row)
    },

    async end(id) {
      await db.updateTable('sessions').set({ deleted_at: now, updated_at: now }).where('id', '=', id).execute()
    },

    async endAll(user) {
      const ended = db.updateTable('sessions').set({ deleted_at: now, updated_at: now }).where('deleted_at', 'is', null)
      await ended.where((eb) => eb.or([eb('user_id', '=', user), eb('impersonator_id', '=', user)])).execute()
      await db.deleteFrom('login_challenges').where('user_id', '=', user).execute()
    },
  }
}

interface Row {
  readonly id: string
  readonly owner: string
  readonly email: string
  readonly created_at: string
  readonly last_seen_at: string
  readonly ip: string
  readonly user_agent: string
  readonly factor: string
}

function sessionOf(row: Row): Session {
  return {
    id: stored(row.id),
    userId: stored(row.owner),
    email: row.email,
    createdAt: row.created_at,
    seenAt: row.last_seen_at,
    ip: row.ip,
    agent: row.user_agent,
    factor: stored(row.factor),
  }
}
