/** Domains as people see them. */
import { type Fact, type Section, statusBadge, type Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { Domain, DomainProof } from './schema.ts'

/** @param options without the tenant where the page is about one. */
export function domainTable(t: Texts, domains: readonly Domain[], { withTenant = true } = {}): Table {
  return {
    caption: t.domains.title,
    columns: [
      { title: label(t, 'fqdn') },
      { title: label(t, 'status') },
      ...(withTenant ? [{ title: label(t, 'tenant'), wide: true }] : []),
      { title: t.domains.php },
      { title: label(t, 'createdAt'), wide: true },
    ],
    rows: domains.map((domain) => [
      {
        text: domain.fqdn,
        href: `/domains/${domain.id}`,
        ...(domain.aliases.length > 0 && { sub: domain.aliases.join(', ') }),
      },
      { badge: statusBadge(domain.status, t.statuses) },
      ...(withTenant ? [{ text: domain.tenantName, href: `/tenants/${domain.tenantName}` }] : []),
      { text: domain.php ?? '–' },
      { time: domain.createdAt },
    ]),
  }
}

export function domainFacts(t: Texts, domain: Domain): Section {
  const facts: Fact[] = [
    { title: label(t, 'tenant'), text: domain.tenantName, href: `/tenants/${domain.tenantName}` },
    { title: label(t, 'aliases'), text: domain.aliases.length > 0 ? domain.aliases.join(', ') : '–' },
    { title: label(t, 'php'), text: domain.php ?? t.form.noPhp },
    { title: label(t, 'directory'), code: `/srv/www/${domain.tenantName}/sites/${domain.fqdn}/public` },
    { title: label(t, 'createdAt'), time: domain.createdAt },
    ...(domain.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: domain.deletedAt }]),
    { title: label(t, 'id'), code: domain.id },
  ]
  return { title: t.job.about, facts }
}

/** What to set in the DNS, and what was found there so far. */
export function proofSection(t: Texts, { name, recordName, recordValue, tries, nextTryAt }: DomainProof): Section {
  const next = nextTryAt === null ? { text: t.domains.noMoreLooks } : { text: moment(nextTryAt) }
  const words = t.domains
  return {
    title: `${words.proof} ${name}`,
    facts: [
      { title: words.record, code: recordName },
      { title: words.recordType, text: 'TXT' },
      { title: words.recordValue, code: recordValue },
      { title: words.proves, text: name, sub: words.provesText },
      { title: words.nextLook, ...next },
    ],
    table: {
      caption: words.looks,
      columns: [{ title: words.looks }, { title: label(t, 'createdAt'), hidden: true }],
      rows: tries.map(({ at, outcome, detail }) => [
        { text: words.answers[outcome], sub: `${words.answerTexts[outcome]} ${detail}` },
        { time: at },
      ]),
    },
    empty: words.noLooks,
  }
}

/** What lies ahead has no "time since". */
function moment(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`
}
