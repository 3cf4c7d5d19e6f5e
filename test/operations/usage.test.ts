/** Usage on its whole way: measured by the root side's word, in the API, on the page of the tenant. */
import { afterEach, expect, it } from 'vitest'
import { realPages } from './support/real-pages.ts'
import { type TestPanel, testPanel } from './support/test-panel.ts'

let test: TestPanel
afterEach(() => test.stop())

it('reaches the API and the page of the tenant by itself', async () => {
  const usage = (of: string, tenants: readonly string[]) =>
    tenants.map((tenant) =>
      of === 'databases'
        ? { tenant, databases: [] }
        : of === 'disk'
          ? { tenant, bytes: 7_000_000, isWhole: true }
          : { tenant, since: '2099-01-01T00:00:00.000Z', sent: 3_000_000 },
    )
  test = await testPanel({ registerPages: realPages, usageTickMs: 50, machine: { usage } })
  await test.root('POST', '/api/v1/packages', { name: 'basic', maxDomains: 5, diskMb: 100 })
  await test.root('POST', '/api/v1/tenants', { name: 'acme', domain: 'www.example.com' })
  const shown = async () => (await test.root('GET', '/api/v1/tenants/acme')).json()

  await expect.poll(async () => (await shown()).usage).toMatchObject({ domains: 1, diskMb: 7, trafficMb: 3 })

  expect(await shown()).toMatchObject({ uid: 20000, usage: { maxDomains: 5, maxDiskMb: 100 } })
  const history = await test.root('GET', '/api/v1/tenants/acme/usage?span=month')
  expect(history.json().items).toMatchObject([{ domains: 1, diskMb: 7, trafficMb: 3 }])
  const browser = await test.administrator('ada@example.org')
  const read = async (path: string) => (await browser.ask({ path })).text
  const tab = await read('/tenants/acme/usage')
  for (const words of ['1 of 5', '7 of 100 MB', 'Usage by day', '3 MB']) expect(tab).toContain(words)
  expect(tab.match(/class="meter /g)).toHaveLength(2)
  expect(await read('/tenants/acme')).toContain('20000')
  expect(await read('/tenants/acme/plan')).toContain('7 of 100 MB')
  expect(await read('/domains/www.example.com')).toContain('7 of 100 MB')
})

it('is not limited where the machine cannot, which the form of a package says at the fields', async () => {
  test = await testPanel({ registerPages: realPages, machine: { unenforced: ['diskMb', 'cpuPct'] } })
  const browser = await test.administrator('ada@example.org')

  const { text } = await browser.ask({ path: '/do/package.create' })

  const words = 'this machine cannot enforce it'
  const told = [...text.matchAll(/<label for="f-(\w+)"/g)].flatMap(({ 1: name, index }, place, all) =>
    text.slice(index, all[place + 1]?.index).includes(words) ? [name] : [],
  )
  expect(told).toEqual(['cpuPct', 'diskMb'])
  expect(text).toMatch(/name="features" value="cron" checked/)
})
