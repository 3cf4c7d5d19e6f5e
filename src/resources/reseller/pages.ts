/** Resellers as people see them. */
import { type Section, statusBadge, type Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { type Reseller, shareKeys } from './schema.ts'

export function resellerTable(t: Texts, resellers: readonly Reseller[]): Table {
  return {
    caption: t.resellers.title,
    columns: [
      { title: label(t, 'email') },
      { title: label(t, 'status') },
      { title: t.nav.tenants, number: true },
      { title: t.limitNames.memMb, number: true, wide: true },
      { title: t.limitNames.diskMb, number: true, wide: true },
    ],
    rows: resellers.map((one) => [
      { text: one.email, href: `/resellers/${one.id}` },
      { badge: statusBadge(one.status) },
      { text: share(one.tenants, one.maxTenants) },
      { text: share(one.used.memMb, one.memMb) },
      { text: share(one.used.diskMb, one.diskMb) },
    ]),
  }
}

/** What is given away, of how much. */
export function shareFacts(t: Texts, one: Reseller): Section {
  return {
    title: t.resellers.shares,
    facts: [
      { title: t.nav.tenants, text: share(one.tenants, one.maxTenants) },
      ...shareKeys.map((key) => ({
        title: t.limitNames[key],
        text: `${share(one.used[key], one[key])} ${t.limitUnits[key]}`.trim(),
      })),
    ],
  }
}

export function resellerFacts(t: Texts, one: Reseller): Section {
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
function share(used: number, limit: number | null): string {
  return `${used.toLocaleString('en')} / ${limit === null ? '∞' : limit.toLocaleString('en')}`
}
