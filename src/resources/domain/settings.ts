/** What can be chosen for a site: the fields of `domain.update`, as people and programs see them, and what they become. */
import { z } from 'zod'
import {
  BodySize,
  bodySizes,
  CacheTime,
  ConnectionCount,
  connectionCounts,
  FrontController,
  headerNames,
  mostAddressRules,
  mostDirectories,
  mostFriends,
  mostRedirects,
  type Redirect,
  RequestRate,
  rateBurst,
  requestRates,
  SiteSettings,
  SiteUserName,
  SubPath,
  UrlDirectory,
  UrlPage,
  UrlScope,
} from '../../contract/site-settings.ts'
import { Fqdn } from '../../contract/values.ts'
import { tooWide } from '../../lib/address-prefixes.ts'
import { DomainName } from '../../lib/domain-name.ts'
import { badInput } from '../refusals.ts'
import { AddressLine, addressLine, addressRuleOf } from './address-line.ts'
import { HeaderLine, headerLine, headerOf } from './header-line.ts'
import { type PhpOptionsWish, phpOptionsInput, shownPhp, shownPhpOptions, withPhpWish } from './php-options.ts'
import { RedirectLine, redirectLine, redirectOf } from './redirect-line.ts'
import { redirectLoop } from './redirect-loop.ts'

/** Part of `Domain`. */
export const shownSettings = {
  /** Below the directory of the site; null: that itself. */
  documentRoot: SubPath.nullable(),
  /** The script for addresses without a file, or `off`; null: the nearest index.php. */
  frontController: FrontController.nullable(),
  /** Where visitors of the other names are sent; null: every name answers. */
  canonicalName: Fqdn.nullable(),
  /** A line each: path, where it leads, status. */
  redirects: z.array(z.string()),
  /** Visitors see a page that says so. */
  maintenance: z.boolean(),
  /** Answered by 404, with all below them. */
  closedDirectories: z.array(UrlDirectory),
  /** Scripts below them do not run. */
  noPhpDirectories: z.array(UrlDirectory),
  /** Asked for a name and a password, with all below them; `/`: the whole site. */
  protectedDirectories: z.array(UrlScope),
  /** A line each: `allow` or `deny`, and an address or range. The narrowest counts; where some are allowed, others are not. */
  addressRules: z.array(z.string()),
  /** Where those rules count; none: on the whole site. */
  addressDirectories: z.array(UrlDirectory),
  /** Directories whose content visitors see where they have no index. */
  listedDirectories: z.array(UrlScope),
  /** Pictures, films and archives are not sent to pages of other hosts. */
  hotlinkProtection: z.boolean(),
  /** Hosts for whose pages that does not hold, besides the site's own names. */
  hotlinkHosts: z.array(Fqdn),
  /** In millions of bytes; null: what the server takes. */
  largestBodyMb: BodySize.nullable(),
  /** Of one visitor's network; null: no bound of the site's own. */
  requestsPerSecond: RequestRate.nullable(),
  /** Requests of one visitor's network that are under way; null: no bound of the site's own. */
  requestsAtOnce: ConnectionCount.nullable(),
  /** Who gets into them. */
  siteUsers: z.array(SiteUserName),
  /** null: the web server's own words. */
  notFoundPage: UrlPage.nullable(),
  /** How long browsers keep pictures, styles, scripts and fonts; null: they ask each time. */
  staticCache: CacheTime.nullable(),
  /** A line each: name and value. */
  headers: z.array(z.string()),
  ...shownPhpOptions,
}
type Shown = { readonly [key in keyof typeof shownSettings]: z.output<(typeof shownSettings)[key]> }

const directories = () =>
  z
    .array(UrlDirectory, { error: 'a list of directories' })
    .max(mostDirectories, { error: `at most ${mostDirectories} directories` })
    .optional()

