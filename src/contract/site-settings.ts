/**
 * What an owner chooses for a site, as both sides of the boundary have it: a missing key is the default, and no value can hold
 * what would be read as more than itself in the web server's configuration.
 */
import { z } from 'zod'
import { PhpOptions } from './php-options.ts'
import { Fqdn } from './values.ts'

/** One name on the disk: neither hidden nor `..`. */
const part = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}'

/** A directory below that of the site, such as `public` or `web/dist`. */
export const SubPath = z
  .string()
  .max(200, { error: 'at most 200 characters' })
  .regex(new RegExp(`^${part}(?:/${part}){0,5}$`), {
    error: 'a directory such as public or web/dist, without a slash before or after it',
  })
export type SubPath = z.infer<typeof SubPath>

/** The script that answers for addresses without a file; `off`: none does. */
export const FrontController = z
  .string()
  .max(200, { error: 'at most 200 characters' })
  .regex(new RegExp(`^(?:off|(?:/${part}){0,5}/[A-Za-z0-9_][A-Za-z0-9_-]{0,63}\\.php)$`), {
    error: 'off, or a script such as /index.php',
  })
export type FrontController = z.infer<typeof FrontController>

const longestPathBytes = 600

/** A path as the web server compares it: decoded, without a directory twice or a step back. */
export const UrlPath = z
  .string()
  .max(300, { error: 'at most 300 characters' })
  .regex(/^(?:\/|(?:\/(?!\.{1,2}(?:\/|$))[\p{L}\p{N}._~!()+,;=:@& -]+)+\/?)$/u, {
    error: 'a path such as /old-page, of letters, digits and ._~!()+,;=:@&-',
  })
  .refine((text) => Buffer.byteLength(text) <= longestPathBytes, { error: `at most ${longestPathBytes} bytes` })
export type UrlPath = z.infer<typeof UrlPath>

const encoded = "(?:[A-Za-z0-9._~!()*+,;=:@/&'-]|%[0-9A-Fa-f]{2})"

/** Where visitors are sent: an address of the web, or a path of the same site, with a query where it is said. */
export const RedirectTarget = z
  .string()
  .max(1000, { error: 'at most 1000 characters' })
  .regex(
    new RegExp(
      `^(?:https?://(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z0-9-]{1,63}(?::[0-9]{1,5})?(?:/${encoded}*)?|/(?!/)${encoded}*)(?:\\?(?:${encoded}|\\?)*)?(?:#(?:${encoded}|\\?)*)?$`,
    ),
    { error: 'a path such as /new-page, or an address such as https://example.com/page, percent-encoded' },
  )
export type RedirectTarget = z.infer<typeof RedirectTarget>

/** 301 and 308 are remembered by browsers; 307 and 308 keep the method and what was sent. */
export const redirectCodes = [301, 302, 307, 308] as const

export const Redirect = z
  .strictObject({
    from: UrlPath,
    /** Also everything below `from`; the rest of the path is kept. */
    isPrefix: z.boolean(),
    to: RedirectTarget,
    code: z.union(redirectCodes.map((code) => z.literal(code))),
  })
  .refine(({ from, isPrefix }) => !isPrefix || isDirectory(from), {
    error: 'a directory of one to four levels before /*',
    path: ['from'],
  })
  .refine(({ to, isPrefix }) => !isPrefix || !/[?#]/.test(to), {
    error: 'a target without query and fragment, since the rest of the path is added to it',
    path: ['to'],
  })
export type Redirect = z.infer<typeof Redirect>

/** So deep directories can be named that the web server looks up. */
export const deepestDirectory = 4

function isDirectory(path: string): boolean {
  const depth = path.split('/').length - 1
  return path !== '/' && !path.endsWith('/') && depth <= deepestDirectory
}

export const mostRedirects = 50

/** A directory as visitors see it, such as `/wp-content/uploads`. */
export const UrlDirectory = z
  .string()
  .max(200, { error: 'at most 200 characters' })
  .regex(new RegExp(`^(?:/${part}){1,${deepestDirectory}}$`), {
    error: 'a directory of one to four levels such as /wp-content/uploads, without a slash at its end',
  })
export type UrlDirectory = z.infer<typeof UrlDirectory>

export const mostDirectories = 30

