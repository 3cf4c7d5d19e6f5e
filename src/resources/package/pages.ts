/** Packages as people see them. */
import type { Section, Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { Package } from './schema.ts'

const limits = ['maxDomains', 'diskMb', 'memMb', 'cpuPct', 'pids', 'ioMbps'] as const

/** @param options without the reseller where the page is about one. */
export function packageTable(t: Texts, packages: readonly Package[], { withReseller = true } = {}): Table {
  const about = (one: Package) =>
    [one.isDefault ? t.packages.isDefault : '', withReseller ? (one.resellerEmail ?? '') : '', one.description]
      .filter((part) => part !== '')
      .join(' · ')
  return {
    caption: t.packages.title,
    columns: [
      { title: label(t, 'name') },
      { title: t.nav.tenants, number: true },
      { title: label(t, 'maxDomains'), number: true },
      { title: label(t, 'diskMb'), number: true, wide: true },
      { title: label(t, 'memMb'), number: true, wide: true },
      { title: label(t, 'cpuPct'), number: true, wide: true },
    ],
    rows: packages.map((one) => [
      {
        text: one.name,
        href: `/packages/${one.id}`,
        ...(about(one) !== '' && { sub: about(one) }),
      },
      { text: one.tenants },
      { text: limit(one.maxDomains) },
      { text: limit(one.diskMb) },
      { text: limit(one.memMb) },
      { text: limit(one.cpuPct) },
    ]),
  }
}

export function packageOwner(t: Texts, { resellerId, resellerEmail }: Package): Section {
  return {
    title: t.job.about,
    facts: [{ title: label(t, 'reseller'), text: resellerEmail ?? '', href: `/resellers/${resellerId}` }],
  }
}

/** null is no limit. */
export function limitFacts(t: Texts, one: Pick<Package, (typeof limits)[number]>): Section {
  const facts = limits.map((key) => ({
    title: t.limitNames[key],
    text: one[key] === null ? t.form.noLimit : `${limit(one[key])} ${t.limitUnits[key]}`.trim(),
  }))
  return { title: t.packages.limits, facts }
}

function limit(value: number | null): string {
  return value === null ? '∞' : value.toLocaleString('en')
}
