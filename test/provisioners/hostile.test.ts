/** What an attacker who has the panel may send as raw jobs (C01-C14, C23, C38): refused, and nothing on the machine shows it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { HealthSnapshot } from '../../src/contract/wire.ts'
import { Bench, newId } from './bench.ts'
import { domain, leadUp, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const limits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }

const badNames: readonly unknown[] = [
  ...[';id>/tmp/p', '$(id)', '`id`', 'a|b', 'a&&b', 'ab\ncd', 'ab%0a', 'ab\0c', '"ab"', "'ab'"],
  ...[
    `$\{IFS}`,
    '1234',
    '0day',
    'ünï',
    'ACME',
    'a.b',
    'a$',
    '-rf',
    '--help',
    '@file',
    'root ',
    ' root',
    'www-data',
    'a_b',
  ],
  ...['../etc', '/etc', '..', '.', '', 'ab', 'x'.repeat(25), 'x'.repeat(200_000), '\u202eacme', 'acme\u0000'],
  ...[['acme'], { name: 'acme' }, 42, null, true],
]

const badDomains: readonly unknown[] = [
  ...[
    'a.com; } server {',
    'a.com\nb.com',
    'a.com/../b',
    '../../etc',
    '/etc/passwd',
    'a..b',
    '-a.com',
    'a-.com',
    'a.com.',
  ],
  ...['A.com', 'example。com', '*.example.com', 'localhost', '127.0.0.1', '0x7f.1', '0x7f.0x1', '[::1]', '::1', 'com'],
  ...[`${'x'.repeat(64)}.com`, `${'x.'.repeat(130)}com`, 'ü.com', 'xn--a.com', 'a_b.com', 'co.uk', '', ' example.com'],
  ...['$host.com', 'a.com#', '.example.com', 'a.b.localhost', ['a.com'], { a: 1 }, 1, null],
]

describe('a name that no tenant may have', () => {
  it.each(badNames.map((name) => [name]))('%j is refused without a trace', async (name) => {
    const before = bench.manifest()
    const registry = await bench.registryText()

    const { failure } = await bench.run('tenant.create', { tenant: newId(), name, limits })

    expect(failure).toMatchObject({ step: null, code: 'bad_input' })
    expect(bench.manifest()).toBe(before)
    expect(await bench.registryText()).toBe(registry)
  })

  it('is also one that the machine has: a user, a group, a unit, a directory', async () => {
    for (const name of ['mysql', 'postfix']) bench.taken.add(name)
    await bench.files.makeDirectory(`${bench.root}/etc/systemd`, { mode: 0o755, uid: 0, gid: 0 })
    await bench.files.makeDirectory(`${bench.root}/etc/systemd/system`, { mode: 0o755, uid: 0, gid: 0 })
    await bench.files.writeFile(`${bench.root}/etc/systemd/system/nginx.service`, '', { mode: 0o644, uid: 0, gid: 0 })
    await bench.files.makeDirectory(`${bench.root}/srv/www/leftover`, { mode: 0o755, uid: 0, gid: 0 })
    const before = bench.manifest()

    for (const name of ['mysql', 'postfix', 'nginx', 'leftover']) {
      const { failure } = await bench.run('tenant.create', { tenant: newId(), name, limits })
      expect(failure).toMatchObject({ step: null, code: 'conflict' })
    }

    expect(bench.manifest()).toBe(before)
  })
})

describe('a domain that no site may have', () => {
  it.each(badDomains.map((fqdn) => [fqdn]))('%j is refused without a trace, as domain and as alias', async (fqdn) => {
    await leadUp(bench, 'domain.create')
    const before = bench.manifest()
    const registry = await bench.registryText()
    const rest = { tenant, domain: newId(), php: null }

    const asDomain = await bench.run('domain.create', { ...rest, fqdn, aliases: [] })
    const asAlias = await bench.run('domain.create', { ...rest, fqdn: 'fine.example.com', aliases: [fqdn] })

    expect(asDomain.failure).toMatchObject({ step: null, code: expect.stringMatching(/^(bad_input|conflict)$/) })
    expect(asAlias.failure).toMatchObject({ step: null, code: expect.stringMatching(/^(bad_input|conflict)$/) })
    expect(bench.manifest()).toBe(before)
    expect(await bench.registryText()).toBe(registry)
  })
})

it.each(['tenant', 'domain'])('a purge of a %s before its days in the trash are over leaves it there', async (kind) => {
  await leadUp(bench, `${kind}.restore` as 'tenant.restore' | 'domain.restore')
  const about = kind === 'tenant' ? { tenant } : { tenant, domain }
  const before = bench.manifest()

  const { failure } = await bench.run(`${kind}.purge`, about)

  expect(failure).toMatchObject({ step: null, code: 'conflict', message: expect.stringContaining('30 days') })
  expect(bench.manifest()).toBe(before)
  expect(await bench.run(`${kind}.restore`, about)).toMatchObject({ failure: null })
})

describe("another tenant's", () => {
  const stranger = newId()
  beforeEach(async () => {
    await leadUp(bench, 'domain.suspend')
    await bench.run('tenant.create', { tenant: stranger, name: 'stranger', limits })
  })

  it.each([
    'shop.example.com',
    'example.net',
    'sub.shop.example.com',
    'www.example.net',
    'a.b.www.shop.example.com',
    'example.com',
  ])('name %s, or one above or below it, is refused', async (fqdn) => {
    const before = bench.manifest()

    const { failure } = await bench.run('domain.create', {
      tenant: stranger,
      domain: newId(),
      fqdn,
      aliases: [],
      php: null,
    })

    expect(failure).toMatchObject({ step: null, code: 'conflict' })
    expect(bench.manifest()).toBe(before)
  })

  it.each(['domain.update', 'domain.suspend', 'domain.unsuspend', 'domain.delete', 'domain.restore', 'domain.purge'])(
    'domain is not found by %s',
    async (type) => {
      const before = bench.manifest()
      const more = type === 'domain.update' ? { aliases: [], php: null } : {}

      const { failure } = await bench.run(type, { tenant: stranger, domain, ...more })

      expect(failure).toMatchObject({ step: null, code: 'not_found' })
      expect(bench.manifest()).toBe(before)
    },
  )

  it('domain may be claimed once it was deleted, and its old owner cannot take it back by restoring', async () => {
    await bench.run('domain.delete', { tenant, domain })
    const claim = { tenant: stranger, domain: newId(), fqdn: 'shop.example.com', aliases: [], php: null }
    expect(await bench.run('domain.create', claim)).toMatchObject({ failure: null })
    const before = bench.manifest()

    const { failure } = await bench.run('domain.restore', { tenant, domain })

    expect(failure).toMatchObject({ step: null, code: 'conflict' })
    expect(bench.manifest()).toBe(before)
    await bench.run('domain.delete', { tenant, domain })
    expect(bench.manifest()).toBe(before) // a late, repeated deletion does not reach the new owner
  })
})

describe('a frame that breaks the grammar', () => {
  const payload = { tenant: newId(), name: 'acme', limits }
  const job = { t: 'job', job: newId(), type: 'tenant.create', token: 1, payload }
  const frames: readonly unknown[] = [
    ...[null, [], 1, 'job', {}, { t: 'nothing' }, { ...job, extra: 1 }, { ...job, job: 'x' }, { ...job, token: 0 }],
    ...[
      { ...job, token: '1' },
      { ...job, token: 1.5 },
      { ...job, type: 'tenant.destroy' },
      { ...job, type: '__proto__' },
    ],
    ...[
      { ...job, type: 'constructor' },
      { ...job, payload: null },
      { ...job, payload: { ...payload, path: '/etc' } },
    ],
    ...[
      { ...job, payload: { ...payload, limits: { ...limits, cpuPct: '100' } } },
      { ...job, payload: { tenant: payload.tenant } },
    ],
    ...[
      { t: 'plan', ask: newId(), jobs: [{ type: 'x', payload }] },
      { t: 'plan', ask: newId(), jobs: [] },
      { t: 'inspect', ask: newId(), what: 'everything' },
      { t: 'drift_page', ask: newId(), after: '../acme' },
      { t: 'own_files', what: 'replace', by: 'ann@example.com' },
      { t: 'own_files', what: 'adopt', by: 'ann\nroot' },
      { t: 'own_files', what: 'adopt', by: 'ann@example.com', path: '/etc/shadow' },
    ],
    { t: 'verify_root', ask: newId(), password: 'right', code: 'x', from: '::1' },
  ]

  it.each(frames.map((frame) => [frame]))('%j ends the connection and leaves no trace', async (frame) => {
    const before = bench.manifest()
    const registry = await bench.registryText()

    expect(bench.engine.handle(frame)).toBe('close')

    expect(bench.manifest()).toBe(before)
    expect(await bench.registryText()).toBe(registry)
    expect(bench.messages.every((one) => one.t !== 'accepted')).toBe(true)
  })

  it('does not fill the log', () => {
    for (let n = 0; n < 10_000; n++) bench.engine.handle({ t: 'nothing' })

    expect(bench.log.filter(({ level }) => level === 'warn').length).toBeLessThanOrEqual(20)
  })
})

describe('an answer that no frame can hold', () => {
  it('is told as a failure, and the engine goes on', async () => {
    await bench.engine.close()
    const endless = 'x'.repeat(300_000) as unknown as HealthSnapshot // its size is what matters here
    await bench.start(bench.machine(), { health: async () => endless })

    const { value, failure } = await bench.ask({ t: 'inspect', what: 'health' })

    expect(value).toBeNull()
    expect(failure).toMatchObject({ code: 'too_large' })
    expect(await bench.ask({ t: 'inspect', what: 'drift' })).toMatchObject({ value: [], failure: null })
  })
})
