/** The queue of mails. No row holds a link: its secret is made when the mail is sent. */
import { z } from 'zod'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { decodeJson, encodeJson, storable } from '../../store/json.ts'
import type { ListQuery, Page } from '../listing.ts'
import { newestFirst, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { type StoreTools, stored, storedOrNull } from '../store-tools.ts'
import type { Mail, MailKind } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly mails: MailStore
  }
}

export interface QueuedMail extends Mail {
  readonly userId: Id | null
  readonly lines: readonly string[]
}

export interface MailStore {
  list(query: Pick<ListQuery, 'cursor' | 'limit'> & { state?: string | undefined }): Promise<Page<Mail>>
  /** @param to an address that `Email` has taken. `user`: whom the link is for; null where only the address is known. `lines`: below its words */
  queue(kind: MailKind, to: string, user: Id | null, lines?: readonly string[]): Promise<Id>
  /** Tries a failed one again at once. */
  retry(id: Id): Promise<void>
  /** The next few whose time has come. */
  due(limit: number): Promise<QueuedMail[]>
  sent(id: Id): Promise<void>
  /** @param nextTryAt null: given up */
  refused(id: Id, error: string, nextTryAt: string | null): Promise<void>
  /** Mails to a user since a moment. */
  countSince(user: Id, moment: string): Promise<number>
  /** There is nobody to send it to. */
  drop(id: Id): Promise<void>
  purgeEndedBefore(moment: string): Promise<void>
}

export function mailStore(db: Db, { now, newId }: StoreTools): MailStore {
  return {
    async list({ cursor, limit, state }) {
      let query = db.selectFrom('mails').selectAll()
      if (state !== undefined) query = query.where('state', '=', state)
      return readPage(query, { cursor, limit }, newestFirst('mails'), (rows) => rows.map(mailOf))
    },

    async queue(kind, to, user, lines = []) {
      const id = newId()
      await db
        .insertInto('mails')
        .values({
          id,
          created_at: now,
          updated_at: now,
          kind,
          to_address: to,
          user_id: user,
          state: 'queued',
          attempts: 0,
          next_try_at: now,
          lines: encodeJson(lines),
        })
        .execute()
      return id
    },

    async retry(id) {
      const changed = await db
        .updateTable('mails')
        .set({ state: 'queued', attempts: 0, next_try_at: now, updated_at: now })
        .where('id', '=', id)
        .where('state', '=', 'failed')
        .executeTakeFirst()
      if (changed.numUpdatedRows === 0n) notFound('failed mail', id)
    },

    async due(limit) {
      const rows = await db
        .selectFrom('mails')
        .selectAll()
        .where('state', '=', 'queued')
        .where('next_try_at', '<=', now)
        .orderBy('next_try_at')
        .limit(limit)
        .execute()
      return rows.map((row) => ({ ...mailOf(row), userId: storedOrNull(row.user_id), lines: linesOf(row.lines) }))
    },

    async sent(id) {
      const change = { state: 'sent', sent_at: now, next_try_at: null, error: null, updated_at: now }
      await db
        .updateTable('mails')
        .set((eb) => ({ ...change, attempts: eb('attempts', '+', 1) }))
        .where('id', '=', id)
        .execute()
    },

    async refused(id, error, nextTryAt) {
      const change = { state: nextTryAt === null ? 'failed' : 'queued', next_try_at: nextTryAt, updated_at: now }
      await db
        .updateTable('mails')
        .set((eb) => ({ ...change, error: storable(error).slice(0, 500), attempts: eb('attempts', '+', 1) }))
        .where('id', '=', id)
        .execute()
    },

    async countSince(user, moment) {
      const { count } = await db
        .selectFrom('mails')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('user_id', '=', user)
        .where('created_at', '>', moment)
        .executeTakeFirstOrThrow()
      return count
    },

    async drop(id) {
      await db.deleteFrom('mails').where('id', '=', id).execute()
    },

    async purgeEndedBefore(moment) {
      await db.deleteFrom('mails').where('state', '!=', 'queued').where('updated_at', '<', moment).execute()
    },
  }
}

interface Row {
  readonly id: string
  readonly kind: string
  readonly to_address: string
  readonly state: string
  readonly attempts: number
  readonly error: string | null
  readonly created_at: string
  readonly next_try_at: string | null
  readonly sent_at: string | null
}

function mailOf(row: Row): Mail {
  return {
    id: stored(row.id),
    kind: stored(row.kind),
    to: row.to_address,
    state: stored(row.state),
    attempts: row.attempts,
    error: row.error,
    createdAt: row.created_at,
    nextTryAt: row.next_try_at,
    sentAt: row.sent_at,
  }
}

function linesOf(lines: string | null): string[] {
  return lines === null ? [] : z.array(z.string()).parse(decodeJson(lines))
}