/** Part of the input of `domain.update`. */
export const settingsInput = () => ({
  documentRoot: SubPath.nullable()
    .optional()
    .describe('Directory below that of the site whose files are served, such as public; none: that of the site itself'),
  frontController: FrontController.nullable()
    .optional()
    .describe(
      'Script that answers for addresses without a file, such as /index.php; off: none does; none: the nearest index.php above the address',
    ),
  canonicalName: DomainName.nullable()
    .optional()
    .describe('The name to which visitors of the other names are sent; none: all names answer'),
  redirects: z
    .array(RedirectLine, { error: 'a list of redirects' })
    .max(mostRedirects, { error: `at most ${mostRedirects} redirects` })
    .optional()
    .describe(
      'Each a path, where it leads and 301, 302, 307 or 308: "/old /new 301". With /* at its end the path stands for all below it. The query is kept. Those that are given replace all that were there',
    ),
  maintenance: z
    .boolean()
    .optional()
    .describe(
      'Visitors get status 503 and a page that says so: maintenance.html of the document root, where it is there',
    ),
  closedDirectories: directories().describe(
    'Directories that answer 404, with all below them, such as /data of DokuWiki. Those that are given replace all that were there',
  ),
  noPhpDirectories: directories().describe(
    'Directories in which PHP never runs, such as /wp-content/uploads. Those that are given replace all that were there',
  ),
  protectedDirectories: z
    .array(UrlScope, { error: 'a list of directories' })
    .max(mostDirectories, { error: `at most ${mostDirectories} directories` })
    .optional()
    .describe(
      'Directories that ask for the name and password of a user of the site, such as /intern; / for the whole site. Those that are given replace all that were there',
    ),
  addressRules: z
    .array(AddressLine, { error: 'a list of rules' })
    .max(mostAddressRules, { error: `at most ${mostAddressRules} rules` })
    .optional()
    .describe(
      'Which addresses are let in, each as "allow 203.0.113.0/24" or "deny 198.51.100.7". The narrowest range counts; where some are allowed, all others are refused. Those that are given replace all that were there',
    ),
  addressDirectories: directories().describe(
    'Directories for which those rules count, such as /wp-admin; none: the whole site. Those that are given replace all that were there',
  ),
  listedDirectories: z
    .array(UrlScope, { error: 'a list of directories' })
    .max(mostDirectories, { error: `at most ${mostDirectories} directories` })
    .optional()
    .describe(
      'Directories that show visitors what is in them, with all below, where there is no index; / for the whole site. Those that are given replace all that were there',
    ),
  hotlinkProtection: z
    .boolean()
    .optional()
    .describe('Pictures, films and archives are not sent to browsers that show pages of other hosts'),
  hotlinkHosts: z
    .array(DomainName, { error: 'a list of host names' })
    .max(mostFriends, { error: `at most ${mostFriends} names` })
    .optional()
    .describe('Hosts whose pages may show them all the same. Those that are given replace all that were there'),
  largestBodyMb: BodySize.nullable()
    .optional()
    .describe(
      `The largest body that visitors may send, in millions of bytes: ${bodySizes.join(', ')}; what does not say its length is refused then; none: what the server takes`,
    ),
  requestsPerSecond: RequestRate.nullable()
    .optional()
    .describe(
      `How many requests of one visitor's network are answered in a second, with bursts of ${rateBurst} times as many: ${requestRates.join(', ')}; none: no bound of the site's own`,
    ),
  requestsAtOnce: ConnectionCount.nullable()
    .optional()
    .describe(
      `How many requests of one visitor's network may be under way: ${connectionCounts.join(', ')}; none: no bound of the site's own`,
    ),
  notFoundPage: UrlPage.nullable()
    .optional()
    .describe('Page that visitors get where no file and no script answers, such as /404.html; none: a plain answer'),
  staticCache: CacheTime.nullable()
    .optional()
    .describe('How long browsers keep pictures, styles, scripts and fonts without asking; none: not at all'),
  headers: z
    .array(HeaderLine, { error: 'a list of headers' })
    .max(headerNames.length, { error: `at most ${headerNames.length} headers` })
    .optional()
    .describe(
      `Headers of every answer that does not bring its own, each as "X-Frame-Options: SAMEORIGIN". Those that are given replace all that were there. Possible are ${headerNames.join(', ')}`,
    ),
  ...phpOptionsInput(),
})

export type SettingsWish = PhpOptionsWish & {
  readonly documentRoot?: SubPath | null | undefined
  readonly frontController?: FrontController | null | undefined
  readonly canonicalName?: Fqdn | null | undefined
  readonly redirects?: readonly string[] | undefined
  readonly maintenance?: boolean | undefined
  readonly closedDirectories?: readonly UrlDirectory[] | undefined
  readonly noPhpDirectories?: readonly UrlDirectory[] | undefined
  readonly protectedDirectories?: readonly UrlScope[] | undefined
  readonly addressRules?: readonly string[] | undefined
  readonly addressDirectories?: readonly UrlDirectory[] | undefined
  readonly listedDirectories?: readonly UrlScope[] | undefined
  readonly hotlinkProtection?: boolean | undefined
  readonly hotlinkHosts?: readonly Fqdn[] | undefined
  readonly largestBodyMb?: z.output<typeof BodySize> | null | undefined
  readonly requestsPerSecond?: z.output<typeof RequestRate> | null | undefined
  readonly requestsAtOnce?: z.output<typeof ConnectionCount> | null | undefined
  readonly notFoundPage?: UrlPage | null | undefined
  readonly staticCache?: CacheTime | null | undefined
  readonly headers?: readonly string[] | undefined
}

