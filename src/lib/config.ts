/**
 * The configuration: one table of keys, from which the reader, the sample file and the reference are made.
 *
 * YAML below, `WCP360_*` environment above it. Anything unknown or wrong is a `ConfigError` of one line, so that a start
 * never goes on with a guess.
 */
import { hostname } from 'node:os'
import { isMap, isPair, isScalar, LineCounter, type Node, parseDocument, type Scalar } from 'yaml'
import { z } from 'zod'
import { canonicalRange } from './address-range.ts'
import { EmailAddress } from './email-address.ts'
import { knownProxies, proxiesNamed } from './known-proxies.ts'
import { isServerAddress } from './server-address.ts'

interface Setting<S extends z.ZodType = z.ZodType> {
  readonly schema: S
  /** The default when the key is absent, as it stands in YAML. */
  readonly byDefault: string | number
  /** The accepted values: completes "expected …". */
  readonly expected: string
  /** Its effect in one or two sentences. */
  readonly help: string
}

function setting<S extends z.ZodType>(definition: Setting<S>): Setting<S> {
  return definition
}

const port = z.int().min(1).max(65_535)
const perMinute = z.int().min(1).max(1_000_000)
const expectedPerMinute = 'a number from 1 to 1000000'

/** Property of `Config` → key; in the file and the environment it is written in snake case. */
export const settings = {
  listen: setting({
    schema: z.string().transform(parseListen),
    byDefault: '[::]:8360',
    expected: 'an address and a port such as "[::]:8360" or "127.0.0.1:8360"',
    help: 'Where the panel answers. "[::]" is every address, IPv4 and IPv6. Takes effect at the next start.',
  }),
  certificatePort: setting({
    schema: z.union([z.literal('none').transform(() => null), port]),
    byDefault: 'none',
    expected: 'none, or a port from 1 to 65535',
    help: 'A second port of the panel, such as 8361, that asks browsers for a certificate: for who signs in with one. The first port asks nobody. Takes effect at the next start.',
  }),
  baseUrl: setting({
    schema: z.string().transform(parseBaseUrl),
    byDefault: 'auto',
    expected: 'auto, or an address such as https://panel.example.com:8360 without a path',
    help: "The panel's address as people type it; requests for another host are refused. auto: any host is answered, for the time before the panel has a name.",
  }),
  store: setting({
    schema: z.string().transform(parseStore),
    byDefault: 'sqlite',
    expected: 'sqlite, or an address such as postgres://user:password@host/database',
    help: "Where the panel keeps its state: the embedded SQLite, or PostgreSQL 15 or later (a pooler in between must pass prepared statements on). Takes effect at the panel's next start.",
  }),
  smtp: setting({
    schema: z.string().transform(parseSmtp),
    byDefault: 'none',
    expected: 'none, or an address such as smtps://user:password@mail.example.com or smtp://127.0.0.1:25',
    help: 'The mail server that takes the mails of the panel. smtps:// speaks TLS from the beginning, smtp:// turns to it (a server on this machine may go without). none: nothing is mailed, links are handed over by an administrator.',
  }),
  mailFrom: setting({
    schema: z.union([z.literal('auto'), EmailAddress]),
    byDefault: 'auto',
    expected: 'auto, or an e-mail address',
    help: 'Sender of the mails of the panel. auto: wcp360 at the host of base_url.',
  }),
  dnsServers: setting({
    schema: z.string().transform(parseDnsServers),
    byDefault: 'system',
    expected: 'system, or addresses such as "9.9.9.9, [2620:fe::fe]:53"',
    help: 'Which resolvers are asked for the records that prove whose a domain is. system: those of the machine. Best is one that validates DNSSEC.',
  }),
  acmeCaFile: setting({
    schema: z
      .string()
      .regex(/^(?:none|\/[\x20-\x7e]+)$/)
      .transform((text) => (text === 'none' ? null : text)),
    byDefault: 'none',
    expected: 'none, or the absolute path of a file that the panel may read',
    help: 'Certificates (PEM) by which the certification authority of certificates.authority is known, where it is one of your own. none: those that every browser knows.',
  }),
  acmeBinding: setting({
    schema: z.string().transform(parseBinding),
    byDefault: 'none',
    expected: 'none, or "KID KEY" with the key in base64url',
    help: 'Where the certification authority has given you an external account binding: its key identifier and its MAC key.',
  }),
  logLevel: setting({
    schema: z.enum(['debug', 'info', 'warn', 'error']),
    byDefault: 'info',
    expected: 'one of debug, info, warn, error',
    help: 'The least important messages that are logged.',
  }),
  httpPort: setting({
    schema: port,
    byDefault: 80,
    expected: 'a port from 1 to 65535',
    help: "Port on which customers' sites answer without TLS.",
  }),
  httpsPort: setting({
    schema: port,
    byDefault: 443,
    expected: 'a port from 1 to 65535',
    help: "Port on which customers' sites answer with TLS.",
  }),
  connectionsPerAddress: setting({
    schema: z.int().min(8).max(65_535),
    byDefault: 256,
    expected: 'a number from 8 to 65535',
    help: "Requests to customers' sites that one address (IPv6: one /64) may have under way; what is above is answered 429. A browser has up to 128 at once; raise it where a proxy or a large network comes with few addresses.",
  }),
  connectionsPerSite: setting({
    schema: z.int().min(8).max(65_535),
    byDefault: 2048,
    expected: 'a number from 8 to 65535',
    help: 'Requests to one host name that may be under way, whoever sent them, so that a flood of one site leaves room for the others; what is above is answered 429.',
  }),
  siteProxies: setting({
    schema: z.string().transform(parseProxies),
    byDefault: 'none',
    expected: `none, or names and ranges such as "${Object.keys(knownProxies).join(', ')}, 192.0.2.0/24"`,
    help: "Proxies in front of customers' sites: of what comes from there, the visitor's address is the last one in X-Forwarded-For that is none of theirs, for logs, bounds, rules and PHP. Whoever can connect from there can say any address.",
  }),
  phpIdleSeconds: setting({
    schema: z.int().min(5).max(86_400),
    byDefault: 300,
    expected: 'a number of seconds from 5 to 86400',
    help: "How long a tenant's PHP may be idle before it is stopped; the next request starts it again.",
  }),
  tenantsSharePct: setting({
    schema: z.int().min(5).max(95),
    byDefault: 75,
    expected: 'a number of percent from 5 to 95',
    help: "How much of this machine's memory and processes all tenants together may use. Near it the PHP that rested longest is stopped first, and a wake for which there is no room is told to come again.",
  }),
  jobsAtOnce: setting({
    schema: z.int().min(1).max(32),
    byDefault: 4,
    expected: 'a number from 1 to 32',
    help: 'How many jobs of different tenants run at the same time.',
  }),
  sessionIdleMinutes: setting({
    schema: z.int().min(1).max(1440),
    byDefault: 30,
    expected: 'a number of minutes from 1 to 1440',
    help: 'A browser session ends after so long without a request.',
  }),
  adminIdleMinutes: setting({
    schema: z.int().min(1).max(1440),
    byDefault: 15,
    expected: 'a number of minutes from 1 to 1440',
    help: 'The same for administrators, where it is shorter.',
  }),
  sessionHours: setting({
    schema: z.int().min(1).max(168),
    byDefault: 12,
    expected: 'a number of hours from 1 to 168',
    help: 'A browser session ends after so long in any case.',
  }),
  loginAttempts: setting({
    schema: z.int().min(1).max(100),
    byDefault: 5,
    expected: 'a number from 1 to 100',
    help: 'Failed sign-ins in 15 minutes for one account from one network before it has to wait.',
  }),
  requestsPerMinute: setting({
    schema: perMinute,
    byDefault: 1200,
    expected: expectedPerMinute,
    help: 'Requests of any kind from one address (IPv6: one /64) before it has to wait; a quarter of them may come at once.',
  }),
  readsPerMinute: setting({
    schema: perMinute,
    byDefault: 60,
    expected: expectedPerMinute,
    help: 'Calls of the REST interface that change nothing, of one person; a third of them may come at once.',
  }),
  writesPerMinute: setting({
    schema: perMinute,
    byDefault: 20,
    expected: expectedPerMinute,
    help: 'Changes that one person may ask for, on pages and by the REST interface together. Root on this machine is not counted.',
  }),
  jobsPerMinute: setting({
    schema: perMinute,
    byDefault: 30,
    expected: expectedPerMinute,
    help: 'Changes of the machine that people may ask for about one tenant.',
  }),
  deletesPerHour: setting({
    schema: z.int().min(1).max(100_000),
    byDefault: 200,
    expected: 'a number from 1 to 100000',
    help: 'How many tenants and domains may be moved to the trash or purged in an hour; what is above waits until the hour has passed, or until root lets it through with "wcp approve deletes".',
  }),
  restoresPerHour: setting({
    schema: z.int().min(1).max(100_000),
    byDefault: 200,
    expected: 'a number from 1 to 100000',
    help: 'How many tenants and domains may be brought back from the trash in an hour; above it as above, with "wcp approve restores".',
  }),
  createsPerHour: setting({
    schema: z.int().min(1).max(100_000),
    byDefault: 200,
    expected: 'a number from 1 to 100000',
    help: 'How many tenants and domains may be made in an hour; above it as above, with "wcp approve creates".',
  }),
  suspensionsPerHour: setting({
    schema: z.int().min(1).max(100_000),
    byDefault: 100,
    expected: 'a number from 1 to 100000',
    help: 'How many tenants and domains may be suspended in an hour; above it as above, with "wcp approve suspensions".',
  }),
  changesPerHour: setting({
    schema: z.int().min(1).max(100_000),
    byDefault: 3000,
    expected: 'a number from 1 to 100000',
    help: 'How many other changes of tenants and domains are made in an hour; above it as above, with "wcp approve changes".',
  }),
  runsPerHour: setting({
    schema: z.int().min(1).max(100_000),
    byDefault: 6000,
    expected: 'a number from 1 to 100000',
    help: 'How many runs of cron jobs begin in an hour; above it as above, with "wcp approve runs".',
  }),
  webhookTargets: setting({
    schema: z.enum(['public', 'any']),
    byDefault: 'public',
    expected: 'public or any',
    help: 'Where webhooks may lead. public: addresses of the public internet only. any: also this machine and private networks, which lets every administrator of the panel reach them.',
  }),
  auditRemote: setting({
    schema: z.string().transform(parseHttps),
    byDefault: 'off',
    expected: 'off, or an address such as https://audit.example.com/wcp360',
    help: "Where the sealed end of the root side's audit log is sent every ten minutes, as JSON by POST, so that another machine can tell whether the log was shortened. Never the entries themselves.",
  }),
} as const

