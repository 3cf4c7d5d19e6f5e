/** For every job type: the jobs that lead up to it, and its payload. A new type without a line here does not compile. */
import { chmodSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newKey } from '../../src/agent/steps/private-key.ts'
import type { Id } from '../../src/contract/values.ts'
import { verifierOf } from '../../src/lib/database-password.ts'
import { type JobType, jobContracts } from '../../src/resources/jobs.ts'
import { Authority } from '../support/authority.ts'
import { passTrashDays } from '../support/trash-days.ts'
import { writeIntoFpmConfig } from '../support/written-by-hand.ts'
import { type Bench, workersGid } from './bench.ts'

export const tenant = '11111111-1111-4111-8111-111111111111' as Id
export const domain = '22222222-2222-4222-8222-222222222222' as Id
const run = '44444444-4444-4444-8444-444444444444' as Id
const otherDomain = '33333333-3333-4333-8333-333333333333' as Id

const limits = { cpuPct: 100, memMb: 512, pids: 64, ioMbps: null, diskMb: 1000 }
const create: Job = ['tenant.create', { tenant, name: 'acme', limits }]
const site = { fqdn: 'shop.example.com', aliases: ['www.shop.example.com', 'example.net'], php: '8.4' }
const createSite: Job = ['domain.create', { tenant, domain, ...site }]
const second: Job = [
  'domain.create',
  { tenant, domain: otherDomain, fqdn: 'static.example.org', aliases: [], php: null },
]
const about = { tenant, domain }
export const siteUser = { name: 'alice', verifier: `{SSHA}${'A'.repeat(48)}` }
const chosen = {
  root: 'web',
  front: '/index.php',
  canonical: site.fqdn,
  closed: ['/data'],
  locked: ['/intern'],
  users: [siteUser],
  php: { memoryMb: 128, timezone: 'Europe/Vienna', jit: true, ownSessions: true },
  rate: '20',
  ownPictures: true,
  addresses: [{ isAllowed: false, range: '203.0.113.0/24' }],
  headers: [{ name: 'x-frame-options', value: 'DENY' }],
  redirects: [
    { from: '/old', isPrefix: false, to: '/new', code: 301 },
    { from: '/docs/v1', isPrefix: true, to: 'https://docs.example.com/', code: 308 },
  ],
}
const chooseSettings: Job = ['domain.update', { ...about, aliases: site.aliases, php: site.php, settings: chosen }]
const key = (id: string, body: string) => ({ tenant, 'ssh-key': id, name: 'laptop', key: `ssh-ed25519 ${body}` })
const firstKey = key(
  '44444444-4444-4444-8444-444444444444',
  'AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7',
)
const secondKey = key(
  '55555555-5555-4555-8555-555555555555',
  'AAAAC3NzaC1lZDI1NTE5AAAAID4j6BYAOVlKM4lPZWThsTSLvXoAiNQsSstz7q7VnACd',
)
const createKey: Job = ['ssh-key.create', firstKey]

export const certificate = '66666666-6666-4666-8666-666666666666'
const createCertificate: Job = ['certificate.create', { tenant, certificate, domain }]
/** A key is kept where it is found, so that there is a chain for it before it is made. */
export const siteKey = newKey()
export const siteNames = [site.fqdn, ...site.aliases]

async function placeKey({ root, files, places }: Bench): Promise<void> {
  const place = `${root}/var/lib/wcp360-web/tenants/acme/sites/${site.fqdn}/${places.web.ownTls}`
  await files.makeDirectory(place, { mode: 0o750, uid: 0, gid: workersGid })
  await files.writeFile(`${place}/${places.web.keyFile}`, siteKey, { mode: 0o640, uid: 0, gid: workersGid })
}

function chainFor(names: readonly string[]): string {
  const authority = new Authority()
  const chain = authority.issue({ csr: authority.request(names, siteKey) })
  authority.dispose()
  return chain
}

const serveCertificate: Job = ['certificate.update', { tenant, certificate, chain: chainFor(siteNames) }]

async function damageTenant({ root }: Bench): Promise<void> {
  chmodSync(join(root, 'srv/www/acme/home'), 0o755)
  for (const name of ['acme.user', '20000.group']) rmSync(join(root, 'etc/userdb', name))
  writeFileSync(join(root, 'var/lib/wcp360-web/tenants/acme/php-fpm.conf'), '[global]\n')
}

