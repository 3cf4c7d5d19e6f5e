/** Applications, such as WordPress, in the document roots of domains. */

import { statusBadge } from '../../lib/page-model.ts'
import { shownHost } from '../../lib/shown-host.ts'
import { label } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import * as operations from './operations.ts'
import { appRow } from './row.ts'
import { App } from './schema.ts'
import { appStore, apps } from './store.ts'

const words = {
  one: 'application',
  many: 'Applications',
  lede: 'WordPress in the document roots of domains.',
  add: 'Install WordPress',
  none: 'No applications yet',
  noneText: 'WordPress comes with a database of its own; whoever administers the site chooses a password by a link.',
  login: 'Sign in to the site',
  link: 'Link to a new password',
  open: 'Open the site',
  fields: {
    application: 'Application',
    title: 'Title',
    adminUser: 'First user',
    adminEmail: 'Address of the first user',
    databaseName: 'Database',
    user: 'User of the application',
  },
  applications: { wordpress: 'WordPress' },
}

export const app = defineKind({
  name: 'app',
  words,
  path: '/apps',
  menu: { group: 'hosting', icon: 'package' },
  parent: 'domain',
  list: { add: ['install'] },
  item: App,
  columns: ({ t, words, about }) => [
    {
      title: words.fields.title,
      cell: ({ fqdn, title, application }) => ({
        text: title,
        href: `/apps/${fqdn}`,
        sub: words.applications[application],
      }),
    },
    { title: label(t, 'status'), cell: ({ status }) => ({ badge: statusBadge(status, t.statuses) }) },
    ...(about === 'domain' ? [] : [{ title: label(t, 'domain'), wide: true, cell: domainCell }]),
    { title: label(t, 'createdAt'), wide: true, cell: ({ createdAt }) => ({ time: createdAt }) },
  ],
  detail: {
    ref: ({ fqdn }) => fqdn,
    async page(one, { t, words, table, may }) {
      const jobs = await table('job', { resource: one.id, limit: 8 })
      return {
        title: one.title,
        status: statusBadge(one.status, t.statuses),
        more:
          one.status === 'active'
            ? [
                { title: words.login, operation: 'app.login-link' },
                { title: words.link, operation: 'app.reset-link' },
              ].filter(({ operation }) => may(operation))
            : [],
        sections: [
          {
            title: t.job.about,
            facts: [
              { title: label(t, 'domain'), ...domainCell(one) },
              { title: label(t, 'tenant'), text: one.tenantName, href: `/tenants/${one.tenantName}` },
              { title: words.fields.application, text: words.applications[one.application] },
              { title: words.fields.adminUser, text: one.adminUser },
              { title: words.fields.adminEmail, text: one.adminEmail },
              {
                title: words.fields.databaseName,
                text: one.databaseName ?? '–',
                ...(one.databaseId !== null && { href: `/databases/${one.databaseId}` }),
              },
              { title: label(t, 'createdAt'), time: one.createdAt },
              { title: label(t, 'id'), code: one.id },
            ],
          },
          ...(jobs.rows.length > 0 ? [{ title: t.job.recent, table: jobs }] : []),
        ],
      }
    },
  },
  examples: {
    install: {
      ...{ application: 'wordpress', domain: 'bakery.example.com', title: 'Bakery' },
      ...{ adminUser: 'baker', adminEmail: 'baker@example.com' },
    },
  },
  stores: { apps: appStore },
  migrations: [apps],
  tables: { apps: { one: 'application', name: ['title', 'domain_id'], shows: ['application', 'status'] } },
  row: appRow,
  operations,
})

function domainCell({ fqdn }: App) {
  return { text: shownHost(fqdn), href: `/domains/${fqdn}` }
}
