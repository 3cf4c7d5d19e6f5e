/** Writes to a tenant's people before a certificate of theirs ends, once for each of the days on which people are told. */
import type { Logger } from 'pino'
import type { Id } from '../../contract/values.ts'
import { shownHost } from '../../lib/shown-host.ts'
import type { Db } from '../../store/database.ts'
import type { Stores } from '../stores.ts'
import { ticker } from '../ticker.ts'
import { toldDays, warnedMs, whenOf } from './ending.ts'
import type { Ending } from './store.ts'

export interface EndTellerOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly canMail: () => boolean
  readonly log: Logger
  readonly tickMs?: number | undefined
  readonly now?: () => number
}

const everyMs = 10 * 60_000
const most = 1000
/** Of one tenant. */
const mostReaders = 20
const mostLines = 30

interface News {
  readonly one: Ending
  readonly days: number
}

export function endTeller({ db, storesOf, canMail, log, tickMs = everyMs, now = Date.now }: EndTellerOptions) {
  async function work(): Promise<void> {
    if (!canMail() || !(await storesOf(db).settings.get('certificates.mail_customers'))) return
    const soon = new Date(now() + warnedMs).toISOString()
    const found = await storesOf(db).certificates.endingBefore(soon, most)
    const news = found.flatMap((one): News[] => {
      const days = toldDays(one, now())
      return days === null || (one.toldDays !== null && one.toldDays <= days) ? [] : [{ one, days }]
    })
    for (const [tenant, all] of Map.groupBy(news, ({ one }) => one.tenantId)) await tell(tenant, all)
  }

  /** In one transaction, so that nothing is told twice and nothing is forgotten. */
  async function tell(tenant: Id, all: readonly News[]): Promise<void> {
    await db.transaction().execute(async (tx) => {
      const { certificates, users, mails } = storesOf(tx)
      const fresh: News[] = []
      for (const each of all) if (await certificates.tellEnd(each.one, each.days)) fresh.push(each)
      if (fresh.length === 0) return
      for (const address of await users.peopleOf(tenant, mostReaders))
        await mails.queue('certificates', address, null, linesOf(fresh))
    })
  }

  const ticking = ticker(work, tickMs, (err) => log.error({ err }, 'cannot tell of certificates that end'))
  return {
    wake: ticking.wake,
    start: ticking.start,
    stop: ticking.stop,
  }
}

function linesOf(all: readonly News[]): string[] {
  const lines = all.slice(0, mostLines).map(({ one, days }) => {
    const why = one.problem === null ? '' : ` (${one.problem})`
    return `${shownHost(one.fqdn)}: it ${whenOf(days)}, on ${one.notAfter.slice(0, 10)}${why}`
  })
  return all.length > mostLines ? [...lines, `and ${all.length - mostLines} more`] : lines
}
