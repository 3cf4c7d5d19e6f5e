/** Domains and all their names in the panel's database. */
import { type ExpressionBuilder, type Selectable, sql } from 'kysely'
import { activeJobStates } from '../../contract/job.ts'
import type { Fqdn, Id, PhpVersion } from '../../contract/values.ts'
import { ancestorsOf, registrableDomain, reversedName } from '../../lib/domain-name.ts'
import type { Database, Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import type { DomainNameTable, DomainTable } from '../../store/tables/hosting.ts'
import type { QueuedRow } from '../job/queued-row.ts'
import type { ListQuery, Page } from '../listing.ts'
import { inOrder, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { everything, type FindOptions, type Scope, tenantWithin } from '../scope.ts'
import {
  beginsWith,
  containing,
  countUpTo,
  type InventoryRow,
  inventoryPage,
  isId,
  type StoreTools,
  stored,
  storedOrNull,
} from '../store-tools.ts'
import { type Domain, DomainSettings, type DomainStatus } from './schema.ts'
import { shown, type shownSettings } from './settings.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly domains: DomainStore
  }
}

/** Somebody who has a name that is in the way. */
export interface NameHolder {
  readonly name: Fqdn
  readonly domainId: Id
  readonly tenantId: Id
  readonly living: boolean
}

/** The name of a site and its aliases; `waiting`: those that are not held before a proof, with the proof of each. */
export interface NameWishes {
  readonly fqdn: Fqdn
  readonly aliases: readonly Fqdn[]
  readonly waiting: ReadonlyMap<Fqdn, Id>
}

interface Wishes {
  /** Undefined leaves them. */
  readonly names?: NameWishes | undefined
  readonly php: PhpVersion | null
  /** Undefined leaves them. */
  readonly settings?: DomainSettings | undefined
}

const neverMade: readonly DomainStatus[] = ['unverified', 'error']

export interface NewDomainRow extends NameWishes {
  readonly id: Id
  readonly tenantId: Id
  readonly php: PhpVersion | null
}

export interface DomainStore {
  list(query: ListQuery & { scope?: Scope; tenantId?: Id | undefined }): Promise<Page<Domain>>
  /** Living ones within the scope, up to `most`. */
  count(most: number, scope: Scope): Promise<number>
  find(ref: string, options?: FindOptions & { tenantId?: Id }): Promise<Domain | undefined>
  /** `find`, or `not_found`. */
  get(ref: string, options?: FindOptions & { tenantId?: Id }): Promise<Domain>
  insert(domain: NewDomainRow): Promise<void>
  /** Anew what the machine has never made: it waits for a proof, or its creation failed. */
  insertAgain(domain: NewDomainRow): Promise<void>
  update(row: QueuedRow<'domain'>, wishes: Wishes): Promise<void>
  /** As they are kept. */
  settings(id: Id): Promise<DomainSettings>
  /** Without a trace: for one that the machine has never heard of. */
  remove(id: Id): Promise<void>
  /** Holds other transactions that claim names below the same registrable domains until this one ends. */
  lockNames(names: readonly Fqdn[]): Promise<void>
  /** Holders of exactly these names, alive or in the trash since `since` or later; not those who wait for a proof. */
  holders(names: readonly Fqdn[], since: string): Promise<NameHolder[]>
  /** Living names above or below this one, but for those that wait for a proof. */
  relatives(name: Fqdn): Promise<NameHolder[]>
  /** By id, the trashed too. @param after id of the last one before them */
  inventory(after: Id | null, limit: number): Promise<InventoryRow[]>
  /** In the trash since before that moment, oldest first, on their own (not with their tenant), without an active job. */
  expired(moment: string, limit: number): Promise<Domain[]>
  /** Domains that went into the trash with their tenant, with all their names. */
  deletedWithTenant(tenantId: Id): Promise<Domain[]>
  /** Living domains with the names that wait for this proof. */
  waitingFor(proofId: Id): Promise<{ domain: Domain; names: Fqdn[] }[]>
  /** The names of this domain that waited for the proof are held from now on. */
  hold(row: QueuedRow<'domain'>, proofId: Id): Promise<void>
  /** `hold`, of one that the machine has never made. */
  holdUnmade(id: Id, proofId: Id): Promise<void>
  /** Takes the names of trashed domains again, before their restore is queued. */
  reclaimNames(domainIds: readonly Id[]): Promise<void>
}

