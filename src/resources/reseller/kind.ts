/** People with customers and packages of their own, within limits. */
import { type Section, statusBadge } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import * as operations from './operations.ts'
import { Reseller, shareKeys } from './schema.ts'
import { resellerStore } from './store.ts'

export const reseller = defineKind({
  name: 'reseller',
  words: {
    one: 'reseller',
    many: 'Resellers',
    lede: 'People with customers and plans of their own, within limits.',
    add: 'New reseller',
    none: 'No resellers yet',
    noneText: 'A reseller has customers and plans without seeing those of others.',
    shares: 'Allocated',
    tenants: 'Customers of this reseller',
    packages: 'Plans of this reseller',
    noPackages: 'No plans yet: a customer needs one.',
  },
  path: '/resellers',
  menu: { group: 'hosting', icon: 'reseller' },
  item: Reseller,
  reference: { key: 'email', fields: ['reseller'] },
  columns: ({ t }) => [
    { title: label(t, 'email'), cell: ({ id, email }) => ({ text: email, href: `/resellers/${id}` }) },
    { title: label(t, 'status'), cell: ({ status }) => ({ badge: statusBadge(status) }) },
    {
      title: t.kinds.tenant?.many ?? '',
      number: true,
      cell: ({ tenants, maxTenants }) => ({ text: share(t, tenants, maxTenants) }),
    },
    {
      title: t.limitNames.memMb,
      number: true,
      wide: true,
      cell: ({ used, memMb }) => ({ text: share(t, used.memMb, memMb) }),
    },
    {
      title: t.limitNames.diskMb,
      number: true,
      wide: true,
      cell: ({ used, diskMb }) => ({ text: share(t, used.diskMb, diskMb) }),
    },
  ],
  detail: {
    ref: ({ email }) => email,
    async page(one, { t, words, table }) {
      const narrowed = one.deletedAt === null ? { reseller: one.id, limit: 50 } : null
      const [tenants, packages] = await Promise.all([table('tenant', narrowed), table('package', narrowed)])
      return {
        status: statusBadge(one.status),
        sections: [
          { title: words.tenants, table: tenants, empty: t.kinds.tenant?.none ?? '' },
          { title: words.packages, table: packages, empty: words.noPackages },
          { ...shareFacts(t, one, words.shares), isAside: true },
          { ...resellerFacts(t, one), isAside: true },
        ],
      }
    },
  },
  stores: { resellers: resellerStore },
  operations,
})

/** The used part of an allotment. */
function shareFacts(t: Texts, one: Reseller, title: string): Section {
  return {
    title,
    facts: [
      { title: t.kinds.tenant?.many ?? '', text: share(t, one.tenants, one.maxTenants) },
      ...shareKeys.map((key) => ({
        title: t.limitNames[key],
        text: `${share(t, one.used[key], one[key])} ${t.limitUnits[key]}`.trim(),
      })),
    ],
  }
}

function resellerFacts(t: Texts, one: Reseller): Section {
  return {
    title: t.job.about,
    facts: [
      { title: label(t, 'user'), text: one.email, href: `/users/${one.userId}` },
      { title: label(t, 'createdAt'), time: one.createdAt },
      ...(one.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: one.deletedAt }]),
      { title: label(t, 'id'), code: one.id },
    ],
  }
}

/** `3 / 10`; without a limit `3 / ∞`. */
function share({ format }: Texts, used: number, limit: number | null): string {
  return `${format.number(used)} / ${limit === null ? '∞' : format.number(limit)}`
}
