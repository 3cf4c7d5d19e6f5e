/** Packages: limits of tenants, under a name that is sold. */
import type { Section } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import * as operations from './operations.ts'
import { Package } from './schema.ts'
import { packageStore } from './store.ts'

const limits = ['maxDomains', 'diskMb', 'memMb', 'cpuPct', 'pids', 'ioMbps', 'maxDatabases'] as const

export const packageKind = defineKind({
  name: 'package',
  words: {
    one: 'plan',
    many: 'Plans',
    lede: 'What a customer may use. Editing a plan changes its customers’ limits.',
    add: 'New plan',
    none: 'No plans yet',
    noneText: 'A plan is a set of limits that customers are created with.',
    tenants: 'Customers on this plan',
    isDefault: 'default',
    isSystem: 'protected',
    fields: { isSystem: 'Protected from its reseller', features: 'Features' },
  },
  path: '/packages',
  menu: { group: 'hosting', icon: 'package' },
  item: Package,
  reference: { key: 'name', fields: ['package'], title: (one, t) => `${one.name}: ${limitsInShort(t, one)}` },
  list: { filters: ['reseller'] },
  columns({ t, words, about }) {
    const more = (one: Package) =>
      [
        one.isDefault ? words.isDefault : '',
        one.isSystem ? words.isSystem : '',
        about === 'reseller' ? '' : (one.resellerEmail ?? ''),
        one.description,
      ]
        .filter((part) => part !== '')
        .join(' · ')
    return [
      {
        title: label(t, 'name'),
        cell: (one) => ({ text: one.name, href: `/packages/${one.id}`, ...(more(one) !== '' && { sub: more(one) }) }),
      },
      { title: t.kinds.tenant?.many ?? '', number: true, cell: ({ tenants }) => ({ text: tenants }) },
      { title: label(t, 'maxDomains'), number: true, cell: (one) => ({ text: limit(t, one.maxDomains) }) },
      { title: label(t, 'diskMb'), number: true, wide: true, cell: (one) => ({ text: limit(t, one.diskMb) }) },
      { title: label(t, 'memMb'), number: true, wide: true, cell: (one) => ({ text: limit(t, one.memMb) }) },
      { title: label(t, 'cpuPct'), number: true, wide: true, cell: (one) => ({ text: limit(t, one.cpuPct) }) },
    ]
  },
  detail: {
    // A name is known among the packages of one owner only.
    ref: ({ id, name, resellerId }) => (resellerId === null ? name : id),
    async page(one, { t, words, table, may, unenforced }) {
      const tenants = await table('tenant', { package: one.id, limit: 50 })
      return {
        title: one.name,
        // for who sees one reseller's packages alone, some are his to sell only
        isFixed: one.isSystem && !may('reseller.list'),
        sections: [
          limitFacts(t, one, { unenforced }),
          ...(one.resellerId === null ? [] : [{ ...packageOwner(t, one), isAside: true }]),
          ...(tenants.rows.length > 0 ? [{ title: words.tenants, table: tenants }] : []),
        ],
      }
    },
  },
  stores: { packages: packageStore },
  counted: ({ packages }) => packages,
  purge: async ({ packages }, moment) => ({ jobs: 0, rows: await packages.purgeDeletedBefore(moment) }),
  operations,
})

/** What people choose a plan by. */
function limitsInShort(t: Texts, one: Package): string {
  const named = (['maxDomains', 'diskMb', 'memMb'] as const).flatMap((key) =>
    one[key] === null ? [] : [`${t.limitNames[key]} ${limitText(t, key, one[key])}`],
  )
  return named.length > 0 ? named.join(', ') : t.form.noLimit.toLowerCase()
}

function packageOwner(t: Texts, { resellerId, resellerEmail }: Package): Section {
  return {
    title: t.job.about,
    facts: [{ title: label(t, 'reseller'), text: resellerEmail ?? '', href: `/resellers/${resellerId}` }],
  }
}

/** @param more use of the limits that somebody's use is known of, beside them; what this machine cannot enforce is marked */
export function limitFacts(
  t: Texts,
  one: Pick<Package, (typeof limits)[number] | 'egress' | 'sshAccess' | 'features'>,
  { used, unenforced = [] }: { readonly used?: Used | undefined; readonly unenforced?: readonly string[] } = {},
): Section {
  const facts = limits.map((key) => ({
    title: t.limitNames[key],
    text: limitText(t, key, one[key], used),
    ...(one[key] !== null && unenforced.includes(key) && { sub: t.form.notEnforced }),
  }))
  const given = one.features.map((feature) => t.features[feature]).join(', ')
  return {
    title: t.limits,
    facts: [
      ...facts,
      { title: t.limitNames.egress, text: t.egress[one.egress] },
      { title: t.limitNames.sshAccess, text: t.sshAccess[one.sshAccess] },
      { title: label(t, 'features'), text: given === '' ? '–' : given },
    ],
  }
}

export interface Used {
  readonly domains: number
  readonly diskMb: number | null
  /** False: at least so much. */
  readonly diskIsWhole: boolean
}

/** `3 of 5`, `120 of 1,000 MB`, `3, no limit`. */
function limitText(t: Texts, key: (typeof limits)[number], allowed: number | null, used?: Used): string {
  const most = allowed === null ? t.form.noLimit : `${limit(t, allowed)} ${t.limitUnits[key]}`.trim()
  if (used !== undefined && key === 'maxDomains') return beside(t, t.format.number(used.domains), allowed, most)
  if (used === undefined || key !== 'diskMb' || used.diskMb === null) return most
  const disk = `${used.diskIsWhole ? '' : `${t.usage.atLeast} `}${limit(t, used.diskMb)}`
  return beside(t, allowed === null ? `${disk} ${t.limitUnits.diskMb}` : disk, allowed, most)
}

function beside(t: Texts, used: string, allowed: number | null, most: string): string {
  return allowed === null ? `${used}, ${most.toLowerCase()}` : `${used} ${t.usage.of} ${most}`
}

function limit({ format }: Texts, value: number | null): string {
  return value === null ? '∞' : format.number(value)
}
