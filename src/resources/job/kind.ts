/** Every change to the machine, step by step. */

import { type Badge, type Fact, statusBadge } from '../../lib/page-model.ts'
import { plainWords } from '../../lib/plain-words.ts'
import { shownHost } from '../../lib/shown-host.ts'
import { deed, label, type Texts } from '../../lib/texts.ts'
import { defineKind, type Hub, type Tab } from '../kind.ts'
import { stalledJobs } from './conditions.ts'
import { requests } from './migration.ts'
import * as operations from './operations.ts'
import { Job } from './schema.ts'
import { jobStore } from './store.ts'

const words = {
  one: 'job',
  many: 'Jobs',
  lede: 'Every change to the machine, step by step.',
  activity: 'Activity',
  none: 'No jobs yet',
  noneText: 'Jobs appear here as soon as something is created, changed or removed.',
}

/** What has been done to it. One in the trash is no name of a list. */
const activityTab: Tab<Hub, typeof words> = {
  slug: 'activity',
  order: 90,
  title: ({ words }) => words.activity,
  needs: 'job.list',
  input: jobsAbout,
  async sections(hub, { words, table }) {
    return [{ title: words.many, table: await table('job', { ...jobsAbout(hub), limit: 50 }), empty: `${words.none}.` }]
  },
}

function jobsAbout({ kind, id, ref, isGone }: Hub): Readonly<Record<string, string>> {
  return kind === 'tenant' && !isGone ? { tenant: ref } : { resource: id }
}

export const job = defineKind({
  name: 'job',
  words,
  path: '/jobs',
  menu: { group: 'activity', icon: 'job' },
  item: Job,
  columns: ({ t }) => [
    {
      title: label(t, 'job'),
      cell: ({ id, type, resourceName, failure }) => ({
        text: deed(t, type, shownHost(resourceName)),
        href: `/jobs/${id}`,
        ...(failure !== null && { sub: plainWords(failure.message) }),
      }),
    },
    { title: label(t, 'state'), cell: ({ state }) => ({ badge: jobBadge(state) }) },
    { title: label(t, 'actor'), wide: true, cell: ({ actor }) => ({ text: actor }) },
    { title: label(t, 'createdAt'), wide: true, cell: ({ createdAt }) => ({ time: createdAt }) },
  ],
  tabs: { tenant: [activityTab], domain: [activityTab] },
  detail: 'special',
  stores: { jobs: jobStore },
  conditions: [stalledJobs],
  migrations: [requests],
  operations,
})

export function jobBadge(state: string): Badge {
  return statusBadge(state)
}

/** @param href of the page of what the job is about */
export function jobFacts(t: Texts, one: Job, href: string): Fact[] {
  return [
    { title: t.kinds[one.kind]?.named ?? label(t, one.kind), text: shownHost(one.resourceName), href },
    ...(one.kind !== 'tenant' && one.tenantName !== null
      ? [{ title: label(t, 'tenant'), text: one.tenantName, href: `/tenants/${one.tenantName}` }]
      : []),
    { title: label(t, 'actor'), text: one.actor },
    { title: label(t, 'createdAt'), time: one.createdAt },
    ...(one.startedAt === null ? [] : [{ title: label(t, 'startedAt'), time: one.startedAt }]),
    ...(one.finishedAt === null ? [] : [{ title: label(t, 'finishedAt'), time: one.finishedAt }]),
    ...(one.attempts > 1 ? [{ title: label(t, 'attempts'), text: one.attempts }] : []),
    { title: label(t, 'id'), code: one.id },
  ]
}