export function domainStore(db: Db, { now, newId }: StoreTools): DomainStore {
  const rows = () =>
    db
      .selectFrom('domains')
      .innerJoin('tenants', 'tenants.id', 'domains.tenant_id')
      .selectAll('domains')
      .select(['tenants.name as tenant_name', 'tenants.status as tenant_status'])

  const withNames = async (found: readonly Row[]): Promise<Domain[]> => {
    const names = await aliasesAndUnproven(found.map((row) => row.id))
    return found.map((row) => domainOf(row, names.get(row.id) ?? []))
  }

  const aliasesAndUnproven = async (ids: readonly string[]): Promise<ReadonlyMap<string, NameRow[]>> => {
    if (ids.length === 0) return new Map()
    const names = await db
      .selectFrom('domain_names')
      .select(['domain_id', 'name', 'is_alias', 'proof_id'])
      .where('domain_id', 'in', ids)
      .where((eb) => eb.or([eb('is_alias', '=', 1), eb('proof_id', 'is not', null)]))
      .orderBy('name')
      .execute()
    return Map.groupBy(names, (row) => row.domain_id)
  }

  const insertNames = async (
    domain: { id: Id; tenantId: string },
    names: readonly Fqdn[],
    { isAlias, waiting }: { isAlias: 0 | 1; waiting: ReadonlyMap<Fqdn, Id> },
  ) => {
    if (names.length === 0) return
    const common = { created_at: now, updated_at: now, domain_id: domain.id, tenant_id: domain.tenantId }
    const row = (name: Fqdn) => ({ name, reversed: reversedName(name), proof_id: waiting.get(name) ?? null })
    await db
      .insertInto('domain_names')
      .values(names.map((name) => ({ id: newId(), ...common, ...row(name), is_alias: isAlias })))
      .execute()
  }

  const setWishes = async (id: Id, { names, php, settings }: Wishes, only?: readonly DomainStatus[]) => {
    const { tenant_id: tenantId } = await db
      .updateTable('domains')
      .set({ updated_at: now, php, ...(settings !== undefined && { settings: encodeJson(settings) }) })
      .where('id', '=', id)
      .$if(only !== undefined, (query) => query.where('status', 'in', only ?? []))
      .returning('tenant_id')
      .executeTakeFirstOrThrow()
    if (names === undefined) return
    const { fqdn, aliases, waiting } = names
    await db.deleteFrom('domain_names').where('domain_id', '=', id).where('is_alias', '=', 1).execute()
    await db
      .updateTable('domain_names')
      .set({ proof_id: waiting.get(fqdn) ?? null, updated_at: now })
      .where('domain_id', '=', id)
      .execute()
    await insertNames({ id, tenantId }, aliases, { isAlias: 1, waiting })
  }

  const holdNames = async (id: Id, proofId: Id) => {
    await db
      .updateTable('domain_names')
      .set({ proof_id: null, updated_at: now })
      .where('domain_id', '=', id)
      .where('proof_id', '=', proofId)
      .where('deleted_at', 'is', null)
      .execute()
  }

  const store: DomainStore = {
    async list({ cursor, limit, total, sort, search, status, deleted = false, scope = everything, tenantId }) {
      let query = rows().where(inTrash(deleted)).where(tenantWithin(scope))
      if (tenantId !== undefined) query = query.where('domains.tenant_id', '=', tenantId)
      if (status !== undefined) query = query.where(inEffect(status))
      if (search) {
        const like = sql<string>`${containing(search)} escape '\\'`
        const names = db.selectFrom('domain_names').select('domain_id').where(beginsWith('name', search))
        query = query.where((eb) => eb.or([eb('domains.fqdn', 'like', like), eb('domains.id', 'in', names)]))
      }
      const page = { cursor, limit, total }
      return readPage(query, page, inOrder('domains', 'fqdn', sort), withNames)
    },

    count(most, scope) {
      const living = db.selectFrom('domains').select('domains.id').where('domains.deleted_at', 'is', null)
      const within = living.innerJoin('tenants', 'tenants.id', 'domains.tenant_id').where(tenantWithin(scope))
      return countUpTo(db, scope.kind === 'global' ? living : within, most)
    },

    inventory: (after, limit) =>
      inventoryPage(db.selectFrom('domains').select(['id', 'fqdn as name', 'status']), after, limit),

    async find(ref, { deleted = false, scope = everything, tenantId } = {}) {
      let query = rows()
        .where(tenantWithin(scope))
        .where(isId(ref) ? 'domains.id' : 'domains.fqdn', '=', ref)
        .where(inTrash(deleted))
      if (tenantId) query = query.where('domains.tenant_id', '=', tenantId)
      const found = await query
        // Others may be waiting for the proof that they may have the name.
        .orderBy(sql`case when domains.status = 'unverified' then 1 else 0 end`)
        .orderBy('domains.deleted_at', 'desc')
        .limit(1)
        .execute()
      return (await withNames(found))[0]
    },

    async get(ref, options) {
      return (await store.find(ref, options)) ?? notFound('domain', ref)
    },

    async insert({ id, tenantId, fqdn, aliases, waiting, php }) {
      await db
        .insertInto('domains')
        .values({
          id,
          created_at: now,
          updated_at: now,
          tenant_id: tenantId,
          fqdn,
          php,
          status: waiting.has(fqdn) ? 'unverified' : 'pending',
          version: 0,
          settings: encodeJson({}),
        })
        .execute()
      await insertNames({ id, tenantId }, [fqdn], { isAlias: 0, waiting })
      await insertNames({ id, tenantId }, aliases, { isAlias: 1, waiting })
    },

    async insertAgain({ id, php, ...names }) {
      await setWishes(id, { names, php }, neverMade)
    },

    async update({ id }, wishes) {
      await setWishes(id, wishes)
    },

    async settings(id) {
      const row = await db.selectFrom('domains').select('settings').where('id', '=', id).executeTakeFirstOrThrow()
      return DomainSettings.parse(decodeJson(row.settings))
    },

    async remove(id) {
      await db.deleteFrom('domains').where('id', '=', id).execute()
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
        .where('proof_id', 'is', null)
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
          .where('proof_id', 'is', null)
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
      return withNames(found)
    },

    async deletedWithTenant(tenantId) {
      const found = await rows()
        .where('domains.tenant_id', '=', tenantId)
        .where('domains.status_before_tenant', 'is not', null)
        .orderBy('domains.fqdn')
        .execute()
      return withNames(found)
    },

    async waitingFor(proofId) {
      const names = await db
        .selectFrom('domain_names')
        .select(['domain_id', 'name'])
        .where('proof_id', '=', proofId)
        .where('deleted_at', 'is', null)
        .orderBy('name')
        .execute()
      if (names.length === 0) return []
      const ids = names.map((row) => row.domain_id)
      const domains = await withNames(await rows().where('domains.id', 'in', ids).orderBy('domains.fqdn').execute())
      return domains.map((domain) => ({
        domain,
        names: names.filter((row) => row.domain_id === domain.id).map((row) => stored<Fqdn>(row.name)),
      }))
    },

    hold: ({ id }, proofId) => holdNames(id, proofId),
    holdUnmade: holdNames,

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

/** A row that is being restored counts as alive already. */
function inTrash(deleted: boolean) {
  return (eb: Builder) =>
    deleted
      ? eb.and([eb('domains.deleted_at', 'is not', null), eb('domains.status', '!=', 'restoring')])
      : eb.or([eb('domains.deleted_at', 'is', null), eb('domains.status', '=', 'restoring')])
}

/** What is served is neither suspended itself nor with its tenant. */
function inEffect(status: string) {
  return (eb: Builder) => {
    const own = eb('domains.status', '=', status)
    if (status === 'active') return eb.and([own, eb('tenants.status', '!=', 'suspended')])
    if (status !== 'suspended') return own
    const ids = eb.selectFrom('domains as own').select('own.id').where('own.status', '=', status)
    const withTenant = eb
      .selectFrom('tenants as closed')
      .crossJoin('domains as held') // SQLite begins with the tenants, which are few
      .whereRef('held.tenant_id', '=', 'closed.id')
      .select('held.id')
      .where('closed.status', '=', status)
      .where('held.status', '=', 'active')
    return eb('domains.id', 'in', ids.unionAll(withTenant))
  }
}

function withoutActiveJob(eb: Builder) {
  const active = eb
    .selectFrom('jobs')
    .select('jobs.id')
    .whereRef('jobs.resource_id', '=', 'domains.id')
    .where('jobs.state', 'in', activeJobStates)
  return eb.not(eb.exists(active))
}

function chosen(row: Row): Pick<Domain, 'https' | keyof typeof shownSettings> {
  const { https, site } = DomainSettings.parse(decodeJson(row.settings))
  return { https, ...shown(site) }
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
  readonly tenant_status: string
}

type NameRow = Pick<Selectable<DomainNameTable>, 'domain_id' | 'name' | 'is_alias' | 'proof_id'>

function domainOf(row: Row, names: readonly NameRow[]): Domain {
  return {
    id: stored(row.id),
    fqdn: stored(row.fqdn),
    aliases: names.filter((one) => one.is_alias === 1).map((one) => stored(one.name)),
    unproven: names.filter((one) => one.proof_id !== null).map((one) => stored(one.name)),
    tenantId: stored(row.tenant_id),
    tenantName: stored(row.tenant_name),
    tenantStatus: stored(row.tenant_status),
    php: storedOrNull(row.php),
    ...chosen(row),
    status: stored(row.status),
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
