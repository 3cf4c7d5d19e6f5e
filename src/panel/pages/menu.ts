/** The menu of a visitor: what they may not call is left out. */
import type { Texts } from '../../lib/texts.ts'
import type { Frame } from './view.ts'

export function menuFor(t: Texts, url: string, may: (operation: string) => boolean): Frame['menu'] {
  const here = url.split('?')[0] ?? '/'
  const item = (title: string, href: string, icon: string, operation?: string) => ({
    title,
    href,
    icon,
    current: href === '/' ? here === '/' : here === href || here.startsWith(`${href}/`),
    isShown: operation === undefined || may(operation),
  })
  const groups = [
    { title: null, items: [item(t.nav.overview, '/', 'overview')] },
    {
      title: t.layout.hosting,
      items: [
        item(t.nav.tenants, '/tenants', 'tenant', 'tenant.list'),
        item(t.nav.domains, '/domains', 'domain', 'domain.list'),
        item(t.nav.packages, '/packages', 'package', 'package.list'),
        item(t.nav.resellers, '/resellers', 'reseller', 'reseller.list'),
      ],
    },
    {
      title: t.layout.activity,
      items: [item(t.nav.jobs, '/jobs', 'job', 'job.list'), item(t.nav.audit, '/audit', 'audit', 'audit.list')],
    },
    {
      title: t.layout.system,
      items: [
        item(t.nav.users, '/users', 'user', 'user.list'),
        item(t.nav.roles, '/roles', 'role', 'role.list'),
        item(t.nav.apiKeys, '/api-keys', 'key', 'api-key.list'),
        item(t.nav.mail, '/mails', 'mail', 'mail.list'),
        item(t.nav.webhooks, '/webhooks', 'webhook', 'webhook.list'),
        item(t.nav.settings, '/settings', 'settings', 'settings.list'),
        item(t.nav.terminal, '/terminal', 'terminal'),
        item(t.nav.api, '/api-reference', 'api'),
      ],
    },
  ]
  return groups
    .map(({ title, items }) => ({ title, items: items.filter(({ isShown }) => isShown) }))
    .filter(({ items }) => items.length > 0)
}