type Settings = typeof settings
type SettingName = keyof Settings
export type Config = { readonly [N in SettingName]: z.output<Settings[N]['schema']> } & {
  readonly baseUrl: string
  /** No address is configured: every well-formed host is answered. */
  readonly anyHost: boolean
}

export interface ListenAddress {
  /** Without brackets: `::`. */
  readonly host: string
  readonly port: number
}

/** Where the panel listens: for everybody, and, where it is configured, for those with a certificate. */
export function panelAddresses({ listen, certificatePort }: Config): readonly ListenAddress[] {
  return certificatePort === null ? [listen] : [listen, { host: listen.host, port: certificatePort }]
}

export interface SmtpServer {
  readonly host: string
  readonly port: number
  /** TLS from the beginning. */
  readonly isTls: boolean
  /** On this machine. */
  readonly isLocal: boolean
  readonly login: { readonly user: string; readonly password: string } | null
}

export type StoreAddress = { readonly kind: 'sqlite' } | { readonly kind: 'postgres'; readonly url: string }

/** One line that names file and line, key, value and what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

interface Given {
  readonly value: unknown
  /** `file:line`, or the variable's name. */
  readonly where: string
}

/**
 * @param text content of the file
 * @param env the process's environment; only `WCP360_*` is looked at
 * @param file name for messages
 */
