/** Names that the server answers for, with the site behind each. */

import { path } from '../../lib/safe-url.ts'
import { shownHost } from '../../lib/shown-host.ts'
import { label } from '../../lib/texts.ts'
import { effectiveBadge, isClosedWithTenant } from '../effective-status.ts'
import { verbsOfHeld } from '../hold/pages.ts'
import { defineKind } from '../kind.ts'
import { domainPurge } from './jobs.ts'
import { logsTab, visitsTab } from './logs-tab.ts'
import * as operations from './operations.ts'
import { checkTab, namesTab, overview, refOf, stateOf } from './pages.ts'
import { phpTab } from './php-tab.ts'
import { proofStore } from './proof-store.ts'
import { domainRow } from './row.ts'
import { Domain } from './schema.ts'
import { settingsTab } from './settings-tab.ts'
import { domainStore } from './store.ts'
import * as userOperations from './user-operations.ts'
import { words } from './words.ts'

export const domain = defineKind({
  name: 'domain',
  words,
  path: '/domains',
  menu: { group: 'hosting', icon: 'domain' },
  parent: 'tenant',
  item: Domain,
  reference: { key: 'fqdn', fields: ['domain'] },
  list: {
    bulk: [
      { verb: 'suspend', asks: ['reason', 'note'] },
      { verb: 'unsuspend' },
      { verb: 'update', asks: ['php'] },
      { verb: 'delete' },
      { verb: 'restore' },
    ],
  },
  columns: ({ t, words, about }) => [
    {
      title: label(t, 'fqdn'),
      sorts: 'name',
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
    { title: label(t, 'createdAt'), wide: true, sorts: 'age', cell: ({ createdAt }) => ({ time: createdAt }) },
  ],
  detail: {
    ref: refOf,
    tabs: [namesTab, settingsTab, phpTab, logsTab, visitsTab, checkTab],
    async page(one, look) {
      const { t, words } = look
      const isWaiting = one.unproven.length > 0 && one.deletedAt === null
      const ask = { title: words.checkSite, href: `${path`/domains/${refOf(one)}`}/check` }
      return {
        title: shownHost(one.fqdn),
        status: effectiveBadge(t, one),
        lede: stateOf(one, words),
        main: [
          ...(one.status === 'active' && !isClosedWithTenant(one)
            ? [{ title: words.visit, href: `http://${one.fqdn}/` }]
            : []),
          ...(one.deletedAt === null && one.status !== 'unverified' && look.may('domain.check') ? [ask] : []),
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
  operations: { ...operations, ...userOperations },
  examples: { 'add-user': { name: 'alice' }, 'remove-user': { name: 'alice' } },
})
