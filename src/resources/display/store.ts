/** What people have chosen for their accounts. */
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import type { Migration } from '../../store/migrations/migration.ts'
import type { StoreTools } from '../store-tools.ts'
import { type AccountDisplay, displayOf } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly displays: DisplayStore
  }
}

type Chosen = Pick<AccountDisplay, 'locale' | 'timeZone'>

export interface DisplayStore {
  of(user: Id): Promise<Chosen>
  /** What is left out stays. */
  set(user: Id, chosen: { readonly [K in keyof Chosen]?: Chosen[K] | undefined }): Promise<void>
}

/** Never edit: add a migration. */
export const displays: Migration = {
  number: 45,
  name: 'displays',
  statements: () => ['alter table users add column locale text', 'alter table users add column time_zone text'],
}

export function displayStore(db: Db, { now }: StoreTools): DisplayStore {
  return {
    async of(user) {
      const row = await db.selectFrom('users').select(['locale', 'time_zone']).where('id', '=', user).executeTakeFirst()
      return displayOf(row ?? { locale: null, time_zone: null })
    },

    async set(user, { locale, timeZone }) {
      await db
        .updateTable('users')
        .set({
          ...(locale !== undefined && { locale }),
          ...(timeZone !== undefined && { time_zone: timeZone }),
          updated_at: now,
        })
        .where('id', '=', user)
        .execute()
    },
  }
}
