/** Keys for the DNS in the panel's database, and the records that were set by them and are still to be removed. */
import { type Expression, expressionBuilder, type Selectable, type SqlBool, sql } from 'kysely'
import { z } from 'zod'
import type { Id } from '../../contract/values.ts'
import { openText, sealText } from '../../lib/sealed-text.ts'
import type { Database, Db } from '../../store/database.ts'
import { decodeJson, encodeJson, storable } from '../../store/json.ts'
import { index, type Migration, table } from '../../store/migrations/migration.ts'
import type { CommonColumns, JsonText } from '../../store/tables/common.ts'
import type { ListQuery, Page } from '../listing.ts'
import { alphabetical, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import type { Scope } from '../scope.ts'
import { containing, countUpTo, isId, type StoreTools, stored, storedOrNull } from '../store-tools.ts'
import type { DnsKey } from './schema.ts'
import type { TsigKey } from './tsig.ts'

interface DnsKeyTable extends CommonColumns {
  name: string
  tenant_id: string | null
  reseller_id: string | null
  algorithm: string
  secret: string
  zones: JsonText
  servers: JsonText
  checked_at: string | null
  problem: string | null
  /** null: nobody asks until somebody wants it. */
  next_check_at: string | null
}

interface DnsRecordTable extends CommonColumns {
  key_id: string
  zone: string
  name: string
  text: string
  tries: number
  /** When it is removed by who finds it. */
  next_try_at: string
}

declare module '../../store/database.ts' {
  interface Database {
    dns_keys: DnsKeyTable
    dns_records: DnsRecordTable
  }
}

declare module '../stores.ts' {
  interface Stores {
    readonly dnsKeys: DnsKeyStore
  }
}

export const dnsKeys: Migration = {
  number: 42,
  name: 'dns-keys',
  statements: (words) => [
    table(words, 'dns_keys', {
      name: `${words.name} not null`,
      tenant_id: `${words.id} references tenants (id) on delete cascade`,
      reseller_id: `${words.id} references resellers (id) on delete cascade`,
      algorithm: 'text not null',
      secret: 'text not null',
      zones: `${words.json} not null`,
      servers: `${words.json} not null`,
      checked_at: words.time,
      problem: 'text',
      next_check_at: words.time,
    }),
    table(words, 'dns_records', {
      key_id: `${words.id} not null references dns_keys (id) on delete cascade`,
      zone: 'text not null',
      name: 'text not null',
      text: 'text not null',
      tries: `${words.int} not null`,
      next_try_at: `${words.time} not null`,
    }),
    index('dns_keys', 'name, id'),
    index('dns_keys', 'tenant_id'),
    index('dns_keys', 'reseller_id'),
    index('dns_keys', 'next_check_at'),
    index('dns_records', 'key_id'),
    index('dns_records', 'next_try_at'),
  ],
}

/** A key with its secret, for who speaks with the name server. */
export interface UsableKey {
  readonly id: Id
  readonly zones: readonly string[]
  readonly servers: readonly string[]
  /** Opened when it is needed; throws where it was sealed by another key of the panel. */
  tsig(): TsigKey
  /** Staff made it, who may name machines that are not reached from the internet. */
  readonly isOfStaff: boolean
}

/** A record that may be in the DNS. */
export interface SetRecord {
  readonly id: Id
  readonly zone: string
  readonly name: string
  readonly text: string
  readonly tries: number
  readonly key: UsableKey
}

export type Owner = Pick<DnsKey, 'tenantId' | 'resellerId'>

export interface DnsKeyStore {
  list(query: ListQuery & { scope: Scope; tenantId?: Id | undefined }): Promise<Page<DnsKey>>
  /** `not_found` outside of the scope. */
  get(id: string, scope: Scope): Promise<DnsKey>
  /** Of that owner, up to `most`. */
  count(owner: Owner, most: number): Promise<number>
  insert(
    one: Pick<DnsKey, 'id' | 'keyName' | 'algorithm' | 'zones' | 'servers'> & Owner & { secret: string },
  ): Promise<void>
  remove(id: Id): Promise<void>
  /** Those of the tenant, of its reseller, and of staff, in this order. */
  ofTenant(tenantId: Id): Promise<UsableKey[]>
  /** Has it tried as soon as the panel comes to it. */
  checkSoon(id: Id): Promise<void>
  dueChecks(limit: number): Promise<UsableKey[]>
  /** How its last use ended. */
  used(id: Id, problem: string | null): Promise<void>
  /** Before it is set, so that whatever ends the panel, it is removed. @param removeAt by who finds it */
  addRecord(one: Pick<SetRecord, 'id' | 'zone' | 'name' | 'text'> & { keyId: Id; removeAt: string }): Promise<void>
  dueRecords(limit: number): Promise<SetRecord[]>
  retryRecord(id: Id, nextTryAt: string): Promise<void>
  /** It is not in the DNS any more, or given up. */
  removeRecord(id: Id): Promise<void>
}

export function dnsKeyStore(db: Db, { now }: StoreTools, seal: Uint8Array): DnsKeyStore {
  const placeOf = (row: string) => ({ table: 'dns_keys', row, column: 'secret' })

  const rows = () =>
    db
      .selectFrom('dns_keys')
      .leftJoin('tenants', 'tenants.id', 'dns_keys.tenant_id')
      .leftJoin('resellers', 'resellers.id', 'dns_keys.reseller_id')
      .leftJoin('users as sellers', 'sellers.id', 'resellers.user_id')
      .selectAll('dns_keys')
      .select(['tenants.name as tenant_name', 'sellers.email as reseller_email'])

  const change = (id: Id) => db.updateTable('dns_keys').where('id', '=', id)

  function usable(row: Selectable<DnsKeyTable>): UsableKey {
    const secret = () => Buffer.from(openText(seal, placeOf(row.id), row.secret).toString('latin1'), 'base64')
    return {
      id: stored(row.id),
      zones: Names.parse(decodeJson(row.zones)),
      servers: Names.parse(decodeJson(row.servers)),
      tsig: () => ({ name: row.name, algorithm: stored(row.algorithm), secret: secret() }),
      isOfStaff: row.tenant_id === null && row.reseller_id === null,
    }
  }

  return {
    async list({ cursor, limit, total, search, scope, tenantId }) {
      let query = rows().where(keyWithin(scope))
      if (tenantId !== undefined) query = query.where('dns_keys.tenant_id', '=', tenantId)
      if (search) query = query.where('dns_keys.name', 'like', sql<string>`${containing(search)} escape '\\'`)
      return readPage(query, { cursor, limit, total }, alphabetical('dns_keys', 'name'), (found) => found.map(dnsKeyOf))
    },

    async get(id, scope) {
      const row = isId(id)
        ? await rows().where(keyWithin(scope)).where('dns_keys.id', '=', id).executeTakeFirst()
        : undefined
      return row === undefined ? notFound('DNS key', id) : dnsKeyOf(row)
    },

    count({ tenantId, resellerId }, most) {
      const own = db
        .selectFrom('dns_keys')
        .select('id')
        .where('tenant_id', tenantId === null ? 'is' : '=', tenantId)
        .where('reseller_id', resellerId === null ? 'is' : '=', resellerId)
      return countUpTo(db, own, most)
    },

    async insert({ id, keyName, algorithm, zones, servers, tenantId, resellerId, secret }) {
      await db
        .insertInto('dns_keys')
        .values({
          ...{ id, created_at: now, updated_at: now, name: keyName, algorithm },
          ...{ tenant_id: tenantId, reseller_id: resellerId },
          secret: sealText(seal, placeOf(id), Buffer.from(secret, 'latin1')),
          zones: encodeJson(zones),
          servers: encodeJson(servers),
          next_check_at: now,
        })
        .execute()
    },

    async remove(id) {
      await db.deleteFrom('dns_keys').where('id', '=', id).execute()
    },

    async ofTenant(tenantId) {
      const tenant = await db.selectFrom('tenants').select('reseller_id').where('id', '=', tenantId).executeTakeFirst()
      const seller = tenant?.reseller_id ?? null
      const found = await db
        .selectFrom('dns_keys')
        .selectAll()
        .where(({ eb, and, or }) =>
          or([
            eb('tenant_id', '=', tenantId),
            ...(seller === null ? [] : [eb('reseller_id', '=', seller)]),
            and([eb('tenant_id', 'is', null), eb('reseller_id', 'is', null)]),
          ]),
        )
        .orderBy('created_at', 'desc')
        .execute()
      const nearness = (one: Selectable<DnsKeyTable>) => (one.tenant_id !== null ? 0 : one.reseller_id !== null ? 1 : 2)
      return found.toSorted((one, other) => nearness(one) - nearness(other)).map(usable)
    },

    async checkSoon(id) {
      await change(id).set({ next_check_at: now }).execute()
    },

    async dueChecks(limit) {
      const due = db.selectFrom('dns_keys').selectAll().where('next_check_at', '<=', now)
      return (await due.orderBy('next_check_at').limit(limit).execute()).map(usable)
    },

    async used(id, problem) {
      const text = problem === null ? null : storable(problem).slice(0, 500)
      await change(id).set({ checked_at: now, problem: text, next_check_at: null, updated_at: now }).execute()
    },

    async addRecord({ id, keyId, zone, name, text, removeAt }) {
      const row = { id, created_at: now, updated_at: now, key_id: keyId, zone, name, text, tries: 0 }
      await db
        .insertInto('dns_records')
        .values({ ...row, next_try_at: removeAt })
        .execute()
    },

    async dueRecords(limit) {
      const due = await db
        .selectFrom('dns_records')
        .selectAll()
        .where('next_try_at', '<=', now)
        .orderBy('next_try_at')
        .limit(limit)
        .execute()
      const ids = [...new Set(due.map(({ key_id }) => key_id))]
      if (ids.length === 0) return []
      const keys = await db.selectFrom('dns_keys').selectAll().where('id', 'in', ids).execute()
      const byId = new Map(keys.map((row) => [row.id, usable(row)]))
      return due.flatMap(({ id, zone, name, text, tries, key_id }) => {
        const key = byId.get(key_id)
        return key === undefined ? [] : [{ id: stored(id), zone, name, text, tries, key }]
      })
    },

    async retryRecord(id, nextTryAt) {
      await db
        .updateTable('dns_records')
        .set((eb) => ({ tries: eb('tries', '+', 1), next_try_at: nextTryAt, updated_at: now }))
        .where('id', '=', id)
        .execute()
    },

    async removeRecord(id) {
      await db.deleteFrom('dns_records').where('id', '=', id).execute()
    },
  }
}

const Names = z.array(z.string())

/** Who may see a key sees it whole, and may change it. */
function keyWithin(scope: Scope): Expression<SqlBool> {
  const eb = expressionBuilder<Database, 'dns_keys' | 'tenants'>()
  if (scope.kind === 'local') return eb('dns_keys.tenant_id', '=', scope.tenant)
  if (scope.kind === 'global') return eb.lit(true)
  return eb.or([eb('dns_keys.reseller_id', '=', scope.reseller), eb('tenants.reseller_id', '=', scope.reseller)])
}

type Row = Selectable<DnsKeyTable> & { readonly tenant_name: string | null; readonly reseller_email: string | null }

function dnsKeyOf(row: Row): DnsKey {
  return {
    id: stored(row.id),
    keyName: row.name,
    algorithm: stored(row.algorithm),
    zones: Names.parse(decodeJson(row.zones)),
    servers: Names.parse(decodeJson(row.servers)),
    tenantId: storedOrNull(row.tenant_id),
    tenantName: row.tenant_name,
    resellerId: storedOrNull(row.reseller_id),
    resellerEmail: row.reseller_email,
    checkedAt: row.checked_at,
    problem: row.problem,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