export function loadConfig(text: string, env: Readonly<Record<string, string | undefined>>, file: string): Config {
  const given = new Map([...fromYaml(text, file), ...fromEnvironment(env)])
  const values: Record<string, unknown> = {}
  for (const name of settingNames) values[name] = readSetting(name, given.get(name))
  const config = values as unknown as Config // each value has just been parsed by its own schema
  if (config.baseUrl !== 'auto') return { ...config, anyHost: false }
  return { ...config, baseUrl: `https://${hostname()}:${config.listen.port}`, anyHost: true }
}

export const settingNames = Object.keys(settings) as readonly SettingName[]

/** `phpIdleSeconds` → `php_idle_seconds`. */
export function settingKey(name: SettingName): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

const nameOfKey = new Map(settingNames.map((name) => [settingKey(name), name]))

/** The file as a first start writes it: every key with its default, switched off by a `#`. */
export function defaultConfigText(): string {
  const head = [
    '# Configuration of WCP360. Take the "#" away from a line to change it, then "systemctl reload wcpd".',
    '# Each key may also be set in the environment: log_level as WCP360_LOG_LEVEL (/etc/default/wcp360).',
  ]
  const entries = settingNames.map((name) => {
    const { byDefault, expected, help } = settings[name]
    return [`# ${help}`, `# Expected: ${expected}.`, `#${settingKey(name)}: ${inYaml(byDefault)}`].join('\n')
  })
  return `${[head.join('\n'), ...entries].join('\n\n')}\n`
}