export function shown(settings: SiteSettings): Shown {
  return {
    documentRoot: settings.root ?? null,
    frontController: settings.front ?? null,
    canonicalName: settings.canonical ?? null,
    redirects: (settings.redirects ?? []).map(redirectLine),
    maintenance: settings.maintenance ?? false,
    closedDirectories: settings.closed ?? [],
    noPhpDirectories: settings.withoutPhp ?? [],
    protectedDirectories: settings.locked ?? [],
    addressRules: (settings.addresses ?? []).map(addressLine),
    addressDirectories: settings.addressesBelow ?? [],
    listedDirectories: settings.listed ?? [],
    hotlinkProtection: settings.ownPictures ?? false,
    hotlinkHosts: settings.friends ?? [],
    largestBodyMb: settings.bodyMb ?? null,
    requestsPerSecond: settings.rate ?? null,
    requestsAtOnce: settings.connections ?? null,
    siteUsers: (settings.users ?? []).map(({ name }) => name),
    notFoundPage: settings.missing ?? null,
    staticCache: settings.cache ?? null,
    headers: (settings.headers ?? []).map(headerLine),
    ...shownPhp(settings.php),
  }
}

/** What is chosen by `domain.update`: users have operations of their own. With what is wished; fields that are not given stay. Defaults are left out, so that equal choices are equal texts. */
export function withWish(settings: SiteSettings, wish: SettingsWish): SiteSettings {
  const chosen = {
    root: wish.documentRoot === undefined ? settings.root : wish.documentRoot,
    front: wish.frontController === undefined ? settings.front : wish.frontController,
    maintenance: wish.maintenance ?? settings.maintenance,
    canonical: wish.canonicalName === undefined ? settings.canonical : wish.canonicalName,
    redirects: wish.redirects?.map(redirectOf) ?? settings.redirects,
    closed: wish.closedDirectories ?? settings.closed,
    withoutPhp: wish.noPhpDirectories ?? settings.withoutPhp,
    locked: wish.protectedDirectories ?? settings.locked,
    users: settings.users,
    listed: wish.listedDirectories ?? settings.listed,
    ownPictures: wish.hotlinkProtection ?? settings.ownPictures,
    friends: wish.hotlinkHosts ?? settings.friends,
    bodyMb: wish.largestBodyMb === undefined ? settings.bodyMb : wish.largestBodyMb,
    rate: wish.requestsPerSecond === undefined ? settings.rate : wish.requestsPerSecond,
    connections: wish.requestsAtOnce === undefined ? settings.connections : wish.requestsAtOnce,
    addresses: wish.addressRules?.map(addressRuleOf) ?? settings.addresses,
    addressesBelow: wish.addressDirectories ?? settings.addressesBelow,
    missing: wish.notFoundPage === undefined ? settings.missing : wish.notFoundPage,
    cache: wish.staticCache === undefined ? settings.cache : wish.staticCache,
    headers: wish.headers?.map(headerOf) ?? settings.headers,
    php: withPhpWish(settings.php, wish),
  }
  const isDefault = (value: unknown) =>
    value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0)
  return Object.fromEntries(Object.entries(chosen).filter(([, value]) => !isDefault(value))) as SiteSettings // of its keys
}

/** Refuses what each field alone does not show. @param names that the site answers for */
export function refuseUnfit(what: string, settings: SiteSettings, names: readonly Fqdn[]): void {
  const { canonical, redirects = [], addresses = [] } = settings
  if (canonical !== undefined && !names.includes(canonical))
    badInput(what, {
      field: 'canonicalName',
      problem: `${canonical} is no name of this site that is served`,
      accepted: `${names.join(', ')}, or none`,
    })
  const twice = redirects.find((one, at) => redirects.slice(0, at).some((other) => isSame(one, other)))
  if (twice !== undefined)
    badInput(what, {
      field: 'redirects',
      problem: `${twice.from} is there twice`,
      accepted: 'each path once; capitals make no difference',
    })
  const issue = SiteSettings.safeParse(settings).error?.issues.find(({ path }) => path[0] === 'headers')
  if (issue !== undefined)
    badInput(what, { field: 'headers', problem: 'cannot be sent together', accepted: issue.message })
  const again = addresses.find(({ range }, at) => addresses.slice(0, at).some((other) => other.range === range))
  if (again !== undefined)
    badInput(what, { field: 'addressRules', problem: `${again.range} is there twice`, accepted: 'each range once' })
  const wide = tooWide(addresses.map(({ range }) => range))
  if (wide !== undefined)
    badInput(what, {
      field: 'addressRules',
      problem: `${wide.range} ${wide.problem}`,
      accepted: 'fewer or narrower ranges',
    })
  const loop = redirectLoop(redirects, names)
  if (loop !== undefined)
    badInput(what, {
      field: 'redirects',
      problem: `${loop} leads back to itself`,
      accepted: 'redirects that end at another page',
    })
}

function isSame(one: Redirect, other: Redirect): boolean {
  return one.isPrefix === other.isPrefix && one.from.toLowerCase() === other.from.toLowerCase()
}
