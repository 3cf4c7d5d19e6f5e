/** Commands of tenants that are run at times. */

import { type Badge, type Cell, statusBadge, type Table } from '../../lib/page-model.ts'
import { shownHost } from '../../lib/shown-host.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import { ownedRow } from '../owned-row.ts'
import { troubledCrons } from './conditions.ts'
import * as operations from './operations.ts'
import { cronRunStore } from './run-store.ts'
import { Cron, Run } from './schema.ts'
import { cronStore } from './store.ts'
import { cronJobs } from './tables.ts'
import { words } from './words.ts'

export const cron = defineKind({
  name: 'cron',
  words,
  path: '/cron-jobs',
  menu: { group: 'hosting', icon: 'clock' },
  parent: 'domain',
  item: Cron,
  columns: ({ t, words, about }) => [
    {
      title: label(t, 'name'),
      cell: ({ id, name, schedule }) => ({ text: name, href: `/cron-jobs/${id}`, sub: schedule }),
    },
    { title: label(t, 'status'), cell: (one) => ({ badge: badgeOf(one, words) }) },
    ...(about === 'domain' ? [] : [{ title: label(t, 'domain'), wide: true, cell: domainCell }]),
    { title: words.fields.nextAt, wide: true, cell: ({ nextAt }) => timeCell(nextAt) },
  ],
  detail: {
    ref: ({ id }) => id,
    async page(one, { t, words, may, some }) {
      const runs = await some('cron.runs', { cron: one.id, limit: 20 }, Run)
      return {
        title: one.name,
        status: badgeOf(one, words),
        more: one.deletedAt === null && may('cron.run') ? [{ title: words.runNow, operation: 'cron.run' }] : [],
        sections: [
          { title: words.runs, table: runTable(t, runs, words), empty: words.noRuns },
          {
            title: t.job.about,
            isAside: true,
            facts: [
              { title: label(t, 'domain'), ...domainCell(one) },
              { title: words.fields.schedule, code: one.schedule },
              { title: words.fields.timeZone, text: one.timeZone },
              { title: words.fields.nextAt, ...timeCell(one.nextAt) },
              { title: words.fields.command, code: one.command.join(' ') },
              ...(one.environment.length === 0
                ? []
                : [{ title: words.fields.environment, code: one.environment.join(' ') }]),
              { title: words.fields.seconds, text: one.seconds },
              { title: words.fields.jitterSeconds, text: one.jitterSeconds },
              { title: words.fields.ifMissed, text: words.missedWays[one.ifMissed] },
              ...(one.failingSince === null ? [] : [{ title: words.failingSince, time: one.failingSince }]),
              { title: label(t, 'createdAt'), time: one.createdAt },
              ...(one.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: one.deletedAt }]),
              { title: label(t, 'id'), code: one.id },
            ],
          },
        ],
      }
    },
  },
  examples: {
    existing: { name: 'cleanup', schedule: '0 4 29 2 *' },
    create: { domain: 'bakery.example.com', name: 'newsletter', schedule: '30 4 * * 1', command: ['php', 'send.php'] },
    update: { timeZone: 'Europe/Berlin' },
  },
  stores: { crons: cronStore, cronRuns: cronRunStore },
  migrations: [cronJobs],
  tables: {
    cron_jobs: {
      one: 'cron job',
      name: ['name', 'domain_id'],
      shows: ['schedule', 'time_zone', 'is_enabled', 'status'],
    },
    cron_runs: { one: 'run of a cron job', name: ['cron_id'], shows: ['outcome'] },
  },
  row: ownedRow('cron_jobs', 'name', []),
  conditions: [troubledCrons],
  purge: async ({ crons }, moment) => ({ jobs: 0, rows: await crons.purge(moment) }),
  operations,
})

type Words = typeof words

function badgeOf({ isEnabled, failingSince, missedAt, deletedAt }: Cron, { off, failing, missed }: Words): Badge {
  if (deletedAt !== null) return statusBadge('deleted')
  if (!isEnabled) return { text: off, tone: 'idle' }
  if (failingSince !== null) return { text: failing, tone: 'bad' }
  return missedAt === null ? statusBadge('active') : { text: missed, tone: 'bad' }
}

function runTable(t: Texts, runs: readonly Run[], { runs: caption, columns, outcomes }: Words): Table {
  return {
    caption,
    columns: [
      { title: columns.due },
      { title: columns.outcome },
      { title: columns.duration, number: true, wide: true },
      { title: columns.exitCode, number: true, wide: true },
    ],
    rows: runs.map((one) => [
      { ...(hasJob(one) && { href: `/jobs/${one.id}` }), ...timeCell(one.dueAt) },
      { badge: statusBadge(one.outcome, outcomes), ...(one.problem !== null && { sub: one.problem }) },
      {
        text: one.milliseconds === null ? '–' : `${t.format.fixed(one.milliseconds / 1000, 1)} ${t.time.units.seconds}`,
      },
      { text: one.exitCode ?? '–' },
    ]),
  }
}

function hasJob({ outcome }: Run): boolean {
  return outcome !== 'skipped' && outcome !== 'missed'
}

function domainCell({ fqdn }: Cron): Cell {
  return { text: shownHost(fqdn), href: `/domains/${fqdn}` }
}

function timeCell(time: string | null): Cell {
  return time === null ? { text: '–' } : { time }
}
