/** Names that the server answers for, with the site behind each. */
import { shownHost } from '../../lib/host-name.ts'
import { type Fact, type Section, statusBadge } from '../../lib/page-model.ts'
import { path, query } from '../../lib/safe-url.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { effectiveBadge, isClosedWithTenant } from '../effective-status.ts'
import { holdSections, verbsOfHeld } from '../hold/pages.ts'
import { defineKind, type Look, type Tab } from '../kind.ts'
import { Tenant } from '../tenant/schema.ts'
import { usageSection } from '../tenant/usage-section.ts'
import { checkSections } from './check-pages.ts'
import { SiteCheck } from './check-site.ts'
import { domainPurge } from './jobs.ts'
import * as operations from './operations.ts'
import { proofSection } from './proof-section.ts'
import { proofStore } from './proof-store.ts'
import { domainRow } from './row.ts'
import { Domain, DomainProof } from './schema.ts'
import { domainStore } from './store.ts'
import { words } from './words.ts'

/** Several tenants may wait for the same name. */
const refOf = ({ id, fqdn, status }: Domain) => (status === 'unverified' ? id : fqdn)

const namesTab: Tab<Domain, typeof words> = {
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

const checkTab: Tab<Domain, typeof words> = {
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

export const domain = defineKind({
  name: 'domain',
  words,
  path: '/domains',
  menu: { group: 'hosting', icon: 'domain' },
  parent: 'tenant',
  item: Domain,
  reference: { key: 'fqdn', fields: ['domain'] },
  columns: ({ t, words, about }) => [
    {
      title: label(t, 'fqdn'),
      cell: ({ id, fqdn, aliases }) => ({
        text: shownHost(fqdn),
        href: `/domains/${id}`,
        ...(aliases.length > 0 && { sub: aliases.map(shownHost).join(', ') }),
      }),
    },
    { title: label(t, 'status'), cell: (one) => ({ badge: effectiveBadge(t, one) }) },
    ...(about === 'tenant'
      ? []
      : [
          {
            title: label(t, 'tenant'),
            wide: true,
            cell: ({ tenantName }: Domain) => ({ text: tenantName, href: `/tenants/${tenantName}` }),
          },
        ]),
    { title: words.php, cell: ({ php }) => ({ text: php ?? '–' }) },
    { title: label(t, 'createdAt'), wide: true, cell: ({ createdAt }) => ({ time: createdAt }) },
  ],
  detail: {
    ref: refOf,
    tabs: [namesTab, checkTab],
    async page(one, look) {
      const { words } = look
      const isWaiting = one.unproven.length > 0 && one.deletedAt === null
      const { t } = look
      const ask = { title: words.checkSite, href: `${path`/domains/${refOf(one)}`}/check` }
      return {
        title: shownHost(one.fqdn),
        status: effectiveBadge(t, one),
        lede: stateOf(one, words),
        main: [
          ...(one.status === 'active' && !isClosedWithTenant(one)
            ? [{ title: words.visit, href: `http://${one.fqdn}/` }]
            : []),
          ...(one.deletedAt === null && look.may('domain.check') ? [ask] : []),
        ],
        more: [
          { title: words.verify, operation: 'domain.verify' },
          { title: words.vouch, operation: 'domain.vouch' },
        ].filter(({ operation }) => isWaiting && look.may(operation)),
        verbs: one.status === 'unverified' ? ['delete'] : verbsOfHeld(one),
        sections: [],
        first: () => overview(one, look),
      }
    },
  },
  stores: { domains: domainStore, proofs: (db, material) => proofStore(db, material, material.keys) },
  row: domainRow,
  counted: ({ domains }) => domains,
  inventory: { of: 'domains', rows: ({ domains }) => domains },
  async purge({ domains, proofs, enqueue }, moment, atOnce) {
    const found = await domains.expired(moment, atOnce)
    for (const { id, tenantId } of found) await enqueue(domainPurge, { tenant: tenantId, domain: id })
    await proofs.forgetUnused()
    return { jobs: found.length, rows: 0 }
  },
  operations,
})

async function overview(one: Domain, look: Look<typeof words>): Promise<Section[]> {
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
function stateOf(one: Domain, { says }: typeof words): string {
  if (one.deletedAt !== null) return says.deleted
  if (one.status === 'active' && one.tenantStatus === 'suspended') return says.closedWith
  if (one.status === 'active') return one.unproven.length > 0 ? says.activeInPart : says.active
  return one.status in says ? says[one.status as keyof typeof says] : ''
}

function domainFacts({ t, words: w }: { t: Texts; words: typeof words }, one: Domain): Section {
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
