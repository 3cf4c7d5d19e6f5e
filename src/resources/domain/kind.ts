/** Names that the server answers for, with the site behind each. */
import { shownHost } from '../../lib/host-name.ts'
import type { Fact, Section } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { effectiveBadge, isClosedWithTenant } from '../effective-status.ts'
import { holdSections, verbsOfHeld } from '../hold/pages.ts'
import { defineKind } from '../kind.ts'
import { domainPurge } from './jobs.ts'
import * as operations from './operations.ts'
import { proofSection } from './proof-section.ts'
import { proofStore } from './proof-store.ts'
import { domainRow } from './row.ts'
import { Domain, DomainProof } from './schema.ts'
import { domainStore } from './store.ts'
import { words } from './words.ts'

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
    // Several tenants may wait for the same name.
    ref: ({ id, fqdn, status }) => (status === 'unverified' ? id : fqdn),
    async page(one, look) {
      const { t, words } = look
      const isWaiting = one.unproven.length > 0 && one.deletedAt === null
      const [jobs, proofs] = await Promise.all([
        look.table('job', { resource: one.id, limit: 8 }),
        isWaiting ? look.some('domain.proofs', { domain: one.id }, DomainProof) : [],
      ])
      return {
        title: shownHost(one.fqdn),
        status: effectiveBadge(t, one),
        main:
          one.status === 'active' && !isClosedWithTenant(one)
            ? [{ title: words.visit, href: `http://${one.fqdn}/` }]
            : [],
        more: [
          { title: words.verify, operation: 'domain.verify' },
          { title: words.vouch, operation: 'domain.vouch' },
        ].filter(({ operation }) => isWaiting && look.may(operation)),
        verbs: one.status === 'unverified' ? ['delete'] : verbsOfHeld(one),
        sections: [
          ...holdSections(t, one.holds),
          ...proofs.map((proof) => proofSection(look, proof)),
          domainFacts(look, one),
          ...(jobs.rows.length > 0 ? [{ title: t.job.recent, table: jobs }] : []),
        ],
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