async function damageSite({ root, places }: Bench): Promise<void> {
  const { ownTls, keyFile, certificateFile } = places.web
  const place = join(root, 'var/lib/wcp360-web/tenants/acme/sites', site.fqdn)
  for (const name of ['docroot', 'tls']) {
    rmSync(join(place, name))
    symlinkSync('/etc', join(place, name))
  }
  chmodSync(join(place, ownTls, keyFile), 0o644)
  writeFileSync(join(place, ownTls, certificateFile), '')
  rmSync(join(place, ownTls, 'redirect', site.fqdn))
  rmSync(join(root, 'var/lib/wcp360-web/hosts/example.net'))
  chmodSync(join(root, 'srv/www/acme/sites', site.fqdn, 'public'), 0o777)
}

/** A name of which every part stands for another one where it is not taken as it is. */
export const shop = {
  tenant,
  database: '77777777-7777-4777-8777-777777777777',
  engine: 'mariadb',
  name: 'shop_1%`x',
  collation: 'utf8mb4_unicode_ci',
  verifier: verifierOf('mariadb', 'first'),
}
const createShop: Job = ['database.create', shop]
const guest = {
  tenant,
  'database-user': '99999999-9999-4999-8999-999999999999',
  ...{ database: shop.database, name: 'guest_1%`x', access: 'read', verifier: shop.verifier },
}
const createGuest: Job = ['database-user.create', guest]
const aboutShop = { tenant, database: shop.database }

async function fillShop({ databases }: Bench): Promise<void> {
  databases.write(shop.name, 'orders', 'one, two')
}

