/** What tenants use, as it was measured last, and by day and month. */
import { sql } from 'kysely'
import { z } from 'zod'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import { type StoreTools, stored } from '../store-tools.ts'
import type { Tenant, Usage, UsagePeriod, UsageSpan } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly usage: UsageStore
  }
}

/** A tenant that a source has not looked at for a while. */
export interface DueTenant {
  readonly id: Id
  readonly createdAt: string
  /** What the source wanted to be told again; null before its first look. */
  readonly state: unknown
}

/** What one look has found; what is left out stays. */
export interface Figures {
  readonly diskMb?: number
  readonly domains?: number
  /** Bytes since the look before. */
  readonly sent?: number
}

/** What a source has found of a tenant. */
export interface Look {
  readonly figures: Figures
  /** Told to the source with its next look. */
  readonly state: unknown
  /** Of its databases, where the source has measured them. */
  readonly sizes?: readonly DatabaseSize[]
}

export interface DatabaseSize {
  readonly database: Id
  /** MB, of 1,000,000 bytes. */
  readonly usedMb: number
}

export interface UsageStore {
  /** Living tenants that the source has not looked at since that moment, the longest unseen first. */
  due(source: string, before: string, limit: number): Promise<DueTenant[]>
  /** To be called in a transaction: the same few statements, however many tenants. Those that were purged meanwhile are left out. */
  write(source: string, looks: ReadonlyMap<Id, Look>): Promise<void>
  countDomains(tenants: readonly Id[]): Promise<ReadonlyMap<string, number>>
  of(tenant: Pick<Tenant, 'id' | 'domains'>): Promise<Usage>
  /** The newest first. */
  history(tenant: Id, span: UsageSpan): Promise<UsagePeriod[]>
  /** Days and months that are not kept any longer. @returns how many */
  forget(): Promise<number>
}

const keptDays = 62
const keptMonths = 36
const megabyte = 1_000_000
const DiskState = z.object({ isWhole: z.boolean() })

