/** Domains and all their names in the panel's database. */
import { type ExpressionBuilder, type Selectable, sql } from 'kysely'
import { z } from 'zod'
import { activeJobStates } from '../../contract/job.ts'
import type { Fqdn, Id, PhpVersion } from '../../contract/values.ts'
import { ancestorsOf, registrableDomain, reversedName } from '../../lib/domain-name.ts'
import type { Database, Db } from '../../panel/db/database.ts'
import { storeLock } from '../../panel/db/dialect.ts'
import { encodeJson } from '../../panel/db/json.ts'
import type { DomainTable } from '../../panel/db/tables/hosting.ts'
import { decodeCursor, type ListQuery, type Page, toPage } from '../listing.ts'
import { notFound } from '../refusals.ts'
import { everything, type FindOptions, type Scope, tenantWithin } from '../scope.ts'
import { containing, countUpTo, isId, type StoreTools, stored, storedOrNull } from '../store-tools.ts'
import type { Domain } from './schema.ts'

/** Somebody who has a name that is in the way. */
export interface NameHolder {
  readonly name: Fqdn
  readonly domainId: Id
  readonly tenantId: Id
  readonly living: boolean
}

export interface DomainStore {
  list(query: ListQuery & { scope?: Scope; tenantId?: Id | undefined }): Promise<Page<Domain>>
  /** Living ones within the scope, up to `most`. */
  count(most: number, scope: Scope): Promise<number>
  find(ref: string, options?: FindOptions & { tenantId?: Id }): Promise<Domain | undefined>
  /** `find`, or `not_found`. */
  get(ref: string, options?: FindOptions & { tenantId?: Id }): Promise<Domain>
  insert(domain: { id: Id; tenantId: Id; fqdn: Fqdn; aliases: readonly Fqdn[]; php: PhpVersion | null }): Promise<void>
  update(id: Id, values: { aliases?: readonly Fqdn[]; php?: PhpVersion | null }): Promise<void>
  /** Holds other transactions that claim names below the same registrable domains until this one ends. */
  lockNames(names: readonly Fqdn[]): Promise<void>
  /** Who has exactly these names, alive or in the trash since `since` or later. */
  holders(names: readonly Fqdn[], since: string): Promise<NameHolder[]>
  /** Living names above or below this one. */
  relatives(name: Fqdn): Promise<NameHolder[]>
  /** In the trash since before that moment, oldest first, on their own (not with their tenant), without an active job. */
  expired(moment: string, limit: number): Promise<Domain[]>
  /** Domains that went into the trash with their tenant, with all their names. */
  deletedWithTenant(tenantId: Id): Promise<Domain[]>
  /** Takes the names of trashed domains again, before their restore is queued. */
  reclaimNames(domainIds: readonly Id[]): Promise<void>
}

