/** The facts of the machine for a site that exists. Creation, restoration and drift are all this one list. */
import type { SiteSettings } from '../../../contract/site-settings.ts'
import type { Fqdn, Id, PhpVersion } from '../../../contract/values.ts'
import type { Ownership } from '../../os/files.ts'
import { poolOf } from '../../os/fpm-pool.ts'
import type { Machine } from '../../os/machine.ts'
import type { TenantIdentity } from '../../os/tenant-identity.ts'
import { renderPhpOptions } from '../../render/php-options.ts'
import { usersText } from '../../render/site-rows.ts'
import { absentPath } from '../../steps/absent-path.ts'
import { directory } from '../../steps/directory.ts'
import { handedOverTree } from '../../steps/handed-over-tree.ts'
import { link } from '../../steps/link.ts'
import { servedDirectory } from '../../steps/served-directory.ts'
import { servedRows } from '../../steps/served-rows.ts'
import type { Step } from '../../steps/step.ts'
import { textFile } from '../../steps/text-file.ts'
import { usersFile } from '../../steps/users-file.ts'
import { type OwnCertificate, servedFacts } from '../certificate/facts.ts'
import { readyPage } from './ready-page.ts'

export type SiteIdentity = {
  readonly id: Id
  readonly fqdn: Fqdn
  readonly aliases: readonly Fqdn[]
  readonly php: PhpVersion | null
  /** Absent in what an older version journaled: the tenant's own PHP. */
  readonly apart?: PhpVersion | null
  /** Absent in what an older version journaled. */
  readonly settings?: SiteSettings
}

const root = { uid: 0, gid: 0 }

/** Names first come into the routing table when everything behind them is complete. */
export function siteFacts(
  machine: Machine,
  tenant: TenantIdentity,
  site: SiteIdentity,
  { isLive, own = null }: { isLive: boolean; own?: OwnCertificate },
) {
  return [
    treeFact(machine, tenant, site),
    ...routeFacts(machine, tenant, site, isLive, own),
    ...phpOptionsFacts(machine, tenant, site),
    settingsFact(machine, tenant, [site]),
    ...namesOf(site).map((name) => hostFact(machine, tenant, site, name)),
  ]
}

/**
 * The customer's files. The site's directory is root's, so that the tenant can swap nothing above its document root
 * (C05). The web server alone passes the gate above, and a tenant's processes see their own tree alone: so everybody may
 * read the document root, and its owner may give it any group. Without such views the gate is open, and the document
 * root is the web server's group's to read.
 */
function treeFact(machine: Machine, tenant: TenantIdentity, site: SiteIdentity): Step {
  const { customers } = machine.places
  const { uid } = tenant
  return handedOverTree({
    path: customers.site(tenant.name, site.fqdn),
    staging: `${customers.trash}/new-${site.id}`,
    mode: 0o711,
    ...root,
    builder: root,
    children: [
      { path: 'public', ...docrootOwnership(machine, tenant) },
      { path: 'public/index.html', text: readyPage(site.fqdn), mode: 0o644, uid, gid: machine.accounts.webGid },
    ],
  })
}

/** Part of the tree when that is made; looked at on its own only for drift. */
export function docrootFact(machine: Machine, tenant: TenantIdentity, site: SiteIdentity): Step {
  const path = machine.places.customers.docroot(tenant.name, site.fqdn)
  return servedDirectory({ path, ...docrootOwnership(machine, tenant) })
}

/** Set-group-ID: what is made in it with 0640 is the web server's to read, too. */
export function docrootOwnership({ accounts, services }: Machine, { uid }: TenantIdentity): Ownership {
  return { mode: services.hasOwnViews ? 0o2755 : 0o2750, uid, gid: accounts.webGid }
}

/** The links and markers that the web server reads for the site. */
export function routeFacts(
  machine: Machine,
  { name }: TenantIdentity,
  site: SiteIdentity,
  isLive: boolean,
  own: OwnCertificate = null,
): Step[] {
  const { web, customers } = machine.places
  const place = web.site(name, site.fqdn)
  return [
    directory({ path: place, mode: 0o711, ...root }),
    link({ path: `${place}/docroot`, target: customers.docroot(name, site.fqdn) }),
    phpFact(machine, { name }, site),
    usersFact(machine, { name }, site),
    ...tlsFacts(machine, { name }, site, own),
    isLive ? liveSite(machine, { name }, site) : closedSite(machine, { name }, site),
    ...site.aliases.map((alias) => aliasFact(machine, { name }, site, alias)),
  ]
}

function tlsFacts(
  machine: Machine,
  owner: Pick<TenantIdentity, 'name'>,
  site: SiteIdentity,
  own: OwnCertificate,
): readonly Step[] {
  if (own === 'as it is') return []
  if (own !== null) return servedFacts(machine, owner, { fqdn: site.fqdn, names: namesOf(site), ...own })
  const { web } = machine.places
  return [link({ path: `${web.site(owner.name, site.fqdn)}/tls`, target: web.defaultTls })]
}