export function usageStore(db: Db, { now, newId }: StoreTools): UsageStore {
  const day = now.slice(0, 10)
  const month = now.slice(0, 7)

  const latest = (tenant: Id) =>
    db.selectFrom('tenant_usage').selectAll().where('tenant_id', '=', tenant).executeTakeFirst()

  const period = (tenant: Id, span: UsageSpan, name: string) =>
    db
      .selectFrom('usage_history')
      .selectAll()
      .where('tenant_id', '=', tenant)
      .where('span', '=', span)
      .where('period', '=', name)
      .executeTakeFirst()

  const living = async (tenants: readonly Id[]): Promise<Id[]> => {
    const found = await db.selectFrom('tenants').select('id').where('id', 'in', tenants).execute()
    return found.map(({ id }) => stored(id))
  }

  const row = (tenant: Id) => ({ id: newId(), created_at: now, updated_at: now, tenant_id: tenant })

  async function looked(source: string, tenants: readonly Id[], looks: ReadonlyMap<Id, Look>): Promise<void> {
    await db
      .insertInto('usage_looks')
      .values(
        tenants.map((id) => ({
          ...row(id),
          source,
          looked_at: now,
          state: encodeJson(looks.get(id)?.state ?? null),
        })),
      )
      .onConflict((one) =>
        one
          .columns(['tenant_id', 'source'])
          .doUpdateSet(({ ref }) => ({ updated_at: now, looked_at: now, state: ref('excluded.state') })),
      )
      .execute()
  }

  async function sized(tenant: Id, sizes: readonly DatabaseSize[] = []): Promise<void> {
    for (const { database, usedMb } of sizes)
      await db
        .updateTable('databases')
        .set({ used_mb: usedMb, measured_at: now })
        .where('id', '=', database)
        .where('tenant_id', '=', tenant)
        .execute()
  }

  /** With what is known of each from before where the look has not found it. */
  async function wholeFigures(
    tenants: readonly Id[],
    looks: ReadonlyMap<Id, Look>,
  ): Promise<readonly (readonly [Id, Required<Figures>])[]> {
    const known = await db.selectFrom('tenant_usage').selectAll().where('tenant_id', 'in', tenants).execute()
    const before = new Map<string, (typeof known)[number]>(known.map((one) => [one.tenant_id, one]))
    return tenants.map((id) => {
      const { used_disk_mb: diskMb = 0, used_domains: domains = 0 } = before.get(id) ?? {}
      return [id, { diskMb, domains, sent: 0, ...looks.get(id)?.figures }]
    })
  }

  /** Adds to the day and the month that run. */
  async function add(all: readonly (readonly [Id, Required<Figures>])[]): Promise<void> {
    const periods = [
      { span: 'day', period: day },
      { span: 'month', period: month },
    ] as const
    await db
      .insertInto('usage_history')
      .values(
        all.flatMap(([id, { diskMb, domains, sent }]) =>
          periods.map((one) => ({
            ...row(id),
            ...one,
            used_disk_mb: diskMb,
            used_domains: domains,
            bandwidth_tx: sent,
          })),
        ),
      )
      .onConflict((one) =>
        one.columns(['tenant_id', 'span', 'period']).doUpdateSet(({ ref }) => ({
          updated_at: now,
          used_disk_mb: ref('excluded.used_disk_mb'),
          used_domains: ref('excluded.used_domains'),
          bandwidth_tx: sql<number>`${ref('usage_history.bandwidth_tx')} + ${ref('excluded.bandwidth_tx')}`,
        })),
      )
      .execute()
  }

  async function sentThisMonth(tenants: readonly Id[]): Promise<ReadonlyMap<string, number>> {
    const found = await db
      .selectFrom('usage_history')
      .select(['tenant_id', 'bandwidth_tx'])
      .where('tenant_id', 'in', tenants)
      .where('span', '=', 'month')
      .where('period', '=', month)
      .execute()
    return new Map(found.map(({ tenant_id, bandwidth_tx }) => [tenant_id, bandwidth_tx]))
  }

  return {
    async due(source, before, limit) {
      const found = await db
        .selectFrom('tenants')
        .leftJoin('usage_looks', (join) =>
          join.onRef('usage_looks.tenant_id', '=', 'tenants.id').on('usage_looks.source', '=', source),
        )
        .select(['tenants.id', 'tenants.created_at', 'usage_looks.state'])
        .where('tenants.deleted_at', 'is', null)
        .where('tenants.status', 'in', ['active', 'suspended'])
        .where((eb) => eb.or([eb('usage_looks.id', 'is', null), eb('usage_looks.looked_at', '<', before)]))
        .orderBy((eb) => eb.case().when('usage_looks.id', 'is', null).then(0).else(1).end())
        .orderBy('usage_looks.looked_at')
        .orderBy('tenants.id')
        .limit(limit)
        .execute()
      return found.map(({ id, created_at, state }) => ({
        id: stored(id),
        createdAt: created_at,
        state: state === null ? null : decodeJson(state),
      }))
    },

    async write(source, looks) {
      const tenants = looks.size === 0 ? [] : await living([...looks.keys()])
      if (tenants.length === 0) return
      await looked(source, tenants, looks)
      for (const id of tenants) await sized(id, looks.get(id)?.sizes)
      const all = await wholeFigures(tenants, looks)
      await add(all)
      const sent = await sentThisMonth(tenants)
      await db
        .insertInto('tenant_usage')
        .values(
          all.map(([id, { diskMb, domains }]) => ({
            ...row(id),
            used_disk_mb: diskMb,
            used_domains: domains,
            bandwidth_tx: sent.get(id) ?? 0,
          })),
        )
        .onConflict((one) =>
          one.column('tenant_id').doUpdateSet(({ ref }) => ({
            updated_at: now,
            used_disk_mb: ref('excluded.used_disk_mb'),
            used_domains: ref('excluded.used_domains'),
            bandwidth_tx: ref('excluded.bandwidth_tx'),
          })),
        )
        .execute()
    },

    async countDomains(tenants) {
      if (tenants.length === 0) return new Map()
      const found = await db
        .selectFrom('domains')
        .select(['tenant_id', (eb) => eb.fn.countAll<number>().as('count')])
        .where('tenant_id', 'in', tenants)
        .where('deleted_at', 'is', null)
        .groupBy('tenant_id')
        .execute()
      return new Map(found.map(({ tenant_id, count }) => [tenant_id, count]))
    },

    async of({ id, domains }) {
      const [latestRow, thisMonth] = [await latest(id), await period(id, 'month', month)]
      const looks = await db.selectFrom('usage_looks').selectAll().where('tenant_id', '=', id).execute()
      const disk = looks.find(({ source }) => source === 'disk')
      const databases = await db
        .selectFrom('databases')
        .select(sql<number | null>`cast(sum(used_mb) as bigint)`.as('mb'))
        .where('tenant_id', '=', id)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      return {
        domains,
        diskMb: disk === undefined ? null : (latestRow?.used_disk_mb ?? 0),
        diskIsWhole: disk === undefined || DiskState.safeParse(decodeJson(disk.state)).data?.isWhole !== false,
        diskAt: disk?.looked_at ?? null,
        databasesMb: databases?.mb ?? null,
        trafficMb: Math.round((thisMonth?.bandwidth_tx ?? 0) / megabyte),
        trafficAt: looks.find(({ source }) => source === 'traffic')?.looked_at ?? null,
      }
    },

    async history(tenant, span) {
      const found = await db
        .selectFrom('usage_history')
        .selectAll()
        .where('tenant_id', '=', tenant)
        .where('span', '=', span)
        .orderBy('period', 'desc')
        .execute()
      return found.map((row) => ({
        period: row.period,
        domains: row.used_domains,
        diskMb: row.used_disk_mb,
        trafficMb: Math.round(row.bandwidth_tx / megabyte),
      }))
    },

    async forget() {
      let count = 0
      for (const [span, oldest] of [
        ['day', daysBefore(day, keptDays)],
        ['month', monthsBefore(month, keptMonths)],
      ] as const) {
        const { numDeletedRows } = await db
          .deleteFrom('usage_history')
          .where('span', '=', span)
          .where('period', '<=', oldest)
          .executeTakeFirst()
        count += Number(numDeletedRows)
      }
      return count
    },
  }
}

function daysBefore(day: string, days: number): string {
  return new Date(Date.parse(day) - days * 86_400_000).toISOString().slice(0, 10)
}

function monthsBefore(month: string, months: number): string {
  const at = new Date(`${month}-01`)
  at.setUTCMonth(at.getUTCMonth() - months)
  return at.toISOString().slice(0, 7)
}
