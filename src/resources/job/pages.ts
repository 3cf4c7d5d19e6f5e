/** Jobs as people see them. */
import { type Badge, type Fact, statusBadge, type Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { Job } from './schema.ts'

export function jobBadge(state: string): Badge {
  return statusBadge(state)
}

export function jobTable(t: Texts, jobs: readonly Job[]): Table {
  return {
    caption: t.jobs.title,
    columns: [
      { title: label(t, 'job') },
      { title: label(t, 'state') },
      { title: label(t, 'actor'), wide: true },
      { title: label(t, 'createdAt'), wide: true },
    ],
    rows: jobs.map((job) => [
      {
        text: `${job.type} ${job.resourceName}`,
        href: `/jobs/${job.id}`,
        ...(job.failure !== null && { sub: job.failure.message }),
      },
      { badge: jobBadge(job.state) },
      { text: job.actor },
      { time: job.createdAt },
    ]),
  }
}

export function jobFacts(t: Texts, job: Job): Fact[] {
  return [
    {
      title: label(t, job.kind === 'domain' ? 'fqdn' : 'tenant'),
      text: job.resourceName,
      href: `/${job.kind}s/${job.resourceId}`,
    },
    ...(job.kind === 'domain' && job.tenantName !== null
      ? [{ title: label(t, 'tenant'), text: job.tenantName, href: `/tenants/${job.tenantName}` }]
      : []),
    { title: label(t, 'actor'), text: job.actor },
    { title: label(t, 'createdAt'), time: job.createdAt },
    ...(job.startedAt === null ? [] : [{ title: label(t, 'startedAt'), time: job.startedAt }]),
    ...(job.finishedAt === null ? [] : [{ title: label(t, 'finishedAt'), time: job.finishedAt }]),
    ...(job.attempts > 1 ? [{ title: label(t, 'attempts'), text: job.attempts }] : []),
    { title: label(t, 'id'), code: job.id },
  ]
}
