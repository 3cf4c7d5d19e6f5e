/** The customers' accounts. */
import { type Bars, type Fact, type Section, statusBadge, type Table } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { holdSections, lockVerbs, verbsOfHeld } from '../hold/pages.ts'
import { defineKind, type Tab } from '../kind.ts'
import { limitFacts } from '../package/kind.ts'
import { Package } from '../package/schema.ts'
import { tenantPurge } from './jobs.ts'
import * as locking from './lock-operations.ts'
import * as operations from './operations.ts'
import { tenantRow } from './row.ts'
import { Tenant, UsagePeriod } from './schema.ts'
import * as selling from './sell-operation.ts'
import { tenantStore } from './store.ts'
import { usageSection } from './usage-section.ts'
import { usageStore } from './usage-store.ts'

const words = {
  one: 'customer',
  many: 'Customers',
  lede: 'Each customer has a Linux user, limits and sites of their own.',
  add: 'New customer',
  none: 'No customers yet',
  noneText: 'A customer holds sites. Create the first one and give it a domain right away.',
  ledes: {
    sell: 'The owner is invited by mail; without a mail server you get a link to hand over. The plan sets the limits.',
    create: 'With a domain, its first site is made right away. Without a plan it gets the default plan.',
  },
  addDomain: 'Add a site',
  usage: 'Usage',
  byDay: 'Usage by day',
  fields: {
    period: 'Day or month',
    trafficMb: 'Traffic (MB)',
    span: 'Rows of',
    diskAt: 'Disk space measured',
    databasesMb: 'Databases (MB)',
    trafficAt: 'Traffic counted',
  },
  trafficByDay: 'Traffic by day',
  noDays: 'No day has been counted yet.',
}

const usageTab: Tab<Tenant, typeof words> = {
  slug: 'usage',
  order: 20,
  title: ({ words }) => words.usage,
  needs: 'tenant.usage',
  input: ({ name }) => ({ tenant: name }),
  async sections(one, look) {
    const { t, words } = look
    const days = one.deletedAt === null ? await look.some('tenant.usage', { tenant: one.id }, UsagePeriod) : []
    const table = periodTable(t, words.byDay, days.slice(0, daysShown))
    return [
      ...(one.usage === undefined ? [] : [usageSection(t, one.usage)]),
      ...(days.length > 1 ? [{ title: words.trafficByDay, bars: barsOf(t, words.trafficByDay, days) }] : []),
      { title: words.byDay, table, empty: words.noDays },
    ]
  },
}

const planTab: Tab<Tenant, typeof words> = {
  slug: 'plan',
  order: 30,
  title: ({ t }) => label(t, 'package'),
  needs: 'package.get',
  input: ({ packageId }) => ({ package: packageId }),
  async sections({ name, packageId, packageName, usage, deletedAt }, look) {
    const { t } = look
    const chosen = await look.one('package.get', { package: packageId }, Package)
    if (chosen === null) return []
    const change = { title: t.verbs.update, href: `/do/tenant.update${query({ tenant: name })}` }
    return [
      {
        title: label(t, 'package'),
        facts: [{ title: label(t, 'name'), text: packageName, href: `/packages/${packageId}` }],
        ...(deletedAt === null && look.may('tenant.update') && { link: change }),
      },
      limitFacts(t, chosen, { used: usage, unenforced: look.unenforced }),
    ]
  },
}

/** Rows of the page. */
const daysShown = 14

