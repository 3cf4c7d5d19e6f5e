/** A site's settings as rows of the maps by which the one general server block looks them up (docs/0031-site-settings.md). */
import { WcpError } from '../../contract/errors.ts'
import {
  type AddressRule,
  bodySizes,
  cacheTimes,
  connectionCounts,
  type Redirect,
  requestRates,
  type SiteHeader,
  type SiteSettings,
  type SiteUser,
} from '../../contract/site-settings.ts'
import type { Fqdn } from '../../contract/values.ts'
import { type AddressPrefixes, addressPrefixes } from '../../lib/address-prefixes.ts'

/**
 * `site`: by host, what is chosen for it. `exact`, `below1` … `below4`: by host and path, or host and directory of that
 * depth, where visitors are sent. `within1` … `within4`: by host and directory, what is not done below it, or not for everybody. `headers`: by
 * host, what is sent with answers. `kin`, `friends`: by
 * host, one name for all of the site's, and by that the hosts whose pages show its pictures. `from`: by host, under which name its ranges of addresses stand, and whether others are
 * let in. `from1` … `from8`: by that name and so many bytes or groups of an address, whether it is.
 */
export const rowMaps = [
  ...(['site', 'exact', 'below1', 'below2', 'below3', 'below4'] as const),
  ...(['within1', 'within2', 'within3', 'within4', 'headers', 'from', 'kin', 'friends'] as const),
  ...(['from1', 'from2', 'from3', 'from4', 'from5', 'from6', 'from7', 'from8'] as const),
] as const
export type RowMap = (typeof rowMaps)[number]

export interface RowsOfSite {
  readonly names: readonly Fqdn[]
  /** The directory that `settings.root` is below. */
  readonly docroot: string
  readonly settings: SiteSettings
}

type Row = readonly [key: string, value: string]

/** Text of the rows by map; a map without rows of the site is left out. */
export function siteRows({ names, docroot, settings }: RowsOfSite): ReadonlyMap<RowMap, string> {
  const ofNames = names.flatMap((name) => [
    ...chosenFor(name, docroot, settings),
    ...(settings.redirects ?? []).map((redirect) => sent(name, redirect)),
    ...fences(settings).map(([path, words]) => [atDepth('within', path), [`${name}${path}`, words]] as const),
    ...said(name, settings.headers ?? []),
    ...askedFrom(name, names, settings),
    ...kin(name, names, settings),
  ])
  const rows = [...ofNames, ...ranges(names, settings), ...friends(names, settings)]
  const byMap = Map.groupBy(rows, ([map]) => map)
  return new Map([...byMap].map(([map, found]) => [map, found.map(([, row]) => line(row)).join('')]))
}

/** Six words, `-` for what is not chosen: flags, canonical name, front controller, document root, lifetime, page. */
function chosenFor(name: Fqdn, docroot: string, settings: SiteSettings): (readonly [RowMap, Row])[] {
  const { root, front, maintenance, canonical, redirects, missing, cache, headers, locked, addresses, listed } =
    settings
  const flags = [
    maintenance && 'm',
    redirects && 'r',
    fences(settings).length > 0 && 'd',
    headers && 'h',
    locked?.includes('/') && 'l',
    addresses && (settings.addressesBelow === undefined ? 'w' : 'n'),
    listed?.includes('/') && 'i',
    settings.ownPictures && 'g',
    ...bounds(settings),
  ]
  const words = [
    flags.filter((flag) => flag).join(''),
    canonical === name ? '' : canonical,
    front,
    root && `${docroot}/${root}`,
    cache && cacheTimes[cache],
    missing,
  ]
  if (words.every((word) => !word)) return []
  return [['site', [name, words.map((word) => word || '-').join(' ')]]]
}

/** `301 https://…`, with `=` before a path of the same site. What is below a directory is added to it as it stands. */
function sent(name: Fqdn, { from, isPrefix, to, code }: Redirect): readonly [RowMap, Row] {
  const target = isPrefix ? to.replace(/\/$/, '') : to
  const value = `${code} ${to.startsWith('/') ? '=' : ''}${target}`
  if (!isPrefix) return ['exact', [`${name}${from}`, value]]
  return [atDepth('below', from), [`${name}${from}`, value]]
}

function atDepth(maps: 'below' | 'within', directory: string): RowMap {
  const depth = directory.split('/').length - 1
  const map = rowMaps.find((one) => one === `${maps}${depth}`)
  if (map === undefined) throw new WcpError('internal', `Cannot render a directory: no map for a depth of ${depth}`)
  return map
}

