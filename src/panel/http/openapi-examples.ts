/**
 * Example values for the OpenAPI document, made from the JSON schemas: words that people would use where a field has such
 * a name, and else the plainest value that fits. The tests hold every example against its schema.
 */
type Json = { readonly [key: string]: unknown }

const id = '3f0c1d9e-8a52-4d5b-9f5e-0d1a2b3c4d5e'
const moment = '2026-03-01T12:00:00.000Z'

/** Property → what it says in examples; taken where it fits. */
const words: Readonly<Record<string, unknown>> = {
  kind: 'tenant',
  tenant: 'bakery',
  tenantName: 'bakery',
  name: 'bakery',
  domain: 'shop.example.com',
  fqdn: 'shop.example.com',
  aliases: ['www.shop.example.com'],
  search: 'shop',
  package: 'basic',
  packageName: 'basic',
  email: 'ann@example.com',
  ownerEmail: 'ann@example.com',
  resellerEmail: 'seller@example.com',
  owner: 'ann@example.com',
  user: 'ann@example.com',
  to: 'ann@example.com',
  actor: 'ann@example.com',
  reseller: 'seller@example.com',
  role: 'user',
  roles: ['user'],
  password: 'correct horse battery',
  code: '123456',
  permissions: ['domain.list', 'domain.get'],
  scopes: ['domain.list', 'domain.get'],
  addresses: ['192.0.2.1', '2001:db8::/32'],
  ip: '192.0.2.1',
  action: 'domain.create',
  php: '8.4',
  documentRoot: 'public',
  frontController: '/index.php',
  canonicalName: 'shop.example.com',
  redirects: ['/old-page /new-page 301'],
  closedDirectories: ['/data'],
  noPhpDirectories: ['/wp-content/uploads'],
  protectedDirectories: ['/intern'],
  listedDirectories: ['/downloads'],
  hotlinkHosts: ['partner.example.net'],
  addressRules: ['allow 203.0.113.0/24'],
  addressDirectories: ['/wp-admin'],
  siteUsers: ['alice'],
  notFoundPage: '/404.html',
  headers: ['x-frame-options: SAMEORIGIN'],
  memMb: 512,
  cpuPct: 100,
  pids: 64,
  maxDomains: 5,
  maxDatabases: 5,
  diskMb: 10_240,
  key: 'jobs.keep_days',
  value: 30,
  cursor: 'WyJiYWtlcnkiLCIzZjBjMWQ5ZSJd',
  deletedAt: null,
  nextCursor: null,
  error: null,
  link: 'https://panel.example.com:8360/link/Zm9yLWV4YW1wbGU',
  token: 'wcp_Zm9yLWV4YW1wbGUtb25seQ',
  url: 'https://hooks.example.com/wcp360',
  events: ['job.succeeded', 'job.failed'],
  plan: '1',
  path: 'css/site.css',
  mode: '644',
  tag: '2f1a-2000-18a4',
}

/** Tried in turn for a text that must have some form. */
const texts = [
  'example',
  'bakery',
  'shop.example.com',
  'ann@example.com',
  'domain.list',
  '1772323200000-0a1b2c3d',
  '0123456789abcdef'.repeat(4),
  '4xx',
  '5243001-73214',
]

/** @param name of the property or parameter that has the schema */
export function exampleOf(schema: unknown, name = ''): unknown {
  const given = asRecord(schema)
  if (Object.hasOwn(words, name) && fits(given, words[name])) return words[name]
  const options = given.anyOf ?? given.oneOf
  if (Array.isArray(options))
    return exampleOf(
      options.find((one) => asRecord(one).type !== 'null'),
      name,
    )
  if ('const' in given) return given.const
  if (Array.isArray(given.enum)) return given.enum[0]
  const type = Array.isArray(given.type) ? given.type[0] : given.type
  if (type === 'object') return exampleObject(given, Object.keys(asRecord(given.properties)))
  if (type === 'array') return exampleList(given, singular(name))
  if (type === 'integer' || type === 'number') return Math.max(1, Number(given.minimum ?? 1))
  if (type === 'boolean') return true
  if (type !== 'string') return null
  if (given.format === 'uuid') return id
  if (given.format === 'date-time') return moment
  if (given.format === 'date') return moment.slice(0, 10)
  return texts.find((text) => fits(given, text)) ?? 'example'
}

function exampleList({ prefixItems, items }: Json, name: string): unknown[] {
  if (Array.isArray(prefixItems)) return prefixItems.map((item) => exampleOf(item, name))
  return items === undefined ? [] : [exampleOf(items, name)]
}

/** @param keys what it shows, in order */
export function exampleObject({ properties }: Json, keys: readonly string[]): Json {
  const known = asRecord(properties)
  return Object.fromEntries(keys.map((key) => [key, exampleOf(known[key], key)]))
}

function fits(schema: Json, value: unknown): boolean {
  const options = schema.anyOf ?? schema.oneOf
  if (Array.isArray(options)) return options.some((one) => fits(asRecord(one), value))
  if ('const' in schema) return schema.const === value
  if (Array.isArray(schema.enum)) return schema.enum.includes(value)
  if (![schema.type].flat().includes(typeOf(value))) return typeOf(value) === 'integer' && schema.type === 'number'
  if (Array.isArray(value)) return value.every((one) => fits(asRecord(schema.items), one))
  if (typeof value === 'number')
    return value >= Number(schema.minimum ?? value) && value <= Number(schema.maximum ?? value)
  return typeof value !== 'string' || fitsText(schema, value)
}

function fitsText({ minLength, maxLength, pattern, format }: Json, text: string): boolean {
  if (text.length < Number(minLength ?? 0) || text.length > Number(maxLength ?? text.length)) return false
  if (format === 'uri') return URL.canParse(text)
  return typeof pattern !== 'string' || new RegExp(pattern, 'u').test(text)
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

function singular(name: string): string {
  return name.replace(/s$/, '')
}

function asRecord(value: unknown): Json {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
