/**
 * A sign-in between its two factors: the password was right, the code is still to come. It is no session, so nothing that
 * asks for one can take it for more than it is.
 */
import { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import { cookieDigest, newCookieValue } from './cookie.ts'

const lifeMs = 10 * 60_000
/** Codes that may be tried before the password is asked for again. */
export const triesPerChallenge = 5

export interface ChallengeTable {
  /** @returns the value for the cookie */
  start(db: Db, user: Id): Promise<string>
  find(db: Db, cookie: string): Promise<Id | undefined>
  /** Counts a try before it is looked at; undefined when there is none left. */
  enter(db: Db, cookie: string): Promise<Id | undefined>
  /** True for the one who ends it. */
  end(db: Db, cookie: string): Promise<boolean>
  purge(db: Db): Promise<void>
}

export function challengeTable(now: () => number = Date.now): ChallengeTable {
  const iso = (ms: number) => new Date(ms).toISOString()

  return {
    async start(db, user) {
      const value = newCookieValue()
      const moment = iso(now())
      await db
        .insertInto('login_challenges')
        .values({
          id: newId(),
          created_at: moment,
          updated_at: moment,
          token_hash: cookieDigest(value),
          user_id: user,
          tries: 0,
          expires_at: iso(now() + lifeMs),
        })
        .execute()
      return value
    },

    async find(db, cookie) {
      const row = await db
        .selectFrom('login_challenges')
        .select('user_id')
        .where('token_hash', '=', cookieDigest(cookie))
        .where('expires_at', '>', iso(now()))
        .where('tries', '<', triesPerChallenge)
        .executeTakeFirst()
      return row && Id.parse(row.user_id)
    },

    async enter(db, cookie) {
      const row = await db
        .updateTable('login_challenges')
        .set((eb) => ({ tries: eb('tries', '+', 1), updated_at: iso(now()) }))
        .where('token_hash', '=', cookieDigest(cookie))
        .where('expires_at', '>', iso(now()))
        .where('tries', '<', triesPerChallenge)
        .returning('user_id')
        .executeTakeFirst()
      return row && Id.parse(row.user_id)
    },

    async end(db, cookie) {
      const ended = await db
        .deleteFrom('login_challenges')
        .where('token_hash', '=', cookieDigest(cookie))
        .executeTakeFirst()
      return ended.numDeletedRows > 0n
    },

    async purge(db) {
      await db.deleteFrom('login_challenges').where('expires_at', '<', iso(now())).execute()
    },
  }
}
