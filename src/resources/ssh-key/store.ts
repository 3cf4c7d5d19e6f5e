/** SSH keys of tenants in the panel's database. */
import { createHash } from 'node:crypto'
import { type Generated, type Selectable, sql } from 'kysely'
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import { index, type Migration, table } from '../../store/migrations/migration.ts'
import type { JsonText, OwnedColumns } from '../../store/tables/common.ts'
import { Time, timestamps } from '../answers.ts'
import type { ListQuery, Page } from '../listing.ts'
import { alphabetical, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { everything, type Scope, tenantWithin } from '../scope.ts'
import { containing, type InventoryRow, inventoryPage, isId, type StoreTools, stored } from '../store-tools.ts'

export const SshKey = z.strictObject({
  id: Id,
  tenantId: Id,
  tenantName: z.string(),
  name: z.string(),
  /** Type and body. */
  publicKey: z.string(),
  /** As `ssh-keygen -l` shows it. */
  fingerprint: z.string(),
  /** Where it may be used from; none: everywhere. */
  addresses: z.array(z.string()),
  /** null: never. */
  expiresAt: Time.nullable(),
  status: z.string(),
  ...timestamps,
})
export type SshKey = z.output<typeof SshKey>

const Words = z.array(z.string())

interface SshKeyTable extends OwnedColumns {
  name: string
  public_key: string
  fingerprint: string
  addresses: Generated<JsonText>
  expires_at: string | null
}

declare module '../../store/database.ts' {
  interface Database {
    ssh_keys: SshKeyTable
  }
}

declare module '../stores.ts' {
  interface Stores {
    readonly sshKeys: SshKeyStore
  }
}

export const sshKeys: Migration = {
  number: 21,
  name: 'ssh-keys',
  statements: (words) => [
    table(words, 'ssh_keys', {
      tenant_id: `${words.id} not null references tenants (id) on delete cascade`,
      name: `${words.name} not null`,
      public_key: 'text not null',
      fingerprint: 'text not null',
      status: 'text not null',
      version: `${words.int} not null`,
      status_before_tenant: 'text',
    }),
    index('ssh_keys', 'tenant_id, fingerprint', { unique: true }),
    index('ssh_keys', 'name, id'),
  ],
}

export const sshKeyTerms: Migration = {
  number: 41,
  name: 'ssh-key-terms',
  statements: ({ json, time }) => [
    `alter table ssh_keys add column addresses ${json} not null default '[]'`,
    `alter table ssh_keys add column expires_at ${time}`,
  ],
}

export interface SshKeyStore {
  list(query: ListQuery & { scope: Scope; tenantId?: Id | undefined }): Promise<Page<SshKey>>
  /** `not_found` outside of the scope. */
  get(id: string, scope: Scope): Promise<SshKey>
  /** All that the tenant has. */
  ofTenant(tenantId: Id): Promise<SshKey[]>
  /** By id, those of tenants in the trash too. */
  inventory(after: Id | null, limit: number): Promise<InventoryRow[]>
  insert(one: Pick<SshKey, 'id' | 'tenantId' | 'name' | 'publicKey' | 'addresses' | 'expiresAt'>): Promise<void>
  setTerms(id: Id, terms: Pick<SshKey, 'addresses' | 'expiresAt'>): Promise<void>
}

export function sshKeyStore(db: Db, { now }: StoreTools): SshKeyStore {
  const rows = () =>
    db
      .selectFrom('ssh_keys')
      .innerJoin('tenants', 'tenants.id', 'ssh_keys.tenant_id')
      .selectAll('ssh_keys')
      .select('tenants.name as tenant_name')

  return {
    async list({ cursor, limit, total, search, scope = everything, tenantId }) {
      let query = rows().where('ssh_keys.deleted_at', 'is', null).where(tenantWithin(scope))
      if (tenantId !== undefined) query = query.where('ssh_keys.tenant_id', '=', tenantId)
      if (search) query = query.where('ssh_keys.name', 'like', sql<string>`${containing(search)} escape '\\'`)
      return readPage(query, { cursor, limit, total }, alphabetical('ssh_keys', 'name'), (found) => found.map(sshKeyOf))
    },

    async get(id, scope) {
      const query = rows().where('ssh_keys.id', '=', id).where(tenantWithin(scope))
      const row = isId(id) ? await query.where('ssh_keys.deleted_at', 'is', null).executeTakeFirst() : undefined
      return row === undefined ? notFound('SSH key', id) : sshKeyOf(row)
    },

    async ofTenant(tenantId) {
      return (await rows().where('ssh_keys.tenant_id', '=', tenantId).execute()).map(sshKeyOf)
    },

    inventory: (after, limit) =>
      inventoryPage(db.selectFrom('ssh_keys').select(['id', 'name', 'status']), after, limit),

    async insert({ id, tenantId, name, publicKey, ...terms }) {
      const row = { id, created_at: now, updated_at: now, tenant_id: tenantId, name, public_key: publicKey }
      await db
        .insertInto('ssh_keys')
        .values({ ...row, ...termColumns(terms), fingerprint: fingerprintOf(publicKey), status: 'pending', version: 0 })
        .execute()
    },

    async setTerms(id, terms) {
      await db.updateTable('ssh_keys').set(termColumns(terms)).where('id', '=', id).execute()
    },
  }
}

function termColumns({ addresses, expiresAt }: Pick<SshKey, 'addresses' | 'expiresAt'>) {
  return { addresses: encodeJson(addresses), expires_at: expiresAt }
}

/** `SHA256:…`, without padding. */
export function fingerprintOf(key: string): string {
  const body = Buffer.from(key.split(' ')[1] ?? '', 'base64')
  return `SHA256:${createHash('sha256').update(body).digest('base64').replace(/=+$/, '')}`
}

function sshKeyOf(row: Selectable<SshKeyTable> & { readonly tenant_name: string }): SshKey {
  return {
    id: stored(row.id),
    tenantId: stored(row.tenant_id),
    tenantName: row.tenant_name,
    name: row.name,
    publicKey: row.public_key,
    fingerprint: row.fingerprint,
    addresses: Words.parse(decodeJson(row.addresses)),
    expiresAt: row.expires_at,
    status: row.status,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
