/** Cron jobs whose last run failed, and those that did not run when they were due. */
import { shownHost } from '../../lib/shown-host.ts'
import { type ConditionSource, eachRound, type FoundCondition } from '../condition-source.ts'
import type { Cron } from './schema.ts'

/** A run that has not begun for so long counts as one that did not run. */
const waitedMs = 15 * 60_000
const most = 200

export const troubledCrons: ConditionSource = {
  name: 'cron',
  everyMs: eachRound,
  async find({ stores, now }) {
    const before = new Date(Date.parse(now) - waitedMs).toISOString()
    const failing = await stores.crons.failing(most)
    const missed = await stores.crons.missed(most)
    const late = await stores.cronRuns.late(before, most)
    const overdue = await stores.crons.overdue(before, most)
    return [
      ...failing.map((cron) => trouble(cron, 'failed', 'fails', cron.lastProblem)),
      ...missed.map((cron) => trouble(cron, 'missed', `did not run at ${minuteOf(cron.missedAt ?? now)}`)),
      ...late.map(({ cronId, dueAt, ...cron }) => notBegun({ id: cronId, ...cron }, dueAt)),
      ...overdue.map((cron) => notBegun(cron, cron.nextAt ?? now)),
    ]
  },
}

type Named = Pick<Cron, 'id' | 'name' | 'fqdn'>

function trouble(cron: Named, what: string, words: string, detail: string | null = null): FoundCondition {
  const title = `Cron job "${cron.name}" of ${shownHost(cron.fqdn)} ${words}`
  return { subject: `${cron.id} ${what}`, severity: 'warning', title, detail, page: `/cron-jobs/${cron.id}` }
}

function notBegun(cron: Named, dueAt: string): FoundCondition {
  return trouble(cron, 'waits', `has not begun, and was due at ${minuteOf(dueAt)}`)
}

function minuteOf(moment: string): string {
  return `${moment.slice(0, 16).replace('T', ' ')} UTC`
}