/** The table of `docs/configuration.md`. */
export function configReference(): string {
  const rows = settingNames.map((name) => {
    const { byDefault, expected, help } = settings[name]
    return `| \`${settingKey(name)}\` | \`${inYaml(byDefault)}\` | ${help} Expected: ${expected}. |`
  })
  return ['| key | default | what it does |', '|---|---|---|', ...rows].join('\n')
}

/** Addresses in brackets would be a list without the quotes. */
function inYaml(value: string | number): string {
  return typeof value === 'string' && value.startsWith('[') ? `"${value}"` : String(value)
}

function fromYaml(text: string, file: string): [SettingName, Given][] {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const place = (offset: number | undefined) => `${file}:${lines.linePos(offset ?? 0).line || 1}`
  const [fault] = [...document.errors, ...document.warnings]
  if (fault)
    throw new ConfigError(`${place(fault.pos[0])}: ${oneLine(fault.message)}: expected YAML of lines "key: value"`)
  const root: Node | null = document.contents
  if (root === null || (isScalar(root) && root.value === null)) return []
  if (!isMap(root)) throw new ConfigError(`${place(root.range?.[0])}: expected lines "key: value"`)
  return root.items.map((pair) => {
    const key = isPair(pair) && isScalar(pair.key) ? (pair.key as Scalar) : undefined // the library types keys as unknown
    const where = place(key?.range?.[0])
    // A list, mapping or alias in its own words: an array, which no setting takes.
    const value = isScalar(pair.value) || pair.value === null ? pair.value?.value : [String(pair.value)]
    return [knownName(String(key?.value), where, 'key'), { value, where }]
  })
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): [SettingName, Given][] {
  return Object.entries(env)
    .filter((entry): entry is [string, string] => entry[0].startsWith('WCP360_') && entry[1] !== undefined)
    .map(([variable, text]) => {
      const name = knownName(variable.slice('WCP360_'.length).toLowerCase(), `environment ${variable}`, 'variable')
      return [name, { value: /^-?\d+$/.test(text) ? Number(text) : text, where: `environment ${variable}` }]
    })
}

function knownName(key: string, where: string, noun: string): SettingName {
  const name = nameOfKey.get(key)
  if (name !== undefined) return name
  throw new ConfigError(
    `${where}: unknown ${noun} "${oneLine(key)}": expected one of ${[...nameOfKey.keys()].join(', ')}`,
  )
}

