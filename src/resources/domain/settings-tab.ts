/** What is chosen for a site, on its page: groups, each with a form of its own and the line that does the same. */
import type { Fqdn } from '../../contract/values.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Cell, Fact, Section } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import { shownHost } from '../../lib/shown-host.ts'
import { label } from '../../lib/texts.ts'
import type { Look, Tab } from '../kind.ts'
import * as operations from './operations.ts'
import { refOf } from './pages.ts'
import type { Domain } from './schema.ts'
import type { words as own } from './words.ts'

type Chosen = Pick<
  Domain,
  | ('https' | 'canonicalName' | 'redirects' | 'documentRoot' | 'frontController' | 'maintenance')
  | ('closedDirectories' | 'noPhpDirectories' | 'notFoundPage' | 'staticCache' | 'headers')
  | (
      | 'listedDirectories'
      | 'hotlinkProtection'
      | 'hotlinkHosts'
      | 'largestBodyMb'
      | 'requestsPerSecond'
      | 'requestsAtOnce'
    )
  | ('protectedDirectories' | 'addressRules' | 'addressDirectories')
>
type Field = keyof Chosen

/** Where nothing is chosen, its line says how something is. */
const examples: { readonly [key in Field]?: Chosen[key] } = {
  redirects: ['/old-page /new-page 301'],
  documentRoot: 'public',
  frontController: '/index.php',
  maintenance: true,
  closedDirectories: ['/data'],
  noPhpDirectories: ['/wp-content/uploads'],
  protectedDirectories: ['/intern'],
  listedDirectories: ['/downloads'],
  hotlinkProtection: true,
  hotlinkHosts: ['partner.example.net' as Fqdn],
  largestBodyMb: '8',
  requestsPerSecond: '20',
  requestsAtOnce: '16',
  addressRules: ['allow 203.0.113.0/24'],
  addressDirectories: ['/wp-admin'],
  notFoundPage: '/404.html',
  staticCache: 'week',
  headers: ['X-Frame-Options: SAMEORIGIN'],
}

const groups = {
  addresses: ['https', 'canonicalName', 'redirects'],
  files: ['documentRoot', 'frontController', 'notFoundPage'],
  fences: ['closedDirectories', 'noPhpDirectories', 'listedDirectories'],
  access: ['protectedDirectories', 'addressRules', 'addressDirectories'],
  bounds: ['largestBodyMb', 'requestsPerSecond', 'requestsAtOnce', 'hotlinkProtection', 'hotlinkHosts'],
  answers: ['staticCache', 'headers'],
  closing: ['maintenance'],
} as const satisfies Readonly<Record<string, readonly Field[]>>

export const settingsTab: Tab<Domain, typeof own> = {
  slug: 'settings',
  order: 15,
  title: ({ words }) => words.settings,
  needs: 'domain.get',
  input: (one) => ({ domain: refOf(one) }),
  async sections(one, look) {
    const isOpen = one.status === 'active' && look.may('domain.update')
    const chosen = (Object.keys(groups) as (keyof typeof groups)[]).map((name): Section => {
      const fields: readonly Field[] = groups[name]
      const href = `/do/domain.update${query({ domain: refOf(one), _only: fields.join(' ') })}`
      return {
        title: look.words.settingGroups[name],
        facts: fields.map((field) => factOf(one, look, field)),
        ...(isOpen && { link: { title: look.t.verbs.update, href } }),
      }
    })
    return [...chosen, usersOf(one, look)]
  },
}

function usersOf(one: Domain, { t, words, may }: Look<typeof own>): Section {
  const isOpen = one.status === 'active'
  const form = (operation: string, more: object = {}) =>
    `/do/${operation}${query({ domain: refOf(one), ...more, _back: `/domains/${refOf(one)}/settings` })}`
  const rows = one.siteUsers.map((name): Cell[] => [
    { text: name },
    ...(isOpen && may('domain.remove-user')
      ? [{ text: t.verbs.delete, href: form('domain.remove-user', { name }), label: name }]
      : [{ text: '' }]),
  ])
  return {
    title: words.siteUsers,
    table: {
      caption: words.siteUsers,
      columns: [{ title: label(t, 'name') }, { title: t.verbs.delete, hidden: true }],
      rows,
    },
    empty: words.noSiteUsers,
    ...(isOpen && may('domain.add-user') && { link: { title: words.addSiteUser, href: form('domain.add-user') } }),
  }
}

function factOf(one: Domain, { t, words }: Look<typeof own>, field: Field): Fact {
  const line = toCommandLine(operations.update, { domain: refOf(one), [field]: wished(one, field) })
  return { title: words.fields[field] ?? label(t, field), text: said(one, words)[field], sub: line }
}

function wished(one: Domain, field: Field): unknown {
  const value = one[field]
  if (field === 'canonicalName') return value ?? one.fqdn
  const isDefault = value === null || value === false || (Array.isArray(value) && value.length === 0)
  return isDefault ? examples[field] : value
}

function said(one: Domain, { ways, unset, cacheTimes }: typeof own): Readonly<Record<Field, string>> {
  return {
    https: ways[one.https],
    canonicalName: one.canonicalName === null ? unset.canonicalName : shownHost(one.canonicalName),
    redirects: one.redirects.join(', ') || unset.none,
    documentRoot: one.documentRoot ?? unset.documentRoot,
    frontController: one.frontController === 'off' ? unset.noFront : (one.frontController ?? unset.frontController),
    maintenance: one.maintenance ? unset.closed : unset.maintenance,
    closedDirectories: one.closedDirectories.join(', ') || unset.none,
    noPhpDirectories: one.noPhpDirectories.join(', ') || unset.none,
    protectedDirectories: one.protectedDirectories.join(', ') || unset.none,
    listedDirectories: one.listedDirectories.join(', ') || unset.none,
    hotlinkProtection: one.hotlinkProtection ? unset.hotlinks : unset.hotlinkProtection,
    hotlinkHosts: one.hotlinkHosts.map(shownHost).join(', ') || unset.none,
    largestBodyMb: one.largestBodyMb === null ? unset.largestBodyMb : `${one.largestBodyMb} ${unset.mb}`,
    requestsPerSecond: `${one.requestsPerSecond ?? unset.bound}`,
    requestsAtOnce: `${one.requestsAtOnce ?? unset.bound}`,
    addressRules: one.addressRules.join(', ') || unset.addressRules,
    addressDirectories: one.addressDirectories.join(', ') || unset.addressDirectories,
    notFoundPage: one.notFoundPage ?? unset.notFoundPage,
    staticCache: one.staticCache === null ? unset.staticCache : cacheTimes[one.staticCache],
    headers: one.headers.join(', ') || unset.none,
  }
}
