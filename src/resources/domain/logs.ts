/** What the web server has written of a site: its lines, and what occurs most in them. */
import { z } from 'zod'
import { Count } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { listInput } from '../listing.ts'
import { badInput } from '../refusals.ts'
import { scopeOf } from '../visibility.ts'
import type { LogScanned, LogSource } from './log-access.ts'
import { filterInput, filterOf, periodInput } from './log-filter.ts'
import { LogEntry, readLine } from './log-line.ts'
import { TopList, type Tops, topsOf } from './log-tops.ts'
import { DomainRef } from './ready.ts'
import { type Domain, heldAliases } from './schema.ts'

const Place = z
  .string()
  .regex(/^\d{1,20}-\d{1,15}$/, { error: 'a place that an earlier answer named' })
  .optional()
const policy = { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] } as const

const looked = {
  /** Some of the log was left out: go on with `nextCursor`. */
  isCut: z.boolean(),
  /** Lines of the tenant's sites that were not written in that time, because its share was used up. */
  dropped: Count,
}

export const logs = defineOperation({
  name: 'domain.logs',
  summary: 'Show what the web server wrote about a site, the newest first',
  description:
    'Each call looks through a bounded part of the log; where that ended before the page was full, isCut is true and nextCursor leads on. With "after" only what was written since an earlier answer, whose "newest" it is.',
  effect: 'read',
  policy,
  http: 'GET /domains/{domain}/logs',
  positional: ['domain'],
  columns: ['time', 'status', 'level', 'remote', 'method', 'uri', 'text'],
  input: () =>
    z.strictObject({
      domain: DomainRef,
      ...filterInput,
      limit: listInput.limit,
      cursor: Place.describe('Continue after the page whose nextCursor this is'),
      after: Place.describe('Only what is newer than the answer whose "newest" this is'),
    }),
  output: () =>
    z.strictObject({
      items: z.array(LogEntry),
      nextCursor: z.string().nullable(),
      /** For `after`. */
      newest: z.string(),
      ...looked,
    }),
  async run(context, { domain, errors, limit, cursor, after, since, ...filter }) {
    if (errors && filter.status !== undefined)
      badInput('show the log of errors', {
        field: 'status',
        problem: 'is of requests alone',
        accepted: 'one of the two',
      })
    const source = errors ? 'error' : 'access'
    const items: LogEntry[] = []
    const fits = filterOf(filter)
    const { newest, next, isCut, dropped } = await scan(context, domain, { source, cursor, after, since }, (entry) => {
      if (!fits(entry)) return true
      items.push(entry)
      return items.length < limit
    })
    return { items, nextCursor: next, newest, isCut, dropped }
  },
})

export const top = defineOperation({
  name: 'domain.top',
  summary: 'Count what occurs most among the requests to a site',
  description:
    'Paths, addresses, agents and statuses. It looks through a bounded part of the log; isCut says that there is more of it.',
  effect: 'read',
  policy,
  http: 'GET /domains/{domain}/logs/top',
  positional: ['domain'],
  input: () => z.strictObject({ domain: DomainRef, ...periodInput }),
  output: () =>
    z.strictObject({
      requests: Count,
      /** Bytes of their answers. */
      sent: Count,
      /** Of the oldest request that was counted. */
      from: z.string().nullable(),
      statuses: TopList,
      paths: TopList,
      addresses: TopList,
      agents: TopList,
      ...looked,
    }),
  async run(context, { domain, since, until }) {
    const tops: Tops = topsOf()
    const fits = filterOf({ until })
    const { isCut, dropped } = await scan(context, domain, { source: 'access', since }, (entry) => {
      if (fits(entry)) tops.count(entry)
      return true
    })
    return { ...tops.result(), isCut, dropped }
  },
})

interface Wanted {
  readonly source: LogSource
  readonly cursor?: string | undefined
  readonly after?: string | undefined
  readonly since: string | undefined
}

/** The lines of a site, as its tenant had them: a name that was another's before has no lines of then. */
async function scan(
  context: Context,
  ref: string,
  { since = '', source, cursor, after }: Wanted,
  take: (entry: LogEntry) => boolean,
): Promise<LogScanned & { readonly dropped: number }> {
  const domain = await context.domains.get(ref, { scope: scopeOf(context.actor) })
  const names = namesOf(domain)
  const from = since > domain.createdAt ? since : toSecond(domain.createdAt)
  let dropped = 0
  let isOver = false
  const scanned = await context.machine.logs.scan({ cursor, after, source, tenant: domain.tenantName }, (line) => {
    const entry = readLine(source, line)
    if (entry === undefined) return true
    // lines come from several workers: one may be a little older than the one before it
    isOver = Date.parse(entry.time) + disorderMs < Date.parse(from)
    if (isOver) return false
    if (entry.time < from) return true
    if ('dropped' in entry) {
      dropped += entry.dropped
      return true
    }
    return names.has(entry.host) ? take(entry) : true
  })
  return { ...scanned, next: isOver ? null : scanned.next, dropped }
}

const disorderMs = 60_000

/** The log has no parts of seconds. */
function toSecond(time: string): string {
  return `${time.slice(0, 19)}.000Z`
}

function namesOf(domain: Domain): ReadonlySet<string> {
  return new Set<string>([domain.fqdn, ...heldAliases(domain)])
}
