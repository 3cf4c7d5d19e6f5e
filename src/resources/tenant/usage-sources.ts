/** The sources of what tenants use. To add one: a source here, and one on the root side if the machine has to be asked. */
import { z } from 'zod'
import { DatabaseSizes, DiskUsage, TrafficCounters, type UsageSource } from '../../contract/usage.ts'
import type { Id } from '../../contract/values.ts'
import type { Stores } from '../stores.ts'
import type { DueTenant, Look } from './usage-store.ts'

/** Asks the root side; throws while it is away. */
export type AskUsage = <S extends z.ZodType>(of: UsageSource, tenants: readonly Id[], answer: S) => Promise<z.output<S>>

export interface Source {
  readonly name: string
  readonly everyMs: number
  /** Tenants in one look. */
  readonly atOnce: number
  /** Those that are left out of the answer are due again. */
  look(due: readonly DueTenant[], from: { readonly stores: Stores; readonly ask: AskUsage }): Promise<Looks>
}

type Looks = ReadonlyMap<Id, Look>

const minute = 60_000
const hour = 60 * minute
const megabyte = 1_000_000

const domains: Source = {
  name: 'domains',
  everyMs: hour,
  atOnce: 500,
  async look(due, { stores }) {
    const counted = await stores.usage.countDomains(due.map(({ id }) => id))
    return new Map(due.map(({ id }) => [id, { figures: { domains: counted.get(id) ?? 0 }, state: null }]))
  },
}

const disk: Source = {
  name: 'disk',
  everyMs: 12 * hour,
  atOnce: 500,
  async look(due, { ask }) {
    const found = await ask('disk', idsOf(due), DiskUsage)
    return new Map(
      found.map(({ tenant, bytes, isWhole }) => [
        tenant,
        { figures: bytes === null ? {} : { diskMb: Math.ceil(bytes / megabyte) }, state: { isWhole } },
      ]),
    )
  },
}

const TrafficState = z.object({ since: z.string(), sent: z.number() }).nullable()

const traffic: Source = {
  name: 'traffic',
  everyMs: 10 * minute,
  atOnce: 500,
  async look(due, { ask }) {
    const found = new Map((await ask('traffic', idsOf(due), TrafficCounters)).map((one) => [one.tenant, one]))
    return new Map<Id, Look>(
      due.map((tenant) => {
        const { since, sent } = found.get(tenant.id) ?? {}
        if (since === undefined || sent === undefined) return [tenant.id, { figures: {}, state: null }]
        return [tenant.id, { figures: { sent: growth(tenant, { since, sent }) }, state: { since, sent } }]
      }),
    )
  },
}

/** Whose server was silent keeps the size that it had. */
const databases: Source = {
  name: 'databases',
  everyMs: 6 * hour,
  atOnce: 100,
  async look(due, { ask }) {
    const found = await ask('databases', idsOf(due), DatabaseSizes)
    return new Map(
      found.map(({ tenant, databases: sizes }) => [
        tenant,
        {
          figures: {},
          state: null,
          sizes: sizes.flatMap(({ database, bytes }) =>
            bytes === null ? [] : [{ database, usedMb: Math.ceil(bytes / megabyte) }],
          ),
        },
      ]),
    )
  },
}

export const usageSources: readonly Source[] = [domains, disk, traffic, databases]

/**
 * A counter that began after the tenant was made has counted this tenant alone; an older one, of a name that others had,
 * counts from now on. After a crash of its writer a counter is a minute behind: nothing is counted twice.
 */
function growth({ createdAt, state }: DueTenant, counter: { readonly since: string; readonly sent: number }): number {
  const before = TrafficState.safeParse(state).data
  if (before?.since === counter.since) return Math.max(0, counter.sent - before.sent)
  return counter.since >= createdAt ? counter.sent : 0
}

function idsOf(due: readonly DueTenant[]): Id[] {
  return due.map(({ id }) => id)
}
