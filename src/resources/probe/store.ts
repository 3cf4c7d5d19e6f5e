/** What probes have found, one row of a bounded size for each site: the days by their numbers, the last hour in full. */
import { z } from 'zod'
import type { Fqdn, Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import { index, type Migration, table } from '../../store/migrations/migration.ts'
import type { Bit, CommonColumns, JsonText } from '../../store/tables/common.ts'
import { type StoreTools, stored, storedOrNull } from '../store-tools.ts'
import { ProbeDay, ProbedDns, ProbedTls, type ProbeState, RecentProbe, type SiteProbe } from './schema.ts'

interface SiteProbeTable extends CommonColumns {
  domain_id: string
  state: string
  checked_at: string | null
  failing_since: string | null
  problem: string | null
  is_deep: Bit
  https: JsonText
  dns: JsonText
  days: JsonText
  recent: JsonText
}

declare module '../../store/database.ts' {
  interface Database {
    site_probes: SiteProbeTable
  }
}

declare module '../stores.ts' {
  interface Stores {
    readonly probes: ProbeStore
  }
}

export const siteProbes: Migration = {
  number: 44,
  name: 'site-probes',
  statements: (words) => [
    table(words, 'site_probes', {
      domain_id: `${words.id} not null unique references domains (id) on delete cascade`,
      state: 'text not null',
      checked_at: words.time,
      failing_since: words.time,
      problem: 'text',
      is_deep: `${words.int} not null`,
      https: `${words.json} not null`,
      dns: `${words.json} not null`,
      days: `${words.json} not null`,
      recent: `${words.json} not null`,
    }),
    index('site_probes', 'failing_since', { where: 'failing_since is not null' }),
  ],
}

export interface ProbeTarget {
  readonly id: Id
  readonly fqdn: Fqdn
  readonly hasCertificate: boolean
  readonly deep: boolean
  readonly failingSince: string | null
}

/** What came up since the last write. */
export interface ProbeNews {
  readonly state: ProbeState
  readonly checkedAt: string
  readonly failingSince: string | null
  readonly problem: string | null
  readonly https: ProbedTls | null
  readonly dns: ProbedDns | null
  /** To be added to what is known of these days. */
  readonly days: readonly ProbeDay[]
  /** The newest first. */
  readonly recent: readonly RecentProbe[]
}

const keptDays = 90
const keptRecent = 60

export interface ProbeStore {
  /** Of a domain that is there. */
  of(domain: { readonly id: Id; readonly fqdn: Fqdn }): Promise<SiteProbe>
  /** Every site that the machine serves, also those that are closed. */
  targets(): Promise<ProbeTarget[]>
  failing(limit: number): Promise<{ id: Id; fqdn: Fqdn; failingSince: string; problem: string | null }[]>
  add(domain: Id, news: ProbeNews): Promise<void>
  setDeep(domain: Id, deep: boolean): Promise<void>
}

export function probeStore(db: Db, { now, newId }: StoreTools): ProbeStore {
  const row = (domain: Id) =>
    db.selectFrom('site_probes').selectAll().where('domain_id', '=', domain).executeTakeFirst()

  const make = async (domain: Id) => {
    const nothing = { state: 'unknown', https: encodeJson(null), dns: encodeJson(null), days: encodeJson([]) } as const
    await db
      .insertInto('site_probes')
      .values({
        id: newId(),
        created_at: now,
        updated_at: now,
        domain_id: domain,
        is_deep: 0,
        recent: encodeJson([]),
        ...nothing,
      })
      .onConflict((one) => one.column('domain_id').doNothing())
      .execute()
  }

  return {
    async of({ id, fqdn }) {
      const found = await row(id)
      if (found === undefined)
        return {
          id,
          fqdn,
          state: 'unknown',
          checkedAt: null,
          failingSince: null,
          problem: null,
          https: null,
          dns: null,
          deep: false,
          days: [],
          recent: [],
        }
      return {
        id,
        fqdn,
        state: stored<ProbeState>(found.state),
        checkedAt: found.checked_at,
        failingSince: found.failing_since,
        problem: found.problem,
        https: read(ProbedTls.nullable(), found.https, null),
        dns: read(ProbedDns.nullable(), found.dns, null),
        deep: found.is_deep === 1,
        days: read(z.array(ProbeDay), found.days, []),
        recent: read(z.array(RecentProbe), found.recent, []),
      }
    },

    async targets() {
      const found = await db
        .selectFrom('domains')
        .leftJoin('site_probes', 'site_probes.domain_id', 'domains.id')
        .leftJoin('certificates', (join) =>
          join
            .onRef('certificates.domain_id', '=', 'domains.id')
            .on('certificates.deleted_at', 'is', null)
            .on('certificates.not_after', 'is not', null),
        )
        .select([
          'domains.id',
          'domains.fqdn',
          'site_probes.is_deep',
          'site_probes.failing_since',
          'certificates.id as certificate',
        ])
        .where('domains.deleted_at', 'is', null)
        .where('domains.status', 'in', ['active', 'suspended'])
        .execute()
      return found.map((one) => ({
        id: stored<Id>(one.id),
        fqdn: stored<Fqdn>(one.fqdn),
        hasCertificate: one.certificate !== null,
        deep: one.is_deep === 1,
        failingSince: storedOrNull(one.failing_since),
      }))
    },

    async failing(limit) {
      const found = await db
        .selectFrom('site_probes')
        .innerJoin('domains', 'domains.id', 'site_probes.domain_id')
        .select(['domains.id', 'domains.fqdn', 'site_probes.failing_since', 'site_probes.problem'])
        .where('site_probes.failing_since', 'is not', null)
        .where('domains.deleted_at', 'is', null)
        .where('domains.status', '=', 'active')
        .orderBy('site_probes.failing_since')
        .orderBy('domains.id')
        .limit(limit)
        .execute()
      return found.map((one) => ({
        id: stored<Id>(one.id),
        fqdn: stored<Fqdn>(one.fqdn),
        failingSince: one.failing_since ?? now,
        problem: one.problem,
      }))
    },

    async add(domain, { state, checkedAt, failingSince, problem, https, dns, days, recent }) {
      const before = await row(domain)
      if (before === undefined) {
        const isThere = await db.selectFrom('domains').select('id').where('id', '=', domain).executeTakeFirst()
        if (isThere === undefined) return // purged while it was looked at
        await make(domain)
      }
      const known = read(z.array(ProbeDay), before?.days ?? null, [])
      const last = read(z.array(RecentProbe), before?.recent ?? null, [])
      await db
        .updateTable('site_probes')
        .set({
          updated_at: now,
          state,
          checked_at: checkedAt,
          failing_since: failingSince,
          problem,
          ...(https !== null && { https: encodeJson(https) }),
          ...(dns !== null && { dns: encodeJson(dns) }),
          days: encodeJson(withDays(known, days).slice(-keptDays)),
          recent: encodeJson([...recent, ...last].slice(0, keptRecent)),
        })
        .where('domain_id', '=', domain)
        .execute()
    },

    async setDeep(domain, deep) {
      await make(domain)
      await db
        .updateTable('site_probes')
        .set({ updated_at: now, is_deep: deep ? 1 : 0 })
        .where('domain_id', '=', domain)
        .execute()
    },
  }
}

/** A row that is damaged begins anew. */
function read<S extends z.ZodType>(schema: S, text: unknown, otherwise: z.output<S>): z.output<S> {
  return schema.safeParse(text === null ? null : decodeJson(text as never)).data ?? otherwise
}

export function withDays(known: readonly ProbeDay[], news: readonly ProbeDay[]): ProbeDay[] {
  const all = new Map(known.map((one) => [one.day, one]))
  for (const one of news) {
    const before = all.get(one.day)
    all.set(one.day, before === undefined ? one : sum(before, one))
  }
  return [...all.values()].toSorted((one, other) => (one.day < other.day ? -1 : 1))
}

function sum(one: ProbeDay, other: ProbeDay): ProbeDay {
  const answered = (day: ProbeDay) => day.up + day.closed
  const both = answered(one) + answered(other)
  const ms = both === 0 ? 0 : Math.round((one.ms * answered(one) + other.ms * answered(other)) / both)
  return { day: one.day, up: one.up + other.up, down: one.down + other.down, closed: one.closed + other.closed, ms }
}
