import { expect, it } from 'vitest'
import type { Context } from '../context.ts'
import { checkSite } from './check-site.ts'
import { Domain } from './schema.ts'
import { shown } from './settings.ts'
import type { Shown, Visit } from './visit.ts'

const id = '0b9f4f5e-6d1c-4f7e-9a53-0d7f2f6f2a11'
const now = '2026-03-01T12:00:00.000Z'
const site = Domain.parse({
  id,
  fqdn: 'shop.example.com',
  aliases: [],
  unproven: [],
  tenantId: id,
  tenantName: 'acme',
  tenantStatus: 'active',
  php: '8.4',
  https: 'redirect',
  ...shown({}),
  status: 'active',
  version: 1,
  createdAt: now,
  updatedAt: now,
  deletedAt: null,
})

interface World {
  readonly plain?: Visit
  readonly secure?: Visit
  readonly shown?: Shown
  readonly php?: readonly string[] | null
  readonly usedMb?: number | null
  readonly free?: number
}

const valid = { names: true, validTo: '2026-05-01T00:00:00.000Z' }

function contextOf({ plain, secure, shown = null, php = ['8.4'], usedMb = 20, free = 50 }: World): Context {
  const answers = { http: plain ?? { status: 200, toHttps: false }, https: secure ?? { failure: 'refused' } }
  const known = {
    now,
    settings: { get: async () => '192.0.2.7' },
    web: {
      nameServers: ['127.0.0.1:9'],
      visit: async (_: string, way: 'http' | 'https') => answers[way],
      shown: async () => shown,
    },
    machine: { health: async () => ({ services: [], disks: [{ free, total: 100 }] }), phpVersions: () => php },
    holds: { of: async () => [] },
    tenants: { get: async () => ({ id, status: 'active', packageId: id }) },
    packages: { get: async () => ({ diskMb: 100 }) },
    usage: { of: async () => ({ diskMb: usedMb }) },
  }
  return known as unknown as Context // what a check asks, and nothing else
}

it.each<[string, World, string, string, string]>([
  ['an answer over HTTP', {}, 'http', 'good', 'Status 200.'],
  [
    'an answer over HTTPS, to which visitors are sent',
    { plain: { status: 308, toHttps: true }, secure: { status: 200, toHttps: false }, shown: valid },
    'http',
    'good',
    'Over HTTPS, to which visitors are sent: status 200.',
  ],
  ['a way to HTTPS without a certificate', { plain: { status: 308, toHttps: true } }, 'http', 'good', 'Status 308.'],
  ['an empty directory', { plain: { status: 403, toHttps: false } }, 'http', 'bad', 'Status 403.'],
  ['a web server that is away', { plain: { failure: 'refused' } }, 'route', 'bad', 'Nothing listens'],
  ['a name that it does not know', { plain: { failure: 'closed' } }, 'route', 'bad', 'no site of this name'],
  ['a certificate in time', { shown: valid }, 'certificate', 'good', 'Valid until 2026-05-01.'],
  ['one that is over', { shown: { names: true, validTo: now } }, 'certificate', 'bad', 'expired on 2026-03-01.'],
  ['one of others', { shown: { ...valid, names: false } }, 'certificate', 'bad', 'for other names'],
  ['none', {}, 'certificate', 'none', 'There is none'],
  ['PHP that is not there', { php: ['8.2'] }, 'php', 'bad', 'PHP 8.4 is not installed.'],
  ['PHP that does not answer', { plain: { status: 502, toHttps: false } }, 'php', 'bad', 'does not answer'],
  ['a root side that is away', { php: null }, 'php', 'unknown', 'root side'],
  ['room', {}, 'disk', 'good', '20 MB used of 100 MB.'],
  ['no room in the plan', { usedMb: 120 }, 'disk', 'bad', '120 MB used of 100 MB.'],
  ['no room on the server', { free: 1 }, 'disk', 'bad', 'full'],
  ['what was not measured', { usedMb: null }, 'disk', 'unknown', 'not been measured'],
])('tells of %s', async (_, world, step, state, seen) => {
  const found = (await checkSite(contextOf(world), site)).find((one) => one.step === step)

  expect(found).toMatchObject({ state, seen: expect.stringContaining(seen) })
  expect(found?.remedy === '').toBe(state === 'good' || state === 'unknown')
})