/**
 * By directory in small letters, as the web server compares them: `closed`, `still` (runs no script), `locked`, `near`,
 * `listed`, or several. Of one that is closed nothing else is asked.
 */
function fences({
  listed = [],
  closed = [],
  withoutPhp = [],
  locked = [],
  addresses,
  addressesBelow = [],
}: SiteSettings): readonly (readonly [string, string])[] {
  const said = [
    ...closed.map((path) => [path, 'closed'] as const),
    ...withoutPhp.map((path) => [path, 'still'] as const),
    ...locked.filter((path) => path !== '/').map((path) => [path, 'locked'] as const),
    ...listed.filter((path) => path !== '/').map((path) => [path, 'listed'] as const),
    ...(addresses ? addressesBelow : []).map((path) => [path, 'near'] as const),
  ]
  const byPath = Map.groupBy(said, ([path]) => path.toLowerCase())
  return [...byPath].map(([path, found]) => {
    const words = new Set(found.map(([, word]) => word))
    return [path, words.has('closed') ? 'closed' : [...words].join(' ')]
  })
}

/** A capital for each bound that was chosen, after all other flags. */
export const boundFlags = { bodyMb: 'BCDE', rate: 'PQRS', connections: 'VWX' } as const

function bounds({ bodyMb, rate, connections }: SiteSettings): readonly (string | undefined)[] {
  return [
    bodyMb && boundFlags.bodyMb[bodySizes.indexOf(bodyMb)],
    rate && boundFlags.rate[requestRates.indexOf(rate)],
    connections && boundFlags.connections[connectionCounts.indexOf(connections)],
  ]
}

function kin(name: Fqdn, [first]: readonly Fqdn[], settings: SiteSettings): (readonly [RowMap, Row])[] {
  return settings.ownPictures ? [['kin', [name, `${first}`]]] : []
}

function friends(names: readonly Fqdn[], settings: SiteSettings): (readonly [RowMap, Row])[] {
  if (!settings.ownPictures) return []
  return [...new Set([...names, ...(settings.friends ?? [])])].map((host) => [
    'friends',
    [`${names[0]} ${host}`, 'shown'],
  ])
}

const verdict = (isAllowed: boolean) => (isAllowed ? 'allow' : 'deny')

/** The ranges stand under the first of the names alone: there may be many of both. */
function askedFrom(name: Fqdn, [first]: readonly Fqdn[], { addresses = [] }: SiteSettings): (readonly [RowMap, Row])[] {
  if (addresses.length === 0) return []
  return [['from', [name, `${first} ${verdict(!addresses.some(({ isAllowed }) => isAllowed))}`]]]
}

/** @throws for a range that has none */
function ranges([name]: readonly Fqdn[], { addresses = [] }: SiteSettings): (readonly [RowMap, Row])[] {
  const rows = new Map<string, readonly [RowMap, Row]>()
  for (const [{ isAllowed }, { parts, prefixes }] of byWidth(addresses)) {
    const map = rowMaps.find((one) => one === `from${parts}`)
    if (map === undefined) throw new WcpError('internal', `Cannot render a range: no map for ${parts} parts`)
    for (const prefix of prefixes) rows.set(prefix, [map, [`${name} ${prefix}`, verdict(isAllowed)]])
  }
  return [...rows.values()]
}

/** The widest first: of two that are the same beginning the narrower one has the last word. */
function byWidth(addresses: readonly AddressRule[]): (readonly [AddressRule, AddressPrefixes])[] {
  return addresses
    .map((rule) => {
      const found = addressPrefixes(rule.range)
      if (found === null) throw new WcpError('conflict', `Cannot tell addresses by "${rule.range}"`)
      return [rule, found] as const
    })
    .sort(([, one], [, other]) => other.prefixes.length - one.prefixes.length)
}

/** Text of the file by which the web server knows users: a line each. Neither part has a colon or a line break. */
export function usersText(users: readonly SiteUser[]): string {
  return users.map(({ name, verifier }) => `${name}:${verifier}\n`).join('')
}

/** `name=value` of all of them, set apart by what no value holds. */
function said(name: Fqdn, headers: readonly SiteHeader[]): (readonly [RowMap, Row])[] {
  if (headers.length === 0) return []
  return [['headers', [name, headers.map((one) => `${one.name}=${one.value}`).join('|')]]]
}

function line([key, value]: Row): string {
  return `${quoted(key)} ${quoted(value)};\n`
}

/** A string of nginx's configuration. It has no way to write a dollar sign that is not a variable's. */
export function quoted(text: string): string {
  if (/[\p{Cc}$]/u.test(text)) throw new WcpError('internal', 'Cannot render a row with such a character')
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}