export const tenant = defineKind({
  name: 'tenant',
  words,
  path: '/tenants',
  menu: { group: 'hosting', icon: 'tenant' },
  item: Tenant,
  reference: { key: 'name', fields: ['tenant'] },
  list: {
    filters: ['reseller'],
    add: ['sell', 'create'],
    bulk: [
      { verb: 'suspend', asks: ['reason', 'note'] },
      { verb: 'unsuspend' },
      { verb: 'update', asks: ['package'] },
      { verb: 'delete' },
      { verb: 'restore' },
    ],
  },
  columns: ({ t }) => [
    {
      title: label(t, 'name'),
      sorts: 'name',
      cell: ({ name, displayName: sub }) => ({ text: name, href: `/tenants/${name}`, ...(sub !== null && { sub }) }),
    },
    { title: label(t, 'status'), cell: ({ status }) => ({ badge: statusBadge(status, t.statuses) }) },
    { title: label(t, 'package'), wide: true, cell: ({ packageName }) => ({ text: packageName }) },
    { title: label(t, 'owner'), wide: true, cell: ({ ownerEmail }) => ({ text: ownerEmail ?? '–' }) },
    { title: t.kinds.domain?.many ?? '', number: true, cell: ({ domains }) => ({ text: domains }) },
    { title: label(t, 'createdAt'), wide: true, sorts: 'age', cell: ({ createdAt }) => ({ time: createdAt }) },
  ],
  detail: {
    front: 'domain',
    tabs: [usageTab, planTab],
    ref: ({ name }) => name,
    async page(one, look) {
      const { t, words } = look
      const add = { title: words.addDomain, href: `/do/domain.create${query({ tenant: one.name })}` }
      return {
        title: one.displayName ?? one.name,
        status: statusBadge(one.status, t.statuses),
        verbs: verbsOfHeld(one, lockVerbs(one)),
        main: look.may('domain.create') && one.deletedAt === null ? [add] : [],
        sections: [
          ...holdSections(t, one.holds),
          ...holdSections(t, one.locks, t.holds.locked),
          { ...tenantFacts(t, one, { linksReseller: look.may('reseller.get') }), isAside: true },
        ],
      }
    },
  },
  stores: { tenants: tenantStore, usage: usageStore },
  row: tenantRow,
  counted: ({ tenants }) => tenants,
  inventory: { of: 'tenants', rows: ({ tenants }) => tenants },
  async purge({ tenants, usage, enqueue }, moment, atOnce) {
    const found = await tenants.expired(moment, atOnce)
    for (const { id } of found) await enqueue(tenantPurge, { tenant: id })
    return { jobs: found.length, rows: await usage.forget() }
  },
  examples: { sell: { name: 'florist', email: 'flora@example.com' } },
  operations: { ...operations, ...locking, ...selling },
})

/** All days that are kept, the oldest first. */
function barsOf(t: Texts, label: string, days: readonly UsagePeriod[]): Bars {
  const bars = days.toReversed().map(({ period, trafficMb }) => ({
    title: `${period}: ${t.format.number(trafficMb)} ${t.limitUnits.diskMb}`,
    value: trafficMb,
  }))
  return { label, bars, ends: [days.at(-1)?.period ?? '', days[0]?.period ?? ''] }
}

function periodTable(t: Texts, caption: string, periods: readonly UsagePeriod[]): Table {
  const numbers = ['domains', 'diskMb', 'trafficMb'] as const
  return {
    caption,
    columns: [{ title: label(t, 'period') }, ...numbers.map((key) => ({ title: label(t, key), number: true }))],
    rows: periods.map((one) => [{ text: one.period }, ...numbers.map((key) => ({ text: t.format.number(one[key]) }))]),
  }
}

/** @param options whether who looks may see the reseller's page */
function tenantFacts(t: Texts, one: Tenant, { linksReseller }: { linksReseller: boolean }): Section {
  const facts: Fact[] = [
    { title: label(t, 'package'), text: one.packageName, href: `/packages/${one.packageId}` },
    {
      title: label(t, 'owner'),
      ...(one.ownerId === null ? { text: '–' } : { text: one.ownerEmail ?? '', href: `/users/${one.ownerId}` }),
    },
    ...(one.resellerId === null
      ? []
      : [
          {
            title: label(t, 'reseller'),
            text: one.resellerEmail ?? '',
            ...(linksReseller && { href: `/resellers/${one.resellerId}` }),
          },
        ]),
    { title: label(t, 'linuxUser'), code: one.name },
    ...(typeof one.uid === 'number' ? [{ title: label(t, 'uid'), code: String(one.uid) }] : []),
    { title: label(t, 'createdAt'), time: one.createdAt },
    ...(one.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: one.deletedAt }]),
    { title: label(t, 'id'), code: one.id },
  ]
  return { title: t.job.about, facts }
}
