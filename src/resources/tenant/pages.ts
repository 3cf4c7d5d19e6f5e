/** Tenants as people see them. */
import { type Badge, type Fact, type Section, statusBadge, type Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { Tenant } from './schema.ts'

export function tenantBadge(t: Texts, status: string): Badge {
  return statusBadge(status, t.statuses)
}

export function tenantTable(t: Texts, tenants: readonly Tenant[]): Table {
  return {
    caption: t.tenants.title,
    columns: [
      { title: label(t, 'name') },
      { title: label(t, 'status') },
      { title: label(t, 'package'), wide: true },
      { title: label(t, 'owner'), wide: true },
      { title: t.tenants.domains, number: true },
      { title: label(t, 'createdAt'), wide: true },
    ],
    rows: tenants.map((tenant) => [
      { text: tenant.name, href: `/tenants/${tenant.name}` },
      { badge: tenantBadge(t, tenant.status) },
      { text: tenant.packageName },
      { text: tenant.ownerEmail ?? '–' },
      { text: tenant.domains },
      { time: tenant.createdAt },
    ]),
  }
}

/** @param options whether who looks may see the reseller's page */
export function tenantFacts(t: Texts, tenant: Tenant, { linksReseller }: { linksReseller: boolean }): Section {
  const facts: Fact[] = [
    { title: label(t, 'package'), text: tenant.packageName, href: `/packages/${tenant.packageId}` },
    {
      title: label(t, 'owner'),
      ...(tenant.ownerId === null
        ? { text: '–' }
        : { text: tenant.ownerEmail ?? '', href: `/users/${tenant.ownerId}` }),
    },
    ...(tenant.resellerId === null
      ? []
      : [
          {
            title: label(t, 'reseller'),
            text: tenant.resellerEmail ?? '',
            ...(linksReseller && { href: `/resellers/${tenant.resellerId}` }),
          },
        ]),
    { title: label(t, 'linuxUser'), code: tenant.name },
    { title: label(t, 'createdAt'), time: tenant.createdAt },
    ...(tenant.deletedAt === null ? [] : [{ title: label(t, 'deletedAt'), time: tenant.deletedAt }]),
    { title: label(t, 'id'), code: tenant.id },
  ]
  return { title: t.job.about, facts }
}
