/** API keys in the panel's database. */
import { z } from 'zod'
import type { Id } from '../../contract/values.ts'
import { openText, sealText } from '../../lib/sealed-text.ts'
import type { Db } from '../../store/database.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import type { Page } from '../listing.ts'
import { readFeatures } from '../package/features.ts'
import { alphabetical, readPage } from '../read-page.ts'
import { isId, type StoreTools, stored } from '../store-tools.ts'
import type { ApiKey } from './schema.ts'
import { beginningOf, isTokenOf, selectorOf, selectorOfKeyId } from './token.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly apiKeys: ApiKeyStore
  }
}

export interface ApiKeyStore {
  /** By name and id; of all users where none is named. */
  list(query: {
    cursor?: string | undefined
    limit: number
    deleted: boolean
    user: Id | undefined
  }): Promise<Page<ApiKey>>
  /** By id, or by the name that its owner gave it. */
  find(ref: string, owner: Id | null, options?: { deleted: boolean }): Promise<ApiKey | undefined>
  count(owner: Id): Promise<number>
  insert(key: NewApiKey): Promise<void>
  /** Dead at the next request, as long as it is in the trash. */
  remove(id: Id): Promise<void>
  restore(id: Id): Promise<void>
  /** The living key that this is, in constant time once its first letters are those of one. */
  ofToken(token: string): Promise<ApiKey | undefined>
  /** The living key that a signature names, and what it must have been made with. */
  ofKeyId(keyId: string): Promise<{ readonly key: ApiKey; readonly secret: Buffer } | undefined>
  touch(id: Id): Promise<void>
  /** What expired, or went to the trash, before that moment. */
  purgeBefore(moment: string): Promise<number>
}

export interface NewApiKey {
  readonly id: Id
  readonly user: Id
  readonly name: string
  readonly selector: string
  readonly digest: string
  /** Kept, sealed, where it is to sign requests; null where it is sent with them. */
  readonly signingSecret: string | null
  readonly scopes: readonly string[]
  readonly addresses: readonly string[]
  readonly expiresAt: string
}

export function apiKeyStore(db: Db, { now }: StoreTools, keys: { readonly seal: Uint8Array }): ApiKeyStore {
  const placeOf = (row: string) => ({ table: 'api_keys', row, column: 'signing_secret' })
  const rows = () =>
    db
      .selectFrom('api_keys')
      .innerJoin('users', 'users.id', 'api_keys.user_id')
      .leftJoin('tenants', 'tenants.id', 'users.tenant_id')
      .leftJoin('package_limits', 'package_limits.package_id', 'tenants.package_id')
      .selectAll('api_keys')
      .select(['users.email', 'package_limits.features'])

  return {
    async list({ cursor, limit, deleted, user }) {
      let query = rows().where('api_keys.deleted_at', deleted ? 'is not' : 'is', null)
      if (user !== undefined) query = query.where('api_keys.user_id', '=', user)
      return readPage(query, { cursor, limit }, alphabetical('api_keys', 'name'), (found) =>
        found.map((row) => keyOf(row, now)),
      )
    },

    async find(ref, owner, { deleted } = { deleted: false }) {
      if (!isId(ref) && owner === null) return undefined
      const query = isId(ref)
        ? rows().where('api_keys.id', '=', ref)
        : rows().where('api_keys.name', '=', ref).where('api_keys.user_id', '=', owner)
      const row = await query
        .where('api_keys.deleted_at', deleted ? 'is not' : 'is', null)
        .orderBy('api_keys.deleted_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && keyOf(row, now)
    },

    async count(owner) {
      const { count } = await db
        .selectFrom('api_keys')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('user_id', '=', owner)
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow()
      return Number(count)
    },

    async insert({ id, user, name, selector, digest, signingSecret, scopes, addresses, expiresAt }) {
      await db
        .insertInto('api_keys')
        .values({
          id,
          created_at: now,
          updated_at: now,
          user_id: user,
          name,
          selector,
          key_hash: digest,
          signing_secret: signingSecret && sealText(keys.seal, placeOf(id), Buffer.from(signingSecret)),
          scopes: encodeJson(scopes),
          addresses: encodeJson(addresses),
          expires_at: expiresAt,
        })
        .execute()
    },

    async remove(id) {
      await db.updateTable('api_keys').set({ deleted_at: now, updated_at: now }).where('id', '=', id).execute()
    },

    async restore(id) {
      await db.updateTable('api_keys').set({ deleted_at: null, updated_at: now }).where('id', '=', id).execute()
    },

    async ofToken(token) {
      const selector = selectorOf(token)
      if (selector === null) return undefined
      const row = await rows()
        .where('api_keys.selector', '=', selector)
        .where('api_keys.expires_at', '>', now)
        .where('api_keys.deleted_at', 'is', null)
        .executeTakeFirst()
      return row && mayUse(row) && isTokenOf(row.key_hash, token) ? keyOf(row, now) : undefined
    },

    async ofKeyId(keyId) {
      const selector = selectorOfKeyId(keyId)
      if (selector === null) return undefined
      const row = await rows()
        .where('api_keys.selector', '=', selector)
        .where('api_keys.expires_at', '>', now)
        .where('api_keys.deleted_at', 'is', null)
        .executeTakeFirst()
      if (row === undefined || row.signing_secret === null || !mayUse(row)) return undefined
      return { key: keyOf(row, now), secret: openText(keys.seal, placeOf(row.id), row.signing_secret) }
    },

    async touch(id) {
      await db.updateTable('api_keys').set({ last_used_at: now, updated_at: now }).where('id', '=', id).execute()
    },

    async purgeBefore(moment) {
      const result = await db
        .deleteFrom('api_keys')
        .where((eb) => eb.or([eb('expires_at', '<', moment), eb('deleted_at', '<', moment)]))
        .executeTakeFirst()
      return Number(result.numDeletedRows)
    },
  }
}

interface Row {
  readonly id: string
  readonly user_id: string
  readonly email: string
  readonly name: string
  readonly selector: string
  readonly signing_secret: string | null
  readonly scopes: string
  readonly addresses: string
  readonly created_at: string
  readonly expires_at: string
  readonly last_used_at: string | null
  readonly deleted_at: string | null
  readonly features: string | null
}

/** Of a tenant whose package has no API keys they rest, until it has them again. */
function mayUse({ features }: Pick<Row, 'features'>): boolean {
  return readFeatures(features).includes('api')
}

const Words = z.array(z.string())

function keyOf(row: Row, now: string): ApiKey {
  return {
    id: stored(row.id),
    name: row.name,
    userId: stored(row.user_id),
    email: row.email,
    beginning: beginningOf(row.selector),
    isSigned: row.signing_secret !== null,
    scopes: Words.parse(decodeJson(row.scopes)),
    addresses: Words.parse(decodeJson(row.addresses)),
    status: row.deleted_at !== null ? 'deleted' : row.expires_at > now ? 'active' : 'expired',
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    deletedAt: row.deleted_at,
  }
}