/** The whole site, or a directory of it. */
export const UrlScope = z.union([z.literal('/'), UrlDirectory], {
  error: '/ for the whole site, or a directory of one to four levels such as /intern',
})
export type UrlScope = z.infer<typeof UrlScope>

/** Somebody who gets into the protected directories; the web server tells small and capital letters apart. */
export const SiteUserName = z
  .string()
  .max(64, { error: 'at most 64 characters' })
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]*$/, { error: 'a name of letters, digits and ._@-, such as alice' })
export type SiteUserName = z.infer<typeof SiteUserName>

/** SHA-1 of a password and 16 bytes of salt. Enough for passwords that were drawn, of 125 bits, and for no others. */
export const SiteUserVerifier = z.string().regex(/^\{SSHA\}[A-Za-z0-9+/]{48}$/)

export const SiteUser = z.strictObject({ name: SiteUserName, verifier: SiteUserVerifier })
export type SiteUser = z.infer<typeof SiteUser>

export const mostSiteUsers = 50

/** A page of the site's own. */
export const UrlPage = z
  .string()
  .max(200, { error: 'at most 200 characters' })
  .regex(new RegExp(`^(?:/${part}){0,5}/[A-Za-z0-9_][A-Za-z0-9_-]{0,63}\\.html$`), {
    error: 'a page such as /404.html',
  })
export type UrlPage = z.infer<typeof UrlPage>

/** How long browsers keep pictures, styles, scripts and fonts. */
export const cacheTimes = { hour: '1h', day: '1d', week: '7d', month: '30d', year: '365d' } as const
export const CacheTime = z.enum(Object.keys(cacheTimes) as (keyof typeof cacheTimes)[], {
  error: 'hour, day, week, month or year',
})
export type CacheTime = z.infer<typeof CacheTime>