function readSetting(name: SettingName, given: Given | undefined): unknown {
  const { schema, byDefault, expected } = settings[name]
  if (given === undefined) return schema.parse(byDefault)
  const result = schema.safeParse(given.value)
  if (result.success) return result.data
  throw new ConfigError(`${given.where}: ${settingKey(name)} is ${shown(name, given.value)}: expected ${expected}`)
}

/** The address of store and mail server may hold a password, and messages go to logs. */
function shown(name: SettingName, value: unknown): string {
  if ((name === 'store' || name === 'smtp') && typeof value === 'string')
    return oneLine(JSON.stringify(value.replace(/:\/\/.*@/, '://…@')))
  return oneLine(JSON.stringify(value) ?? 'empty')
}

function oneLine(text: string): string {
  const flat = text.replace(/\p{Cc}+/gu, ' ').trim()
  return flat.length > 200 ? `${flat.slice(0, 200)}…` : flat
}

type Refine = { readonly addIssue: (message: string) => void }

function parseListen(text: string, context: Refine): ListenAddress {
  const match = /^(?:\[(?<six>[0-9a-f:.]+)\]|(?<four>\d{1,3}(?:\.\d{1,3}){3})):(?<port>\d{1,5})$/i.exec(text)
  const host = match?.groups?.six ?? match?.groups?.four ?? ''
  const number = Number(match?.groups?.port)
  if (!URL.canParse(`http://${host.includes(':') ? `[${host}]` : host}/`) || !(number >= 1 && number <= 65_535))
    return refused(context)
  return { host, port: number }
}

function parseBaseUrl(text: string, context: Refine): string {
  if (text === 'auto') return text
  const url = URL.parse(text)
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.search || url.hash || url.username || url.password)
    return refused(context)
  return url.origin
}

/** @returns null for `off`. */
function parseHttps(text: string, context: Refine): string | null {
  if (text === 'off') return null
  const url = URL.parse(text)
  if (url?.protocol !== 'https:' || url.hash || url.username || url.password) return refused(context)
  return url.href
}

/** @returns none for those of the system; as `Resolver.setServers` takes them */
function parseDnsServers(text: string, context: Refine): readonly string[] {
  if (text === 'system') return []
  const servers = text.split(',').map((one) => one.trim())
  return servers.length <= 8 && servers.every(isServerAddress) ? servers : refused(context)
}

function parseProxies(text: string, context: Refine): readonly string[] {
  if (text === 'none') return []
  const parts = text.split(',').map((one) => one.trim())
  const ranges = parts.map((one) => {
    const read = canonicalRange(one)
    const isAll = 'range' in read && read.range.endsWith('/0')
    return proxiesNamed(one) ?? ('range' in read && !isAll ? [read.range] : null)
  })
  return parts.length <= 50 && ranges.every((found) => found !== null)
    ? [...new Set(ranges.flatMap((found) => found ?? []))]
    : refused(context)
}

function parseStore(text: string, context: Refine): StoreAddress {
  if (text === 'sqlite') return { kind: 'sqlite' }
  const url = URL.parse(text)
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2) return refused(context)
  return { kind: 'postgres', url: text }
}

function parseBinding(text: string, context: Refine): { readonly kid: string; readonly key: string } | null {
  if (text === 'none') return null
  const [, kid, key] = /^([\x21-\x7e]{1,500}) ([A-Za-z0-9_-]{1,500}={0,2})$/.exec(text) ?? []
  return kid !== undefined && key !== undefined ? { kid, key } : refused(context)
}

function parseSmtp(text: string, context: Refine): SmtpServer | null {
  if (text === 'none') return null
  const url = URL.parse(text)
  const isTls = url?.protocol === 'smtps:'
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === '' || url.search || url.hash)
    return refused(context)
  if (!['', '/'].includes(url.pathname) || (url.username === '') !== (url.password === '')) return refused(context)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isLocal = ['localhost', '127.0.0.1', '::1'].includes(host)
  const login =
    url.username === '' ? null : { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
  return { host, port: Number(url.port) || (isTls ? 465 : isLocal ? 25 : 587), isTls, isLocal, login }
}

function refused(context: Refine): never {
  context.addIssue('refused')
  return z.NEVER
}
