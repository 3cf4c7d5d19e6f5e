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

export interface DatabaseSize {
  readonly database: Id
  /** MB, of 1,000,000 bytes. */
  readonly usedMb: number
}

export interface UsageStore {
  /** Living tenants that the source has not looked at since that moment, the longest unseen first. */
  due(source: string, before: string, limit: number): Promise<DueTenant[]>
  /** To be called in a transaction. */
  write(
    tenant: Id,
    look: {
      readonly source: string
      readonly figures: Figures
      readonly state: unknown
      readonly sizes?: readonly DatabaseSize[]
    },
  ): Promise<void>
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

  const isThere = async (id: Id) =>
    (await db.selectFrom('tenants').select('id').where('id', '=', id).executeTakeFirst()) !== undefined

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

  /** Adds to the period that runs, and answers what was sent in it. */
  async function add(tenant: Id, span: UsageSpan, name: string, { diskMb, domains, sent }: Required<Figures>) {
    const before = await period(tenant, span, name)
    const figures = { used_disk_mb: diskMb, used_domains: domains, bandwidth_tx: (before?.bandwidth_tx ?? 0) + sent }
    if (before === undefined)
      await db
        .insertInto('usage_history')
        .values({ id: newId(), created_at: now, updated_at: now, tenant_id: tenant, span, period: name, ...figures })
        .execute()
    else
      await db
        .updateTable('usage_history')
        .set({ updated_at: now, ...figures })
        .where('id', '=', before.id)
        .execute()
    return figures.bandwidth_tx
  }

  async function looked(tenant: Id, source: string, state: string): Promise<void> {
    await db
      .insertInto('usage_looks')
      .values({ id: newId(), created_at: now, updated_at: now, tenant_id: tenant, source, looked_at: now, state })
      .onConflict((row) => row.columns(['tenant_id', 'source']).doUpdateSet({ updated_at: now, looked_at: now, state }))
      .execute()
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

    async write(tenant, { source, figures, state, sizes = [] }) {
      if (!(await isThere(tenant))) return // purged while it was looked at
      await looked(tenant, source, encodeJson(state))
      for (const { database, usedMb } of sizes)
        await db
          .updateTable('databases')
          .set({ used_mb: usedMb, measured_at: now })
          .where('id', '=', database)
          .where('tenant_id', '=', tenant)
          .execute()
      const before = await latest(tenant)
      const whole = { diskMb: before?.used_disk_mb ?? 0, domains: before?.used_domains ?? 0, sent: 0, ...figures }
      await add(tenant, 'day', day, whole)
      const values = {
        updated_at: now,
        used_disk_mb: whole.diskMb,
        used_domains: whole.domains,
        bandwidth_tx: await add(tenant, 'month', month, whole),
      }
      await db
        .insertInto('tenant_usage')
        .values({ id: newId(), created_at: now, tenant_id: tenant, ...values })
        .onConflict((row) => row.column('tenant_id').doUpdateSet(values))
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