const app = {
  ...{ tenant, app: 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa', domain, run },
  ...{ database: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb', name: 'wp_shop' },
  ...{ title: 'Shop', adminUser: 'ann', adminEmail: 'ann@example.com' },
}

/** As an administrator puts them there. */
async function placeWordpress({ files, places: { web } }: Bench): Promise<void> {
  for (const path of [web.wpCli, web.wordpress])
    await files.writeFile(path, 'of the administrator', { mode: 0o644, uid: 0, gid: 0 })
}

export type Job = readonly [type: JobType, payload: Record<string, unknown>]

export interface Scenario {
  /** Jobs, and what is done to the machine between them. */
  readonly before: readonly (Job | ((bench: Bench) => Promise<void>))[]
  readonly payload: Record<string, unknown>
}

export const scenarios: Readonly<Record<JobType, Scenario>> = {
  'tenant.create': { before: [], payload: create[1] },
  'tenant.limit': { before: [create], payload: { tenant, limits: { ...limits, memMb: 1024 } } },
  'tenant.suspend': { before: [create, createSite, createShop], payload: { tenant } },
  'tenant.unsuspend': { before: [create, createSite, createShop, ['tenant.suspend', { tenant }]], payload: { tenant } },
  'tenant.repair': {
    before: [create, createSite, createKey, damageTenant],
    payload: { tenant },
  },
  'tenant.adopt': {
    before: [create, createSite, async ({ root }) => writeIntoFpmConfig(root)],
    payload: { tenant, by: 'ann@example.com' },
  },
  'tenant.delete': {
    before: [create, createSite, createKey, createShop, second, ['domain.suspend', { tenant, domain: otherDomain }]],
    payload: { tenant },
  },
  'tenant.restore': {
    before: [create, createSite, second, createKey, createShop, ['tenant.delete', { tenant }]],
    payload: { tenant },
  },
  'tenant.purge': {
    before: [
      create,
      createSite,
      second,
      createKey,
      createShop,
      ['domain.delete', about],
      ['tenant.delete', { tenant }],
    ],
    payload: { tenant },
  },
  'domain.create': { before: [create, second], payload: createSite[1] },
  'domain.update': {
    before: [create, createSite, placeKey, createCertificate, serveCertificate],
    payload: { ...about, aliases: ['example.net', 'new.example.net'], php: '8.3' },
  },
  'domain.suspend': { before: [create, createSite], payload: about },
  'domain.unsuspend': { before: [create, createSite, ['domain.suspend', about]], payload: about },
  'domain.repair': {
    before: [create, createSite, placeKey, createCertificate, serveCertificate, damageSite],
    payload: about,
  },
  'domain.delete': { before: [create, createSite, chooseSettings, second], payload: about },
  'domain.restore': { before: [create, createSite, ['domain.delete', about]], payload: about },
  'domain.purge': { before: [create, createSite, ['domain.delete', about]], payload: about },
  'certificate.create': { before: [create, createSite], payload: createCertificate[1] },
  'certificate.update': {
    before: [create, createSite, placeKey, createCertificate],
    payload: serveCertificate[1],
  },
  'database.create': { before: [create], payload: shop },
  'database.update': {
    before: [create, createShop],
    payload: { ...aboutShop, verifier: verifierOf('mariadb', 'second') },
  },
  'database.delete': { before: [create, createShop, createGuest, fillShop], payload: aboutShop },
  'database.restore': {
    before: [create, createShop, createGuest, fillShop, ['database.delete', aboutShop]],
    payload: aboutShop,
  },
  'database-user.create': { before: [create, createShop], payload: guest },
  'database-user.update': {
    before: [create, createShop, createGuest],
    payload: {
      ...{ tenant, 'database-user': guest['database-user'] },
      verifier: verifierOf('mariadb', 'second'),
    },
  },
  'database-user.delete': {
    before: [create, createShop, createGuest],
    payload: { tenant, 'database-user': guest['database-user'] },
  },
  'database.purge': { before: [create, createShop, fillShop, ['database.delete', aboutShop]], payload: aboutShop },
  'ssh-key.create': { before: [create, createKey], payload: secondKey },
  'ssh-key.delete': { before: [create, createKey], payload: { tenant, 'ssh-key': firstKey['ssh-key'] } },
  'domain.run': { before: [create, createSite], payload: { ...about, run, command: ['php', '-v'], seconds: 60 } },
  'cron.run': {
    before: [create, createSite],
    payload: { ...about, cron: '88888888-8888-4888-8888-888888888888', run, command: ['php', '-v'], seconds: 60 },
  },
  'app.install': { before: [create, createSite, placeWordpress], payload: app },
  'app.login-link': {
    before: [create, createSite, placeWordpress],
    payload: { ...about, app: app.app, run, user: 'ann' },
  },
  'app.reset-link': {
    before: [create, createSite, placeWordpress],
    payload: { ...about, app: app.app, run, user: 'ann' },
  },
}

/** Only what these destroy is beyond undoing. */
export const irreversible: ReadonlySet<JobType> = new Set<JobType>(['tenant.purge', 'domain.purge', 'database.purge'])
export const everyType = Object.keys(jobContracts) as readonly JobType[]

/** The agent's schema of the first version that had a job type, where that was not the first release. */
const since: Readonly<Partial<Record<JobType, number>>> = {
  'certificate.create': 4,
  'certificate.update': 4,
  'database.create': 6,
  'database.delete': 6,
  'database.purge': 6,
  'database.restore': 6,
  'database.update': 6,
  'database-user.create': 6,
  'database-user.update': 6,
  'database-user.delete': 6,
  'domain.run': 4,
  'cron.run': 6,
  'app.install': 6,
  'app.login-link': 7,
  'app.reset-link': 6,
  'ssh-key.create': 4,
  'ssh-key.delete': 4,
  'tenant.repair': 4,
  'domain.repair': 4,
  'tenant.adopt': 4,
}

/** What a version with that schema could be asked. */
function isKnownTo(schema: number, type: JobType): boolean {
  return (since[type] ?? 1) <= schema
}

/** @param schema of the version that does it; the newest unless told */
export async function leadUp(bench: Bench, type: JobType, schema = Number.POSITIVE_INFINITY): Promise<void> {
  for (const one of scenarios[type].before) {
    if (typeof one === 'function') {
      await one(bench)
      continue
    }
    const [before, payload] = one
    if (!isKnownTo(schema, before)) continue
    const { failure } = await bench.run(before, payload)
    if (failure !== null) throw new Error(`${before} before ${type}: ${failure.message}`)
  }
  if (irreversible.has(type)) passTrashDays(bench.places.agentDatabase)
  bench.services.awake.add('acme') // so that stopping is something to do
  bench.messages.length = 0
}