/** Signs of a header's value: no line break, no dollar sign, and none that sets apart the values of one row. */
const text = /^[A-Za-z0-9 !#%&'()*+,\-./:;<=>?@[\]^_`{}~"]{1,1000}$/

/** The headers that an owner can have sent with every answer, each with what it may say. */
export const headerValues = {
  'content-security-policy': text,
  'permissions-policy': text,
  'referrer-policy':
    /^(?:no-referrer|no-referrer-when-downgrade|origin|origin-when-cross-origin|same-origin|strict-origin|strict-origin-when-cross-origin|unsafe-url)$/,
  'x-frame-options': /^(?:DENY|SAMEORIGIN)$/,
  'x-content-type-options': /^nosniff$/,
  'x-robots-tag': /^[a-z0-9:,_ -]{1,200}$/,
  'access-control-allow-origin':
    /^(?:\*|https?:\/\/(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{1,63}(?::[0-9]{1,5})?)$/,
} as const
export const headerNames = Object.keys(headerValues) as (keyof typeof headerValues)[]

/** Of all values of a site: they are one word of the web server's configuration. */
const longestHeaders = 3000

export const SiteHeader = z
  .strictObject({
    name: z.enum(headerNames, { error: `one of ${headerNames.join(', ')}` }),
    value: z.string().max(1000, { error: 'at most 1000 characters' }),
  })
  .refine(({ name, value }) => headerValues[name].test(value) && value.trim() === value, {
    error: 'a value that this header takes, without | $ and \\',
    path: ['value'],
  })
export type SiteHeader = z.infer<typeof SiteHeader>

/** The largest body that a site takes, in millions of bytes, below what the web server takes at most. */
export const bodySizes = ['1', '8', '32', '64'] as const
/** Requests of one network to a site in a second. So many more at once are let through. */
export const requestRates = ['1', '5', '20', '100'] as const
/** For each of a second. */
export const rateBurst = 10
/** Requests of one network to a site that are under way at the same time. */
export const connectionCounts = ['4', '16', '64'] as const

export const BodySize = z.enum(bodySizes, { error: `one of ${bodySizes.join(', ')}` })
export const RequestRate = z.enum(requestRates, { error: `one of ${requestRates.join(', ')}` })
export const ConnectionCount = z.enum(connectionCounts, { error: `one of ${connectionCounts.join(', ')}` })

export const mostFriends = 20

/** Who may come from where. The range is held against a parser by whoever writes it down; no sign of it is the web server's. */
export const AddressRule = z.strictObject({
  isAllowed: z.boolean(),
  range: z
    .string()
    .regex(/^[0-9a-f.:]{2,45}(?:\/[0-9]{1,3})?$/, { error: 'an address or a range such as 203.0.113.0/24' }),
})
export type AddressRule = z.infer<typeof AddressRule>

export const mostAddressRules = 100

const directories = z
  .array(UrlDirectory)
  .min(1)
  .max(mostDirectories, { error: `at most ${mostDirectories} directories` })

export const SiteSettings = z
  .strictObject({
    /** Document root below the site's directory. */
    root: SubPath.exactOptional(),
    /** Without: the nearest `index.php` above the address. */
    front: FrontController.exactOptional(),
    /** Visitors see a page that says so. */
    maintenance: z.literal(true).exactOptional(),
    /** Who comes under another name of the site is sent to this one. */
    canonical: Fqdn.exactOptional(),
    redirects: z
      .array(Redirect)
      .min(1)
      .max(mostRedirects, { error: `at most ${mostRedirects} redirects` })
      .exactOptional(),
    /** Nothing below them is answered. */
    closed: directories.exactOptional(),
    /** Scripts below them do not run. */
    withoutPhp: directories.exactOptional(),
    /** What is below them is for those of `users` alone. */
    locked: z
      .array(UrlScope)
      .min(1)
      .max(mostDirectories, { error: `at most ${mostDirectories} directories` })
      .exactOptional(),
    /** The narrowest that holds for an address counts; for others those are refused, where some are allowed. */
    addresses: z
      .array(AddressRule)
      .min(1)
      .max(mostAddressRules, { error: `at most ${mostAddressRules} rules` })
      .exactOptional(),
    /** Where `addresses` count; without: on the whole site. */
    addressesBelow: directories.exactOptional(),
    /** What is in them is listed where they have no index. */
    listed: z
      .array(UrlScope)
      .min(1)
      .max(mostDirectories, { error: `at most ${mostDirectories} directories` })
      .exactOptional(),
    /** Pictures, films and archives are sent to pages of the site and of `friends` alone. */
    ownPictures: z.literal(true).exactOptional(),
    friends: z
      .array(Fqdn)
      .min(1)
      .max(mostFriends, { error: `at most ${mostFriends} names` })
      .exactOptional(),
    bodyMb: BodySize.exactOptional(),
    rate: RequestRate.exactOptional(),
    connections: ConnectionCount.exactOptional(),
    users: z
      .array(SiteUser)
      .min(1)
      .max(mostSiteUsers, { error: `at most ${mostSiteUsers} users` })
      .exactOptional(),
    /** Shown where nothing is found. */
    missing: UrlPage.exactOptional(),
    cache: CacheTime.exactOptional(),
    headers: z.array(SiteHeader).min(1).exactOptional(),
    /** For PHP alone: the web server knows nothing of it. */
    php: PhpOptions.exactOptional(),
  })
  .refine(({ addresses = [] }) => new Set(addresses.map(({ range }) => range)).size === addresses.length, {
    error: 'each range once',
    path: ['addresses'],
  })
  .refine(({ users = [] }) => new Set(users.map(({ name }) => name)).size === users.length, {
    error: 'each user once',
    path: ['users'],
  })
  .refine(({ headers = [] }) => new Set(headers.map(({ name }) => name)).size === headers.length, {
    error: 'each header once',
    path: ['headers'],
  })
  .refine(({ headers = [] }) => headers.reduce((sum, { value }) => sum + value.length, 0) <= longestHeaders, {
    error: `at most ${longestHeaders} characters in all`,
    path: ['headers'],
  })
  .refine(({ redirects = [] }) => new Set(redirects.map(keyOf)).size === redirects.length, {
    error: 'each path once; the web server does not tell small and capital letters apart here',
    path: ['redirects'],
  })
export type SiteSettings = z.infer<typeof SiteSettings>

/** Two with the same key answer for the same addresses. */
export function keyOf({ from, isPrefix }: Pick<Redirect, 'from' | 'isPrefix'>): string {
  return `${isPrefix ? 'all below' : 'just'} ${from.toLowerCase()}`
}
