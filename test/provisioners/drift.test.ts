import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { lookAround } from '../../src/agent/drift/drift-main.ts'
import { doOwnFiles } from '../../src/agent/own-files.ts'
import { prepareSecrets } from '../../src/agent/prepare.ts'
import type { DriftReport } from '../../src/contract/wire.ts'
import { loadConfig } from '../../src/lib/config.ts'
import { writeIntoFpmConfig } from '../support/written-by-hand.ts'
import { Bench } from './bench.ts'
import { domain, leadUp, scenarios, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
  await leadUp(bench, 'domain.suspend') // a tenant and a site, both live
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const userdb = 'etc/userdb'
const web = 'var/lib/wcp360-web'
const site = `${web}/tenants/acme/sites/shop.example.com`
const tree = 'srv/www/acme'

const files = [`${userdb}/acme.user`, `${userdb}/acme.group`, `${web}/tenants/acme/php-fpm.conf`]
const records = [`${web}/tenants/acme/live`, `${web}/tenants/acme/limits.json`]
const directories = [
  `${tree}/home`,
  `${tree}/tmp`,
  tree,
  `${tree}/sites/shop.example.com`,
  'var/log/wcp360/tenants/acme',
]
const docroot = `${tree}/sites/shop.example.com/public`
const links = [
  ...[`${userdb}/20000.user`, `${userdb}/20000.group`],
  ...[`${site}/docroot`, `${site}/php.sock`, `${site}/tls`, `${site}/live`],
  ...['shop.example.com', 'www.shop.example.com', 'example.net'].map((name) => `${web}/hosts/${name}`),
]

async function drifted(): Promise<string[]> {
  const report = (await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport
  return report.flatMap(({ changes }) => changes.map(({ step }) => step))
}

describe('drift', () => {
  it('is none after the jobs themselves, also for what is suspended or deleted', async () => {
    expect(await drifted()).toEqual([])

    await bench.run('domain.suspend', { tenant, domain })
    await bench.run('tenant.suspend', { tenant })
    expect(await drifted()).toEqual([])

    await bench.run('tenant.delete', { tenant })
    expect(await drifted()).toEqual([])
  })

  it.each([...files, ...records, ...directories, docroot, ...links])('names %s when it is gone', async (path) => {
    rmSync(`${bench.root}/${path}`, { recursive: true })

    expect((await drifted()).some((step) => step.includes(`${bench.root}/${path}`) || step.startsWith('limits'))).toBe(
      true,
    )
  })

  it.each([...files, ...records, ...directories])('names %s when its mode is another', async (path) => {
    chmodSync(`${bench.root}/${path}`, 0o777)

    const report = (await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport

    expect(JSON.stringify(report)).toMatch(/mode 0777 instead of [02]|others than its owner may write/)
  })

  it.each([
    ['0700', 0o700, 33],
    ['0750', 0o750, 20000],
  ])('names a document root that the web server cannot enter: %s', async (_, mode, gid) => {
    chownSync(`${bench.root}/${docroot}`, 20000, gid)
    chmodSync(`${bench.root}/${docroot}`, mode)

    expect(await drifted()).toEqual([expect.stringContaining(docroot)])
  })

  it.each([
    ['0755', 0o755, 20000],
    ['2770', 0o2770, 33],
  ])('leaves modes and group of a document root to its owner: %s', async (_, mode, gid) => {
    chownSync(`${bench.root}/${docroot}`, 20000, gid)
    chmodSync(`${bench.root}/${docroot}`, mode)

    expect(await drifted()).toEqual([])
  })

  it('names nothing of a site that an older version made', async () => {
    chmodSync(`${bench.root}/srv/www`, 0o711)
    chmodSync(`${bench.root}/${docroot}`, 0o2750)
    chmodSync(`${bench.root}/${docroot}/index.html`, 0o640)
    await bench.prepare()

    expect(await drifted()).toEqual([])
    expect(statSync(`${bench.root}/srv/www`).mode & 0o7777).toBe(0o710)
  })

  it.each(files)('shows the difference when %s was edited', async (path) => {
    writeFileSync(`${bench.root}/${path}`, 'nonsense\n')

    const report = (await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport

    const change = report.flatMap(({ changes }) => changes).find(({ step }) => step.endsWith(path))
    expect(change?.diff).toMatch(/^-nonsense$/m)
    expect(change?.diff).toMatch(/^\+/m)
  })

  it.each(links)('names %s when it leads elsewhere', async (path) => {
    rmSync(`${bench.root}/${path}`)
    symlinkSync('/etc/passwd', `${bench.root}/${path}`)

    const report = (await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport

    const change = report.flatMap(({ changes }) => changes).find(({ step }) => step.endsWith(path))
    expect(change?.diff).toMatch(/to \/etc\/passwd instead of/)
  })

  it('says how many tenants it had no time for', async () => {
    rmSync(`${bench.root}/${docroot}`, { recursive: true })

    const { accounts } = bench.machine()
    expect(await lookAround(bench.places, accounts, 0)).toEqual([
      {
        resource: 'others',
        changes: [expect.objectContaining({ step: expect.stringContaining('not looked at: 1,') })],
      },
    ])
    expect(await lookAround(bench.places, accounts)).toMatchObject([{ resource: 'domain shop.example.com' }])
  })

  it('names the limits that the kernel does not hold, by its own files', async () => {
    const slice = join(bench.places.cgroups, 'wcp.slice/wcp-acme.slice')
    mkdirSync(slice, { recursive: true })
    writeFileSync(join(slice, 'pids.max'), 'max\n')

    const report = (await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport

    const { limits } = scenarios['tenant.create'].payload as { limits: { pids: number } }
    expect(report).toEqual([
      {
        resource: 'tenant acme',
        changes: [{ step: 'limits of acme', action: 'change', diff: `pids.max: max instead of ${limits.pids}` }],
      },
    ])
  })

  it('names a host in the routing table that no site has', async () => {
    symlinkSync('../tenants/acme/sites/shop.example.com', `${bench.places.web.hosts}/stray.example.com`)

    expect(await drifted()).toEqual([`absence of ${bench.places.web.hosts}/stray.example.com`])
  })
})

describe('a repair', () => {
  const all = [...files, ...records, ...directories, docroot, ...links]

  it('puts back everything that is gone, of the tenant and of its site, and changes nothing the second time', async () => {
    for (const path of all) rmSync(`${bench.root}/${path}`, { recursive: true, force: true })
    expect(await drifted()).not.toEqual([])

    expect((await bench.run('tenant.repair', { tenant })).failure).toBe(null)
    expect((await bench.run('domain.repair', { tenant, domain })).failure).toBe(null)
    expect(await drifted()).toEqual([])
    const after = bench.manifest()
    await bench.run('tenant.repair', { tenant })
    await bench.run('domain.repair', { tenant, domain })
    expect(bench.manifest()).toBe(after)
  })

  it('sets limits again that were set before and the kernel does not hold', async () => {
    bench.services.limits.clear()
    await bench.run('tenant.repair', { tenant })
    expect(bench.services.limits.size).toBe(0)

    bench.services.notInForce = ['pids.max: max instead of 64']
    expect((await bench.run('tenant.repair', { tenant })).failure).toBe(null)
    expect([...bench.services.limits.keys()]).toEqual(['acme'])
  })

  it('leaves closed what is suspended', async () => {
    await bench.run('domain.suspend', { tenant, domain })
    await bench.run('tenant.suspend', { tenant })
    writeFileSync(`${bench.root}/${web}/tenants/acme/live`, '')

    await bench.run('tenant.repair', { tenant })
    await bench.run('domain.repair', { tenant, domain })
    expect(await drifted()).toEqual([])
  })

  it('of what is no tenant’s closes keys that are there, and makes none beside a certificate in use', async () => {
    const { preparation, places } = bench
    const ground = {
      machine: bench.machine(),
      preparation,
      config: loadConfig('', {}, ''),
      log: bench.options(bench.machine()).log,
    }
    mkdirSync(dirname(places.nginxSite), { recursive: true })
    await prepareSecrets(preparation)
    const own = readFileSync(places.panelCertificate, 'utf8')
    const webKey = join(places.web.defaultTls, places.web.keyFile)
    rmSync(places.panelTlsKey)
    chmodSync(webKey, 0o644)
    rmSync(places.web.hosts, { recursive: true })

    await doOwnFiles(ground, 'repair', 'ann@example.com')

    expect([existsSync(places.web.hosts), statSync(webKey).mode & 0o777]).toEqual([true, 0o640])
    expect([existsSync(places.panelTlsKey), readFileSync(places.panelCertificate, 'utf8')]).toEqual([false, own])
  })
})

describe('what was adopted', () => {
  const config = `${web}/tenants/acme/php-fpm.conf`
  const text = () => readFileSync(`${bench.root}/${config}`, 'utf8')
  const adopt = () => bench.run('tenant.adopt', { tenant, by: 'ann@example.com' })
  const byHand = /max_input_vars\] = 5000/

  it('is no drift, survives a repair, and is told with who adopted it', async () => {
    writeIntoFpmConfig(bench.root)
    expect(await drifted()).toEqual([`file ${bench.root}/${config}`])
    expect((await adopt()).failure).toBe(null)

    expect(await drifted()).toEqual([])
    await bench.run('tenant.repair', { tenant })
    expect(text()).toMatch(byHand)
    expect((await bench.ask({ t: 'drift_page', after: null })).value).toMatchObject({
      items: [
        { resource: 'tenant acme', changes: [{ action: 'adopt', step: expect.stringContaining('ann@example.com') }] },
      ],
    })
  })

  it('is put back with the rest when that is asked for', async () => {
    writeIntoFpmConfig(bench.root)
    await adopt()

    expect((await bench.run('tenant.repair', { tenant, adopted: true })).failure).toBe(null)
    expect(text()).not.toMatch(byHand)
    expect((await bench.ask({ t: 'drift_page', after: null })).value).toEqual({ items: [], next: null })
  })

  it('goes with the tenant to the trash and comes back with it', async () => {
    writeIntoFpmConfig(bench.root)
    await adopt()
    await bench.run('tenant.delete', { tenant })
    await bench.run('tenant.restore', { tenant })

    expect(await drifted()).toEqual([])
    expect(text()).toMatch(byHand)
  })

  it('ends with the next change that concerns PHP, and does not come back with the old numbers', async () => {
    writeIntoFpmConfig(bench.root)
    await adopt()
    const { limits } = scenarios['tenant.create'].payload as { limits: Record<string, unknown> }
    const limit = async (over: object) => bench.run('tenant.limit', { tenant, limits: { ...limits, ...over } })

    await limit({ diskMb: 2048 })
    expect(text()).toMatch(byHand)
    await limit({ memMb: 1024 })
    expect(text()).not.toMatch(byHand)
    await limit({})
    expect(text()).not.toMatch(byHand)
    expect(await drifted()).toEqual([])
  })

  it('is refused where only owner or mode differ, and where nothing does', async () => {
    expect((await adopt()).failure).toMatchObject({ code: 'conflict' })
    writeIntoFpmConfig(bench.root)
    chmodSync(`${bench.root}/${config}`, 0o666)
    expect((await adopt()).failure).toMatchObject({ code: 'conflict', message: expect.stringContaining('mode 0666') })
  })
})

describe('a part of the look', () => {
  const page = async (after: string | null) => (await bench.ask({ t: 'drift_page', after })).value

  it('goes on after a tenant, and ends with what is nobody\u2019s', async () => {
    expect(await page(null)).toEqual({ items: [], next: null })
    rmSync(`${bench.root}/${tree}/home`, { recursive: true })
    symlinkSync('../tenants/acme/sites/shop.example.com', `${bench.root}/${web}/hosts/stray.example.com`)

    const all = { items: [{ resource: 'tenant acme' }, { resource: 'routing table' }], next: null }
    expect(await page(null)).toMatchObject(all)
    expect(await page('abc')).toMatchObject(all)
    expect(await page('acme')).toMatchObject({ items: [{ resource: 'routing table' }], next: null })
  })
})
