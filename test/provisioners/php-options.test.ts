/** What is chosen for PHP of a site, on the machine: a file of the site's, and PHP that reads it at its next start. */
import { existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import type { DriftReport } from '../../src/contract/wire.ts'
import { Bench } from './bench.ts'
import { withFaults } from './faults.ts'
import { domain, leadUp, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const acme = TenantName.parse('acme')
const fqdn = Fqdn.parse('shop.example.com')
const names = ['www.shop.example.com', 'example.net']
const about = { tenant, domain }

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
  await leadUp(bench, 'domain.suspend') // a tenant of 512 MB and a site, both live
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const choose = (settings: object, more: object = {}) =>
  bench.run('domain.update', { ...about, aliases: names, php: '8.4', settings, ...more })
const file = () => bench.places.web.phpOptionsOf(acme, domain)
const text = () => (existsSync(file()) ? readFileSync(file(), 'utf8') : null)
const drifted = async () => (await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport

it('is a file that its tenant alone may read, without a reload, and has PHP stopped once', async () => {
  bench.services.awake.add('acme')
  expect(await choose({ php: { memoryMb: 96 } })).toMatchObject({ failure: null })

  expect(text()?.match(/^\[HOST=.*\]$/gm)).toEqual([fqdn, ...names].map((name) => `[HOST=${name}]`))
  const { mode, uid, gid } = lstatSync(file())
  expect([mode & 0o777, uid, gid, bench.services.reloads, [...bench.services.awake]]).toEqual([0o640, 0, 20_000, 0, []])
  expect(await drifted()).toEqual([])

  bench.services.awake.add('acme')
  expect(await choose({ php: { memoryMb: 96 } })).toMatchObject({ failure: null })
  expect([...bench.services.awake]).toEqual(['acme'])
})

it('follows the names, ends with PHP or with the choice, and leaves the web server alone', async () => {
  await choose({ php: { memoryMb: 96 } })
  await bench.run('domain.update', { ...about, aliases: [], php: '8.4' })
  expect(text()?.match(/^\[HOST=.*\]$/gm)).toEqual([`[HOST=${fqdn}]`])

  await bench.run('domain.update', { ...about, aliases: [], php: null })
  expect(text()).toBeNull()
  await bench.run('domain.update', { ...about, aliases: [], php: '8.3' })
  expect(text()).toContain('memory_limit = "96M"')

  await choose({})
  expect([text(), bench.services.reloads]).toEqual([null, 0])
})

it.each([
  ['domain', about],
  ['tenant', { tenant }],
])('goes with a %s that is deleted, and comes back with it', async (kind, payload) => {
  await choose({ php: { memoryMb: 96, ownSessions: true } })
  const before = bench.manifest()

  await bench.run(`${kind}.delete`, payload)
  expect(text()).toBeNull()

  await bench.run(`${kind}.restore`, payload)
  expect(bench.manifest()).toEqual(before)
  expect(await drifted()).toEqual([])
})

it('is drift when it is lost, changed or nobody chose it, and a repair puts it right', async () => {
  await choose({ php: { memoryMb: 96, ownSessions: true } })
  const before = bench.manifest()
  for (const damage of [
    () => rmSync(file()),
    () => writeFileSync(file(), 'auto_prepend_file = /tmp/x.php\n'),
    () => rmSync(bench.places.customers.sessions(acme, fqdn), { recursive: true }),
  ]) {
    damage()
    expect(JSON.stringify(await drifted())).toContain('shop.example.com')
    expect(await bench.run('domain.repair', about)).toMatchObject({ failure: null })
    expect(bench.manifest()).toBe(before)
  }

  await choose({})
  writeFileSync(file(), 'auto_prepend_file = /tmp/x.php\n')
  expect(JSON.stringify(await drifted())).toContain(`${domain}.ini`)
  await bench.run('domain.repair', about)
  expect([text(), await drifted()]).toEqual([null, []])
})

it('is asked of PHP before anything is touched, once', async () => {
  const before = bench.manifest()
  bench.services.refusal = "Invalid date.timezone value 'Europe/Atlantis'"
  const { failure } = await choose({ php: { timezone: 'Europe/Atlantis' } })
  expect(failure?.message).toContain("like this: Invalid date.timezone value 'Europe/Atlantis'")
  expect(bench.manifest()).toBe(before)

  bench.services.refusal = undefined
  await choose({ php: { timezone: 'Europe/Vienna' } })
  await choose({ php: { timezone: 'Europe/Vienna' }, maintenance: true })
  expect(bench.services.asked).toEqual([{ 'date.timezone': 'Europe/Atlantis' }, { 'date.timezone': 'Europe/Vienna' }])

  await choose({ php: { timezone: 'Europe/Vienna' } }, { php: '8.3' })
  expect(bench.services.asked).toHaveLength(3)
})

it('is refused above what the tenant has, and where a value is none', async () => {
  expect((await choose({ php: { memoryMb: 513 } })).failure?.message).toContain('the tenant has 512 MB')
  for (const php of [{ memoryMb: 1 }, { timezone: 'x"\ny' }, { opcache: 'on' }, { jit: true, withoutOpcache: true }])
    expect((await choose({ php })).failure).not.toBeNull()
  expect([text(), bench.services.asked]).toEqual([null, []])
})

it.each(['domain.update', 'domain.delete', 'domain.restore'])(
  'of a %s that fails anywhere is as it was',
  async (type) => {
    await choose({ php: { memoryMb: 96 } })
    if (type === 'domain.restore') await bench.run('domain.delete', about)
    const settings = { php: { memoryMb: 64, ownSessions: true } }
    const payload = type === 'domain.update' ? { ...about, aliases: names, php: '8.4', settings } : about
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
