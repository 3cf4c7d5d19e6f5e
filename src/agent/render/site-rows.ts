/** A site's settings as rows of the maps by which the one general server block looks them up (docs/0031-site-settings.md). */
import { WcpError } from '../../contract/errors.ts'
import {
  cacheTimes,
  type Redirect,
  type SiteHeader,
  type SiteSettings,
  type SiteUser,
} from '../../contract/site-settings.ts'
import type { Fqdn } from '../../contract/values.ts'

/**
 * `site`: by host, what is chosen for it. `exact`, `below1` … `below4`: by host and path, or host and directory of that
 * depth, where visitors are sent. `within1` … `within4`: by host and directory, what is not done below it, or not for everybody. `headers`: by
 * host, what is sent with answers.
 */
export const rowMaps = [
  ...(['site', 'exact', 'below1', 'below2', 'below3', 'below4'] as const),
  ...(['within1', 'within2', 'within3', 'within4', 'headers'] as const),
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
  const rows = names.flatMap((name) => [
    ...chosenFor(name, docroot, settings),
    ...(settings.redirects ?? []).map((redirect) => sent(name, redirect)),
    ...fences(settings).map(([path, words]) => [atDepth('within', path), [`${name}${path}`, words]] as const),
    ...said(name, settings.headers ?? []),
  ])
  const byMap = Map.groupBy(rows, ([map]) => map)
  return new Map([...byMap].map(([map, found]) => [map, found.map(([, row]) => line(row)).join('')]))
}

/** Six words, `-` for what is not chosen: flags, canonical name, front controller, document root, lifetime, page. */
function chosenFor(name: Fqdn, docroot: string, settings: SiteSettings): (readonly [RowMap, Row])[] {
  const { root, front, maintenance, canonical, redirects, missing, cache, headers, locked } = settings
  const flags = [
    maintenance && 'm',
    redirects && 'r',
    fences(settings).length > 0 && 'd',
    headers && 'h',
    locked?.includes('/') && 'l',
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

/** By directory in small letters, as the web server compares them: `closed`, `still` (runs no script), `locked`, or several. */
function fences({ closed = [], withoutPhp = [], locked = [] }: SiteSettings): readonly (readonly [string, string])[] {
  const said = [
    ...closed.map((path) => [path, 'closed'] as const),
    ...withoutPhp.map((path) => [path, 'still'] as const),
    ...locked.filter((path) => path !== '/').map((path) => [path, 'locked'] as const),
  ]
  const byPath = Map.groupBy(said, ([path]) => path.toLowerCase())
  return [...byPath].map(([path, words]) => [path, [...new Set(words.map(([, word]) => word))].join(' ')])
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