export function phpFact({ places }: Machine, { name }: Pick<TenantIdentity, 'name'>, site: SiteIdentity): Step {
  const path = `${places.web.site(name, site.fqdn)}/php.sock`
  return site.php === null
    ? absentPath(path)
    : link({ path, target: places.fpmSocket(poolOf(name, site.apart ?? undefined)) })
}

/** Those who get into the protected directories. An empty file, and no missing one, where there are such directories and nobody yet. */
export function usersFact(machine: Machine, { name }: Pick<TenantIdentity, 'name'>, site: SiteIdentity): Step {
  const path = machine.places.web.users(name, site.fqdn)
  const { locked, users = [] } = site.settings ?? {}
  if (locked === undefined && users.length === 0) return absentPath(path)
  return usersFile({ path, text: usersText(users), mode: 0o640, uid: 0, gid: machine.accounts.workersGid })
}

/** What is chosen for its PHP; nobody has chosen anything for a site without PHP. */
export function phpOptionsFacts({ places }: Machine, { name, uid, gid }: TenantIdentity, site: SiteIdentity): Step[] {
  const path = places.web.phpOptionsOf(name, site.id)
  const text = phpOptionsText(places, name, site)
  if (text === undefined) return [absentPath(path)]
  const sessions = { path: places.customers.sessions(name, site.fqdn), mode: 0o700, uid, gid }
  return [
    ...(site.settings?.php?.ownSessions ? [directory(sessions)] : []),
    directory({ path: places.web.phpOptions(name), mode: 0o750, uid: 0, gid }),
    textFile({ path, text, mode: 0o640, uid: 0, gid }),
  ]
}

export function absentPhpOptions({ places }: Machine, { name }: Pick<TenantIdentity, 'name'>, site: Id): Step {
  return absentPath(places.web.phpOptionsOf(name, site))
}

/** undefined: PHP is told nothing of the site. */
export function phpOptionsText(
  { customers }: Machine['places'],
  tenant: TenantIdentity['name'],
  site: SiteIdentity,
): string | undefined {
  const options = site.settings?.php
  if (options === undefined || site.php === null) return undefined
  return renderPhpOptions({ names: namesOf(site), sessions: customers.sessions(tenant, site.fqdn), options })
}

/** What is chosen for these sites, in the web server. */
export function settingsFact(
  { places }: Machine,
  { name }: Pick<TenantIdentity, 'name'>,
  sites: readonly SiteIdentity[],
): Step {
  const served = sites.map((site) => ({
    fqdn: site.fqdn,
    rows: {
      names: namesOf(site),
      docroot: places.customers.docroot(name, site.fqdn),
      settings: site.settings ?? {},
    },
  }))
  return servedRows(served)
}

/** Nothing is chosen for these names any more. */
export function absentSettings(names: readonly Fqdn[]): Step {
  return servedRows(names.map((fqdn) => ({ fqdn, rows: null })))
}

/** `hosts/<name>/live` is a file exactly while tenant and domain are both live. */
export function liveSite({ places }: Machine, { name }: Pick<TenantIdentity, 'name'>, site: { fqdn: Fqdn }): Step {
  return link({ path: `${places.web.site(name, site.fqdn)}/live`, target: '../../live' })
}

export function closedSite({ places }: Machine, { name }: Pick<TenantIdentity, 'name'>, site: { fqdn: Fqdn }): Step {
  return absentPath(`${places.web.site(name, site.fqdn)}/live`)
}

export function hostFact(
  { places }: Machine,
  { name }: Pick<TenantIdentity, 'name'>,
  site: { fqdn: Fqdn },
  host: Fqdn,
): Step {
  return link({ path: places.web.host(host), target: `../tenants/${name}/sites/${site.fqdn}` })
}

/** PHP finds the site among the tenant's own by this name, too. */
export function aliasFact(
  { places }: Machine,
  { name }: Pick<TenantIdentity, 'name'>,
  site: { fqdn: Fqdn },
  alias: Fqdn,
): Step {
  return link({ path: places.web.site(name, alias), target: site.fqdn })
}

export function absentAlias(machine: Machine, { name }: Pick<TenantIdentity, 'name'>, alias: Fqdn): Step[] {
  return [absentHost(machine, alias), absentPath(machine.places.web.site(name, alias))]
}

export function absentHost({ places }: Machine, host: Fqdn): Step {
  return absentPath(places.web.host(host))
}

export function namesOf({ fqdn, aliases }: Pick<SiteIdentity, 'fqdn' | 'aliases'>): readonly Fqdn[] {
  return [fqdn, ...aliases]
}
