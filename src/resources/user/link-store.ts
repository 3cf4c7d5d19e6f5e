/** One-time links: who has one may set a password, or has shown that an address is theirs. The store knows their digest. */
import { createHash, randomBytes } from 'node:crypto'
import { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import type { StoreTools } from '../store-tools.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly links: LinkStore
  }
}

export const linkPurposes = ['invitation', 'password-reset', 'verification'] as const
export type LinkPurpose = (typeof linkPurposes)[number]

export interface Link {
  readonly user: Id
  readonly purpose: LinkPurpose
  /** The address to be verified; null for the other purposes. */
  readonly email: string | null
}

/** How long each is good for. */
const hours: Readonly<Record<LinkPurpose, number>> = { invitation: 72, 'password-reset': 1, verification: 24 }

export interface LinkStore {
  /** Replaces the user's earlier link of this purpose. @returns the token, which is never to be seen again */
  create(link: Link): Promise<string>
  find(token: string): Promise<Link | undefined>
  /** The link for the one who spends it, also of many at once; undefined for everybody else. */
  spend(token: string): Promise<Link | undefined>
  purgeExpired(): Promise<void>
}

export function linkStore(db: Db, { now, newId }: StoreTools): LinkStore {
  return {
    async create({ user, purpose, email }) {
      const token = randomBytes(32).toString('base64url')
      await db.deleteFrom('one_time_links').where('user_id', '=', user).where('purpose', '=', purpose).execute()
      await db
        .insertInto('one_time_links')
        .values({
          id: newId(),
          created_at: now,
          updated_at: now,
          token_hash: digest(token),
          user_id: user,
          purpose,
          email,
          expires_at: new Date(Date.parse(now) + hours[purpose] * 3_600_000).toISOString(),
        })
        .execute()
      return token
    },

    async find(token) {
      const row = await db
        .selectFrom('one_time_links')
        .select(['user_id', 'purpose', 'email'])
        .where('token_hash', '=', digest(token))
        .where('expires_at', '>', now)
        .executeTakeFirst()
      return row && linkOf(row)
    },

    async spend(token) {
      const row = await db
        .deleteFrom('one_time_links')
        .where('token_hash', '=', digest(token))
        .where('expires_at', '>', now)
        .returning(['user_id', 'purpose', 'email'])
        .executeTakeFirst()
      return row && linkOf(row)
    },

    async purgeExpired() {
      await db.deleteFrom('one_time_links').where('expires_at', '<=', now).execute()
    },
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function linkOf(row: { user_id: string; purpose: string; email: string | null }): Link | undefined {
  const purpose = linkPurposes.find((one) => one === row.purpose)
  return purpose && { user: Id.parse(row.user_id), purpose, email: row.email }
}
