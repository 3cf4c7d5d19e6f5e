/** A site's settings on the machine: rows of the web server, and that it has read them, whatever comes in between. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { rowMaps } from '../../src/agent/render/site-rows.ts'
import { readOwedRows } from '../../src/agent/web-site.ts'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import type { DriftReport } from '../../src/contract/wire.ts'
import { Bench } from './bench.ts'
import { withFaults } from './faults.ts'
import { domain, leadUp, siteUser, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const fqdn = Fqdn.parse('shop.example.com')
const names = ['www.shop.example.com', 'example.net']
const about = { tenant, domain }
const redirects = [{ from: '/old', isPrefix: false, to: '/new', code: 301 }]

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
  await leadUp(bench, 'domain.suspend') // a tenant and a site, both live
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const choose = (settings: object, aliases: readonly string[] = names) =>
  bench.run('domain.update', { ...about, aliases, php: '8.4', settings })
const rows = (map: string) => bench.places.web.rows(map, fqdn)
const textOf = (map: string) => (existsSync(rows(map)) ? readFileSync(rows(map), 'utf8') : null)
const owed = () => readdirSync(bench.places.web.owedRows)
const drifted = async () => (await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport

it('cost nothing where none is chosen: no row and no reload', async () => {
  await bench.run('domain.update', { ...about, aliases: [], php: '8.3' })
  await bench.run('domain.delete', about)
  await bench.run('domain.restore', about)

  expect([bench.services.reloads, rowMaps.flatMap((map) => textOf(map) ?? [])]).toEqual([0, []])
})

it('are rows for every name, read once, and owed no more', async () => {
  expect(await choose({ root: 'web', redirects })).toMatchObject({ failure: null })

  expect(textOf('site')?.match(/^"[^"]+"/gm)).toEqual([fqdn, ...names].map((name) => `"${name}"`))
  expect(textOf('exact')).toContain('"example.net/old" "301 =/new";')
  expect([bench.services.reloads, owed()]).toEqual([1, []])
  expect(await drifted()).toEqual([])
})

it('stay when other things of the site change, with the names that it has then', async () => {
  await choose({ redirects })
  await bench.run('domain.update', { ...about, aliases: [], php: '8.4' })
  expect(textOf('exact')).toBe('"shop.example.com/old" "301 =/new";\n')

  await bench.run('domain.update', { ...about, aliases: [], php: '8.3' })
  expect(bench.services.reloads).toBe(2)

  await choose({})
  expect([textOf('exact'), textOf('site'), bench.services.reloads]).toEqual([null, null, 3])
})

it.each([
  ['domain', about],
  ['tenant', { tenant }],
])('go with a %s that is deleted, and come back with it', async (kind, payload) => {
  await choose({ root: 'web', redirects })
  const before = bench.manifest()

  await bench.run(`${kind}.delete`, payload)
  expect(rowMaps.flatMap((map) => textOf(map) ?? [])).toEqual([])

  await bench.run(`${kind}.restore`, payload)
  expect([bench.manifest(), bench.services.reloads]).toEqual([before, 3])
  expect(await drifted()).toEqual([])
})

it('are drift when they are lost, changed or of a site without settings, and a repair puts them right', async () => {
  await choose({ root: 'web', redirects })
  const before = bench.manifest()
  rmSync(rows('site'))
  writeFileSync(rows('exact'), '"shop.example.com/old" "301 https://evil.example";\n')
  writeFileSync(rows('below1'), '"shop.example.com/x" "301 https://evil.example";\n')
  expect(JSON.stringify(await drifted())).toContain('settings of shop.example.com in the web server')

  expect(await bench.run('domain.repair', about)).toMatchObject({ failure: null })

  expect(bench.manifest()).toBe(before)
  expect(await drifted()).toEqual([])
})

it('are as they were when nginx does not take its configuration; that is told, and a repair is enough later', async () => {
  await choose({ root: 'web' })
  const before = textOf('site')
  bench.services.refusesConfig = true

  expect(await choose({ root: 'other' })).toMatchObject({ failure: { message: expect.stringContaining('nonsense') } })

  expect([textOf('site'), owed()]).toEqual([before, [fqdn]])
  expect(JSON.stringify(await drifted())).toContain('the web server has not read them')
  bench.services.refusesConfig = false
  expect(await bench.run('domain.repair', about)).toMatchObject({ failure: null })
  expect([owed(), await drifted()]).toEqual([[], []])
})

it('have users in a file of root and the web server, which asks for no reload', async () => {
  const file = bench.places.web.users(TenantName.parse('acme'), fqdn)
  const bob = { ...siteUser, name: 'bob' }
  await choose({ locked: ['/intern'] })
  expect([readFileSync(file, 'utf8'), bench.services.reloads]).toEqual(['', 1])

  await choose({ locked: ['/intern'], users: [siteUser, bob] })
  await choose({ locked: ['/intern'], users: [bob] })
  expect([readFileSync(file, 'utf8'), bench.services.reloads]).toEqual([`bob:${bob.verifier}\n`, 1])
  expect(statSync(file).mode & 0o777).toBe(0o640)

  await bench.run('domain.delete', about)
  expect(existsSync(file)).toBe(false)
  await bench.run('domain.restore', about)
  expect(readFileSync(file, 'utf8')).toContain('bob')
  writeFileSync(file, 'eve:{PLAIN}x\n')
  const drift = JSON.stringify(await drifted())
  expect([drift.includes('other users or passwords'), /eve|SSHA/.test(drift)]).toEqual([true, false])
  await bench.run('domain.repair', about)
  expect(await drifted()).toEqual([])

  await choose({})
  expect([existsSync(file), await drifted()]).toEqual([false, []])
})

it('are refused where the main name is none of the site, or a value is none', async () => {
  for (const settings of [
    { canonical: 'other.example.org' },
    { root: '../x' },
    { front: '/x' },
    { nonsense: 1 },
    { addresses: [{ isAllowed: true, range: '2001:db8::/36' }] },
    { addresses: [{ isAllowed: true, range: '10.0.0.0/33' }] },
  ])
    expect((await choose(settings)).failure).not.toBeNull()

  expect((await choose({ canonical: 'example.net' }, [])).failure?.message).toContain('none of its names')
  expect(bench.services.reloads).toBe(0)
})

it.each(['domain.update', 'domain.delete', 'domain.restore', 'tenant.delete'])(
  'of a %s that fails at any moment are as they were',
  async (type) => {
    await choose({ root: 'web', redirects })
    if (type === 'domain.restore') await bench.run('domain.delete', about)
    const wish = {
      aliases: names,
      php: '8.4',
      settings: { front: 'off', redirects: [{ ...redirects[0], to: '/else' }], locked: ['/x'], users: [siteUser] },
    }
    const payload = type === 'domain.update' ? { ...about, ...wish } : type === 'tenant.delete' ? { tenant } : about
    const goBack = await bench.save()
    await goBack()
    const before = bench.manifest()
    for (let nth = 1; ; nth++) {
      await goBack()
      const injection = withFaults(bench.machine(), (n) => (n === nth ? 'fails' : undefined))
      await bench.start(injection.machine)
      const { failure } = await bench.run(type, payload)
      await bench.engine.close()
      if (failure === null) break

      expect([nth, bench.manifest()]).toEqual([nth, before])
    }
    await bench.start()
  },
)

it('are read after a death at any moment, at the latest by the job that goes on', async () => {
  const goBack = await bench.save()
  for (let nth = 1; ; nth++) {
    await goBack()
    const injection = withFaults(bench.machine(), (n) => (n === nth ? 'dies after' : undefined))
    await bench.start(injection.machine)
    const job = bench.job('domain.update', {
      ...about,
      aliases: names,
      php: '8.4',
      settings: { root: 'web', redirects },
    })
    bench.engine.handle(job)
    const end = await Promise.race([injection.dead.then(() => 'dead'), bench.ended(job.job).then(() => 'done')])
    if (end === 'done') break
    bench.services.reloads = 0
    await readOwedRows(bench.machine(), { info() {}, warn() {}, error() {} })
    const readAtStart = bench.services.reloads
    await bench.start()
    bench.engine.handle(job)
    await bench.ended(job.job)

    expect(textOf('exact')).not.toBeNull()
    expect([nth, owed(), await drifted()]).toEqual([nth, [], []])
    expect(readAtStart).toBeLessThan(2)
  }
})
