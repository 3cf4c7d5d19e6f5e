/** Registered client certificates in the panel's database. */
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import type { Page } from '../listing.ts'
import { newestFirst, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { type StoreTools, stored } from '../store-tools.ts'
import type { ReadCertificate } from './read-certificate.ts'
import type { ClientCertificate } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly clientCertificates: ClientCertificateStore
  }
}

export interface ClientCertificateStore {
  /** Newest first; of all users where none is named. */
  list(query: { cursor?: string | undefined; limit: number; user: Id | undefined }): Promise<Page<ClientCertificate>>
  get(id: Id): Promise<ClientCertificate>
  /** Whether the user has one, be it expired: an expired one keeps the password alone from being enough. */
  isOn(user: Id): Promise<boolean>
  /** False when the user has one with this key. */
  insert(certificate: ReadCertificate & { id: Id; user: Id; name: string }): Promise<boolean>
  /** The user's certificate with this key that has not expired. */
  usable(user: Id, fingerprint: string): Promise<Id | undefined>
  /** Somebody signs in with it. */
  used(id: Id): Promise<void>
  /** With the sessions that are bound to it. */
  remove(id: Id): Promise<void>
  /** @returns how many */
  removeAllOf(user: Id): Promise<number>
}

export function clientCertificateStore(db: Db, { now }: StoreTools): ClientCertificateStore {
  const rows = () =>
    db
      .selectFrom('client_certificates')
      .innerJoin('users', 'users.id', 'client_certificates.user_id')
      .selectAll('client_certificates')
      .select('users.email')

  return {
    async list({ cursor, limit, user }) {
      let query = rows()
      if (user !== undefined) query = query.where('client_certificates.user_id', '=', user)
      return readPage(query, { cursor, limit }, newestFirst('client_certificates'), (rows) => rows.map(certificateOf))
    },

    async get(id) {
      const row = await rows().where('client_certificates.id', '=', id).executeTakeFirst()
      return row === undefined ? notFound('client certificate', id) : certificateOf(row)
    },

    async isOn(user) {
      const query = db.selectFrom('client_certificates').select('id').where('user_id', '=', user).limit(1)
      return (await query.executeTakeFirst()) !== undefined
    },

    async insert({ id, user, name, fingerprint, expiresAt }) {
      const added = await db
        .insertInto('client_certificates')
        .values({
          id,
          created_at: now,
          updated_at: now,
          user_id: user,
          name,
          fingerprint,
          expires_at: expiresAt,
          last_used_at: null,
        })
        .onConflict((conflict) => conflict.columns(['user_id', 'fingerprint']).doNothing())
        .executeTakeFirst()
      return (added.numInsertedOrUpdatedRows ?? 0n) > 0n
    },

    async usable(user, fingerprint) {
      const row = await db
        .selectFrom('client_certificates')
        .select('id')
        .where('user_id', '=', user)
        .where('fingerprint', '=', fingerprint)
        .where('expires_at', '>', now)
        .executeTakeFirst()
      return row && stored<Id>(row.id)
    },

    async used(id) {
      const change = { last_used_at: now, updated_at: now }
      await db.updateTable('client_certificates').set(change).where('id', '=', id).execute()
    },

    async remove(id) {
      await db.deleteFrom('client_certificates').where('id', '=', id).execute()
    },

    async removeAllOf(user) {
      const removed = await db.deleteFrom('client_certificates').where('user_id', '=', user).executeTakeFirst()
      return Number(removed.numDeletedRows)
    },
  }
}

interface Row {
  readonly id: string
  readonly user_id: string
  readonly email: string
  readonly name: string
  readonly fingerprint: string
  readonly created_at: string
  readonly expires_at: string
  readonly last_used_at: string | null
}

function certificateOf(row: Row): ClientCertificate {
  return {
    id: stored(row.id),
    userId: stored(row.user_id),
    email: row.email,
    name: row.name,
    fingerprint: row.fingerprint,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
  }
}
