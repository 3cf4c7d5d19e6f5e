/** The parts of a site's page. */

import { type Fact, type Section, statusBadge } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import { shownHost } from '../../lib/shown-host.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { effectiveBadge } from '../effective-status.ts'
import { holdSections } from '../hold/pages.ts'
import type { Look, Tab } from '../kind.ts'
import { Tenant } from '../tenant/schema.ts'
import { usageSection } from '../tenant/usage-section.ts'
import { checkSections } from './check-pages.ts'
import { SiteCheck } from './check-site.ts'
import { proofSection } from './proof-section.ts'
import { type Domain, DomainProof } from './schema.ts'
import type { words as own } from './words.ts'

/** Several tenants may wait for the same name. */
export const refOf = ({ id, fqdn, status }: Domain) => (status === 'unverified' ? id : fqdn)

export const namesTab: Tab<Domain, typeof own> = {
  slug: 'names',
  order: 10,
  title: ({ words }) => words.names,
  needs: 'domain.get',
  input: (one) => ({ domain: refOf(one) }),
  async sections(one, look) {
    const { t, words } = look
    const edit = { title: t.verbs.update, href: `/do/domain.update${query({ domain: refOf(one) })}` }
    const isOpen = one.status === 'active' && look.may('domain.update')
    const rows = [one.fqdn, ...one.aliases].map((name) => [
      { text: shownHost(name), ...(shownHost(name) !== name && { sub: name }) },
      { text: name === one.fqdn ? words.mainName : words.alias },
      {
        badge: one.unproven.includes(name)
          ? statusBadge('unverified', t.statuses)
          : effectiveBadge(t, { ...one, status: one.status === 'unverified' ? 'active' : one.status }),
      },
    ])
    const columns = [{ title: label(t, 'fqdn') }, { title: words.nameKind }, { title: label(t, 'status') }]
    return [{ title: words.names, table: { caption: words.names, columns, rows }, ...(isOpen && { link: edit }) }]
  },
}

export const checkTab: Tab<Domain, typeof own> = {
  slug: 'check',
  order: 80,
  title: ({ words }) => words.check,
  needs: 'domain.check',
  input: (one) => ({ domain: refOf(one) }),
  sections: async (one, look) =>
    one.deletedAt === null
      ? checkSections(look.words, await look.some('domain.check', { domain: one.id }, SiteCheck))
      : [{ title: look.words.check, empty: look.words.inTrash }],
}

export async function overview(one: Domain, look: Look<typeof own>): Promise<Section[]> {
  const { t, words } = look
  const isWaiting = one.unproven.length > 0 && one.deletedAt === null
  const [jobs, proofs, tenant] = await Promise.all([
    look.table('job', { resource: one.id, limit: 5 }),
    isWaiting ? look.some('domain.proofs', { domain: one.id }, DomainProof) : [],
    one.deletedAt === null ? look.one('tenant.get', { tenant: one.tenantId }, Tenant) : null,
  ])
  const used = tenant?.usage === undefined ? [] : [usageSection(t, tenant.usage)]
  const ofAll = {
    title: words.ofCustomer,
    isAside: true,
    link: { title: t.usage.all, href: `/tenants/${one.tenantName}/usage` },
  }
  return [
    ...holdSections(t, one.holds),
    ...proofs.map((proof) => proofSection(look, proof)),
    domainFacts(look, one),
    ...(jobs.rows.length > 0 ? [{ title: t.job.recent, table: jobs }] : []),
    ...used.map((section) => ({ ...section, ...ofAll })),
  ]
}

/** Whether visitors get the site, in one sentence. */
export function stateOf(one: Domain, { says }: typeof own): string {
  if (one.deletedAt !== null) return says.deleted
  if (one.status === 'active' && one.tenantStatus === 'suspended') return says.closedWith
  if (one.status === 'active') return one.unproven.length > 0 ? says.activeInPart : says.active
  return says[one.status]
}

function domainFacts({ t, words: w }: { t: Texts; words: typeof own }, one: Domain): Section {
  const facts: Fact[] = [
    { title: label(t, 'tenant'), text: one.tenantName, href: `/tenants/${one.tenantName}` },
    { title: label(t, 'aliases'), text: one.aliases.length > 0 ? one.aliases.map(shownHost).join(', ') : '–' },
    { title: label(t, 'php'), text: one.php ?? t.form.noPhp },
    { title: w.fields.https, text: w.ways[one.https] },
    { title: label(t, 'directory'), code: one.directory ?? '' },
    { title: label(t, 'createdAt'), time: one.createdAt },
    ...(one.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: one.deletedAt }]),
    { title: label(t, 'id'), code: one.id },
  ]
  return { title: t.job.about, facts }
}