export function domainStore(db: Db, { now, newId }: StoreTools): DomainStore {
  const rows = () =>
    db
      .selectFrom('domains')
      .innerJoin('tenants', 'tenants.id', 'domains.tenant_id')
      .selectAll('domains')
      .select('tenants.name as tenant_name')

  const withAliases = async (found: readonly Row[]): Promise<Domain[]> => {
    const aliases = await aliasesOf(found.map((row) => row.id))
    return found.map((row) => domainOf(row, aliases.get(row.id) ?? []))
  }

  const aliasesOf = async (ids: readonly string[]) => {
    if (ids.length === 0) return new Map<string, Fqdn[]>()
    const names = await db
      .selectFrom('domain_names')
      .select(['domain_id', 'name'])
      .where('domain_id', 'in', ids)
      .where('is_alias', '=', 1)
      .orderBy('name')
      .execute()
    const byDomain = Map.groupBy(names, (row) => row.domain_id)
    return new Map(byDomain.entries().map(([id, list]) => [id, list.map((row) => stored<Fqdn>(row.name))]))
  }

  const insertNames = async (domain: { id: Id; tenantId: string }, names: readonly Fqdn[], isAlias: 0 | 1) => {
    if (names.length === 0) return
    const common = { created_at: now, updated_at: now, domain_id: domain.id, tenant_id: domain.tenantId }
    await db
      .insertInto('domain_names')
      .values(names.map((name) => ({ id: newId(), ...common, name, reversed: reversedName(name), is_alias: isAlias })))
      .execute()
  }

  const store: DomainStore = {
    async list({ cursor, limit, search, status, deleted = false, scope = everything, tenantId }) {
      let query = rows().where(inTrash(deleted)).where(tenantWithin(scope))
      if (tenantId !== undefined) query = query.where('domains.tenant_id', '=', tenantId)
      if (status !== undefined) query = query.where('domains.status', '=', status)
      if (search) query = query.where('domains.fqdn', 'like', sql<string>`${containing(search)} escape '\\'`)
      if (cursor !== undefined) {
        const [fqdn, id] = decodeCursor(cursor, z.string())
        query = query.where((eb) => eb(eb.refTuple('domains.fqdn', 'domains.id'), '>', eb.tuple(fqdn, id)))
      }
      const found = await query
        .orderBy('domains.fqdn')
        .orderBy('domains.id')
        .limit(limit + 1)
        .execute()
      const page = toPage(
        found,
        limit,
        (row) => [row.fqdn, row.id],
        (row) => row,
      )
      return { items: await withAliases(page.items), nextCursor: page.nextCursor }
    },

    count(most, scope) {
      const living = db.selectFrom('domains').select('domains.id').where('domains.deleted_at', 'is', null)
      const within = living.innerJoin('tenants', 'tenants.id', 'domains.tenant_id').where(tenantWithin(scope))
      return countUpTo(db, scope.kind === 'global' ? living : within, most)
    },

    async find(ref, { deleted = false, scope = everything, tenantId } = {}) {
      let query = rows()
        .where(tenantWithin(scope))
        .where(isId(ref) ? 'domains.id' : 'domains.fqdn', '=', ref)
        .where(inTrash(deleted))
      if (tenantId) query = query.where('domains.tenant_id', '=', tenantId)
      const found = await query.orderBy('domains.deleted_at', 'desc').limit(1).execute()
      return (await withAliases(found))[0]
    },

    async get(ref, options) {
      return (await store.find(ref, options)) ?? notFound('domain', ref)
    },

    async insert({ id, tenantId, fqdn, aliases, php }) {
      await db
        .insertInto('domains')
        .values({
          id,
          created_at: now,
          updated_at: now,
          tenant_id: tenantId,
          fqdn,
          php,
          status: 'pending',
          version: 0,
          settings: encodeJson({}),
        })
        .execute()
      await insertNames({ id, tenantId }, [fqdn], 0)
      await insertNames({ id, tenantId }, aliases, 1)
    },

    async update(id, { aliases, php }) {
      const { tenant_id: tenantId } = await db
        .updateTable('domains')
        .set({ updated_at: now, ...(php !== undefined && { php }) })
        .where('id', '=', id)
        .returning('tenant_id')
        .executeTakeFirstOrThrow()
      if (aliases === undefined) return
      await db.deleteFrom('domain_names').where('domain_id', '=', id).where('is_alias', '=', 1).execute()
      await insertNames({ id, tenantId }, aliases, 1)
    },

    async lockNames(names) {
      // In one order for everybody: two transactions can never wait for each other.
      for (const domain of [...new Set(names.map(registrableDomain))].sort()) await storeLock(db, `name:${domain}`)
    },

    async holders(names, since) {
      if (names.length === 0) return []
      const found = await db
        .selectFrom('domain_names')
        .select(['name', 'domain_id', 'tenant_id', 'deleted_at'])
        .where('name', 'in', names)
        .where((eb) => eb.or([eb('deleted_at', 'is', null), eb('deleted_at', '>=', since)]))
        .execute()
      return found.map(holderOf)
    },

    async relatives(name) {
      const living = () =>
        db
          .selectFrom('domain_names')
          .select(['name', 'domain_id', 'tenant_id', 'deleted_at'])
          .where('deleted_at', 'is', null)
      const ancestors = ancestorsOf(name)
      const above = ancestors.length === 0 ? [] : await living().where('name', 'in', ancestors).execute()
      // Everything that begins with "com.example.": "/" is the character after ".". Asked alone, so that it is a range.
      const begin = `${reversedName(name)}.`
      const below = await living()
        .where('reversed', '>=', begin)
        .where('reversed', '<', `${begin.slice(0, -1)}/`)
        .execute()
      return [...above, ...below].map(holderOf)
    },

    async expired(moment, limit) {
      const found = await rows()
        .where('domains.deleted_at', '<', moment)
        .where('domains.status', '=', 'deleted')
        .where('domains.status_before_tenant', 'is', null)
        .where('tenants.deleted_at', 'is', null)
        .where(withoutActiveJob)
        .orderBy('domains.deleted_at')
        .limit(limit)
        .execute()
      return withAliases(found)
    },

    async deletedWithTenant(tenantId) {
      const found = await rows()
        .where('domains.tenant_id', '=', tenantId)
        .where('domains.status_before_tenant', 'is not', null)
        .orderBy('domains.fqdn')
        .execute()
      return withAliases(found)
    },

    async reclaimNames(domainIds) {
      if (domainIds.length === 0) return
      await db
        .updateTable('domain_names')
        .set({ deleted_at: null, updated_at: now })
        .where('domain_id', 'in', domainIds)
        .execute()
    },
  }
  return store
}

type Builder = ExpressionBuilder<Database, 'domains' | 'tenants'>

/** What is being brought back counts as alive already. */
function inTrash(deleted: boolean) {
  return (eb: Builder) =>
    deleted
      ? eb.and([eb('domains.deleted_at', 'is not', null), eb('domains.status', '!=', 'restoring')])
      : eb.or([eb('domains.deleted_at', 'is', null), eb('domains.status', '=', 'restoring')])
}

function withoutActiveJob(eb: Builder) {
  const active = eb
    .selectFrom('jobs')
    .select('jobs.id')
    .whereRef('jobs.resource_id', '=', 'domains.id')
    .where('jobs.state', 'in', activeJobStates)
  return eb.not(eb.exists(active))
}

function holderOf(row: { name: string; domain_id: string; tenant_id: string; deleted_at: string | null }): NameHolder {
  return {
    name: stored(row.name),
    domainId: stored(row.domain_id),
    tenantId: stored(row.tenant_id),
    living: row.deleted_at === null,
  }
}

interface Row extends Selectable<DomainTable> {
  readonly tenant_name: string
}

function domainOf(row: Row, aliases: Fqdn[]): Domain {
  return {
    id: stored(row.id),
    fqdn: stored(row.fqdn),
    aliases,
    tenantId: stored(row.tenant_id),
    tenantName: stored(row.tenant_name),
    php: storedOrNull(row.php),
    status: stored(row.status),
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
