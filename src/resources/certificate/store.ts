/** Certificates of domains in the panel's database, and when each is looked at next. */
import { type Generated, type Selectable, sql } from 'kysely'
import { z } from 'zod'
import type { Fqdn, Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { storeLock } from '../../store/dialect.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import { index, type Migration, table } from '../../store/migrations/migration.ts'
import type { JsonText, OwnedColumns } from '../../store/tables/common.ts'
import type { QueuedRow } from '../job/queued-row.ts'
import type { ListQuery, Page } from '../listing.ts'
import { alphabetical, readPage } from '../read-page.ts'
import { notFound } from '../refusals.ts'
import { everything, type Scope, tenantWithin } from '../scope.ts'
import { containing, isId, type StoreTools, stored } from '../store-tools.ts'
import type { Certificate, Progress } from './schema.ts'

interface CertificateTable extends OwnedColumns {
  domain_id: string
  fqdn: string
  source: string
  names: JsonText
  chain: string | null
  issuer: string | null
  /** Directory of the authority that issued it. */
  authority: string | null
  /** Directory of the authority that was asked for it last. */
  asked: string | null
  not_before: string | null
  not_after: string | null
  progress: string
  problem: string | null
  tries: number
  /** null: nobody looks. */
  next_try_at: string | null
  renew_at: string | null
  /** When an authority was asked for it last. */
  ordered_at: string | null
  /** Days before its end of which its tenant was told last. */
  told_days: Generated<number | null>
}

declare module '../../store/database.ts' {
  interface Database {
    certificates: CertificateTable
  }
}

declare module '../stores.ts' {
  interface Stores {
    readonly certificates: CertificateStore
  }
}

/** The table of the first schema was never written to. */
export const certificates: Migration = {
  number: 31,
  name: 'certificates',
  statements: (words) => [
    'drop table certificates',
    table(words, 'certificates', {
      tenant_id: `${words.id} not null references tenants (id) on delete cascade`,
      domain_id: `${words.id} not null references domains (id) on delete cascade`,
      fqdn: `${words.name} not null`,
      source: 'text not null',
      names: `${words.json} not null`,
      chain: 'text',
      issuer: 'text',
      authority: 'text',
      asked: 'text',
      not_before: words.time,
      not_after: words.time,
      progress: 'text not null',
      problem: 'text',
      tries: `${words.int} not null`,
      next_try_at: words.time,
      renew_at: words.time,
      ordered_at: words.time,
      status: 'text not null',
      version: `${words.int} not null`,
      status_before_tenant: 'text',
    }),
    index('certificates', 'domain_id', { unique: true }),
    index('certificates', 'tenant_id'),
    index('certificates', 'fqdn, id'),
    index('certificates', 'next_try_at'),
    index('certificates', 'ordered_at'),
    index('certificates', 'not_after'),
  ],
}

/** What a job that fails brings back. */
export const wishes = [
  ...(['source', 'names', 'chain', 'issuer', 'authority', 'not_before', 'not_after'] as const),
  ...(['progress', 'problem', 'tries', 'next_try_at', 'renew_at', 'told_days'] as const),
]

export interface DueCertificate extends Certificate {
  readonly authority: string | null
  readonly asked: string | null
  readonly tries: number
}

export interface Served {
  readonly source: Certificate['source']
  readonly names: readonly string[]
  readonly chain: string
  readonly issuer: string
  readonly authority: string | null
  readonly notBefore: string
  readonly notAfter: string
  readonly renewAt: string | null
  readonly nextTryAt: string | null
  /** Why it is not for all names of the domain. */
  readonly problem: string | null
}

export interface Ending {
  readonly id: Id
  readonly tenantId: Id
  readonly fqdn: Fqdn
  readonly source: Certificate['source']
  readonly notBefore: string
  readonly notAfter: string
  readonly problem: string | null
  /** Days before its end of which its tenant was told; null: nothing yet. */
  readonly toldDays: number | null
}

export interface CertificateStore {
  list(
    query: ListQuery & { scope?: Scope; tenantId?: Id | undefined; domainId?: Id | undefined },
  ): Promise<Page<Certificate>>
  /** `not_found` outside of the scope. @param ref id, or name of the domain */
  get(ref: string, scope?: Scope): Promise<Certificate>
  ofDomain(domainId: Id): Promise<Certificate | undefined>
  insert(one: { id: Id; tenantId: Id; domainId: Id; fqdn: Fqdn; source: Certificate['source'] }): Promise<void>
  /** Live domains without one. */
  missing(limit: number): Promise<{ id: Id; tenantId: Id; fqdn: Fqdn }[]>
  /** Those whose time has come, whose domain was changed since, or for which another authority was asked last. */
  due(limit: number, directory: string): Promise<DueCertificate[]>
  /** Before anybody is asked: false when another panel is at it. When this one ends meanwhile, it is due again at `nextTryAt`. */
  begin(one: DueCertificate, next: { tries: number; asked: string; nextTryAt: string }): Promise<boolean>
  stands(id: Id, change: { progress: Progress; problem?: string | null; nextTryAt?: string }): Promise<void>
  /** An authority is asked now, in a transaction: false when it was asked for `most` since that moment. */
  ordered(id: Id, pace: { since: string; most: number }): Promise<boolean>
  /** Nothing was to be done, or nothing for the names that are ready. */
  rest(id: Id, until: { renewAt: string; nextTryAt: string; problem: string | null }): Promise<void>
  /** Nobody is asked before that moment. */
  pauseAll(until: string): Promise<void>
  /** In the change that is handed to `enqueue`. */
  serve(row: QueuedRow<'certificate'>, served: Served): Promise<void>
  lookNow(id: Id): Promise<void>
  /** Those that end first. */
  endingBefore(moment: string, limit: number): Promise<Ending[]>
  /** Its tenant is told now: false when another panel has. */
  tellEnd(one: Pick<Ending, 'id' | 'toldDays'>, days: number): Promise<boolean>
}

export function certificateStore(db: Db, { now }: StoreTools): CertificateStore {
  const rows = () =>
    db
      .selectFrom('certificates')
      .innerJoin('tenants', 'tenants.id', 'certificates.tenant_id')
      .innerJoin('domains', 'domains.id', 'certificates.domain_id')
      .selectAll('certificates')
      .select('tenants.name as tenant_name')
      .where('certificates.deleted_at', 'is', null)
      .where('domains.deleted_at', 'is', null)
  const living = ['active', 'suspended']
  const change = (id: Id) => db.updateTable('certificates').where('id', '=', id)

  return {
    async list({ cursor, limit, total, search, scope = everything, tenantId, domainId }) {
      let query = rows().where(tenantWithin(scope))
      if (tenantId !== undefined) query = query.where('certificates.tenant_id', '=', tenantId)
      if (domainId !== undefined) query = query.where('certificates.domain_id', '=', domainId)
      if (search) query = query.where('certificates.fqdn', 'like', sql<string>`${containing(search)} escape '\\'`)
      return readPage(query, { cursor, limit, total }, alphabetical('certificates', 'fqdn'), (found) =>
        found.map(certificateOf),
      )
    },

    async get(ref, scope = everything) {
      const column = isId(ref) ? 'certificates.id' : 'certificates.fqdn'
      const row = await rows().where(tenantWithin(scope)).where(column, '=', ref).executeTakeFirst()
      return row === undefined ? notFound('certificate', ref) : certificateOf(row)
    },

    async ofDomain(domainId) {
      const row = await rows().where('certificates.domain_id', '=', domainId).executeTakeFirst()
      return row && certificateOf(row)
    },

    async insert({ id, tenantId, domainId, fqdn, source }) {
      const row = { id, created_at: now, updated_at: now, tenant_id: tenantId, domain_id: domainId, fqdn, source }
      const beginning = {
        names: encodeJson([]),
        progress: 'key',
        tries: 0,
        next_try_at: source === 'acme' ? now : null,
      }
      await db
        .insertInto('certificates')
        .values({ ...row, ...beginning, status: 'pending', version: 0 })
        .execute()
    },

    async missing(limit) {
      const found = await db
        .selectFrom('domains')
        .innerJoin('tenants', 'tenants.id', 'domains.tenant_id')
        .leftJoin('certificates', 'certificates.domain_id', 'domains.id')
        .select(['domains.id', 'domains.tenant_id', 'domains.fqdn'])
        .where('certificates.id', 'is', null)
        .where('domains.deleted_at', 'is', null)
        .where('domains.status', '=', 'active')
        .where('tenants.status', '=', 'active')
        .limit(limit)
        .execute()
      return found.map((row) => ({ id: stored(row.id), tenantId: stored(row.tenant_id), fqdn: stored(row.fqdn) }))
    },

    async due(limit, directory) {
      const found = await rows()
        .where('certificates.status', 'in', ['active', 'error'])
        .where('certificates.source', '=', 'acme')
        .where('domains.status', 'in', living)
        .where('tenants.status', 'in', living)
        .where(({ eb, and, or, ref }) =>
          or([
            eb('certificates.next_try_at', '<=', now),
            eb('certificates.asked', '!=', directory),
            and([eb('certificates.tries', '=', 0), eb('domains.updated_at', '>', ref('certificates.updated_at'))]),
          ]),
        )
        .orderBy('certificates.next_try_at')
        .limit(limit)
        .execute()
      return found.map((row) => ({
        ...certificateOf(row),
        authority: row.authority,
        asked: row.asked,
        tries: row.tries,
      }))
    },

    async begin({ id, tries, asked, nextTryAt }, next) {
      const { numUpdatedRows } = await change(id)
        .set({ tries: next.tries, asked: next.asked, next_try_at: next.nextTryAt, updated_at: now })
        .where('tries', '=', tries)
        .where('asked', asked === null ? 'is' : '=', asked)
        .where('next_try_at', nextTryAt === null ? 'is' : '=', nextTryAt)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },

    async stands(id, { progress, problem = null, nextTryAt }) {
      await change(id)
        .set({ progress, problem, updated_at: now, ...(nextTryAt !== undefined && { next_try_at: nextTryAt }) })
        .execute()
    },

    async ordered(id, { since, most }) {
      await storeLock(db, 'certificates:ordered')
      const recent = db.selectFrom('certificates').select('id').where('ordered_at', '>', since).limit(most)
      if ((await recent.execute()).length >= most) return false
      await change(id).set({ progress: 'order', problem: null, ordered_at: now, updated_at: now }).execute()
      return true
    },

    async rest(id, { renewAt, nextTryAt, problem }) {
      await change(id)
        .set({
          progress: 'served',
          problem,
          ...(problem === null && { tries: 0 }),
          renew_at: renewAt,
          next_try_at: nextTryAt,
          updated_at: now,
        })
        .execute()
    },

    async pauseAll(until) {
      await db.updateTable('certificates').set({ next_try_at: until }).where('next_try_at', '<', until).execute()
    },

    async serve({ id }, { source, names, chain, issuer, authority, notBefore, notAfter, renewAt, nextTryAt, problem }) {
      await change(id)
        .set({
          ...{ source, names: encodeJson(names), chain, issuer, authority, not_before: notBefore, not_after: notAfter },
          ...{
            progress: 'served',
            problem,
            tries: 0,
            renew_at: renewAt,
            next_try_at: nextTryAt,
            updated_at: now,
            told_days: null,
          },
        })
        .execute()
    },

    async endingBefore(moment, limit) {
      const found = await rows()
        .where('certificates.not_after', '<', moment)
        .orderBy('certificates.not_after')
        .limit(limit)
        .execute()
      return found.flatMap((row) => {
        const { id, tenantId, fqdn, source, notBefore, notAfter, problem } = certificateOf(row)
        const ends = { id, tenantId, fqdn, source, problem, toldDays: row.told_days }
        return notBefore === null || notAfter === null ? [] : [{ ...ends, notBefore, notAfter }]
      })
    },

    async tellEnd({ id, toldDays }, days) {
      const { numUpdatedRows } = await change(id)
        .set({ told_days: days })
        .where('told_days', toldDays === null ? 'is' : '=', toldDays)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },

    async lookNow(id) {
      await change(id).set({ source: 'acme', tries: 0, next_try_at: now, updated_at: now }).execute()
    },
  }
}

const Names = z.array(z.string())

function certificateOf(row: Selectable<CertificateTable> & { readonly tenant_name: string }): Certificate {
  return {
    id: stored(row.id),
    tenantId: stored(row.tenant_id),
    tenantName: row.tenant_name,
    domainId: stored(row.domain_id),
    fqdn: stored(row.fqdn),
    status: row.status,
    source: stored(row.source),
    progress: stored(row.progress),
    problem: row.problem,
    names: Names.parse(decodeJson(row.names)),
    issuer: row.issuer,
    notBefore: row.not_before,
    notAfter: row.not_after,
    renewAt: row.renew_at,
    nextTryAt: row.next_try_at,
    chain: row.chain,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  }
}
