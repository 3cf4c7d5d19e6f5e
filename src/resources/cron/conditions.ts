/** Cron jobs whose last run failed, and those that did not run when they were due. */
import { shownHost } from '../../lib/host-name.ts'
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
    const troubled = await stores.crons.troubled(most)
    const late = await stores.cronRuns.late(before, most)
    const overdue = await stores.crons.overdue(before, most)
    return [
      ...troubled.flatMap(troubleOf),
      ...late.map(({ cronId, dueAt, ...cron }) => notBegun({ id: cronId, ...cron }, dueAt)),
      ...overdue.map((cron) => notBegun(cron, cron.nextAt ?? now)),
    ]
  },
}

type Named = Pick<Cron, 'id' | 'name' | 'fqdn'>

function troubleOf(cron: Cron): readonly FoundCondition[] {
  const { id, failingSince, missedAt, lastProblem } = cron
  const about = { severity: 'warning', page: `/cron-jobs/${id}` } as const
  return [
    ...(failingSince === null
      ? []
      : [{ ...about, subject: `${id} failed`, title: `${titleOf(cron)} fails`, detail: lastProblem }]),
    ...(missedAt === null
      ? []
      : [{ ...about, subject: `${id} missed`, title: `${titleOf(cron)} did not run at ${minuteOf(missedAt)}` }]),
  ]
}

function notBegun(cron: Named, dueAt: string): FoundCondition {
  const title = `${titleOf(cron)} has not begun, and was due at ${minuteOf(dueAt)}`
  return { subject: `${cron.id} waits`, severity: 'warning', title, page: `/cron-jobs/${cron.id}` }
}

function titleOf({ name, fqdn }: Named): string {
  return `Cron job "${name}" of ${shownHost(fqdn)}`
}

function minuteOf(moment: string): string {
  return `${moment.slice(0, 16).replace('T', ' ')} UTC`
}
