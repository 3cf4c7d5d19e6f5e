/** The watch over drift: looked at in parts, kept, shown on the page of the thing, told, and put back. */
import { afterEach, describe, expect, it } from 'vitest'
import { Id } from '../../src/contract/values.ts'
import { realPages } from './support/real-pages.ts'
import { type TestPanel, testPanel, until } from './support/test-panel.ts'

let test: TestPanel
afterEach(() => test.stop())

const pace = { everyMs: 20, raisedForMs: 0, clearedForMs: 0, mailEveryMs: 0 }
const quick = { partMs: 20, roundMs: 40, tickMs: 10 }
const diff = '--- /etc/userdb/bakery.user\n+++ /etc/userdb/bakery.user\n@@ -1,1 +1,1 @@\n-"uid":0\n+"uid":20000'
const finding = (resource: string) => ({
  resource,
  changes: [{ step: 'file /etc/userdb/bakery.user', action: 'change' as const, diff }],
})
const findings = async (resource = '') =>
  (await test.root('GET', `/api/v1/health/findings${resource && `?resource=${encodeURIComponent(resource)}`}`)).json()
    .items ?? []
const asked = () => test.machine.heard.flatMap((message) => (message.t === 'drift_page' ? [message.after] : []))

async function start(driftPace = quick) {
  test = await testPanel({ driftPace, watcherPace: pace, registerPages: realPages })
  await test.root('POST', '/api/v1/packages', { name: 'basic' })
  const { id } = (await test.root('POST', '/api/v1/tenants', { name: 'bakery' })).json()
  const bakery = { id: Id.parse(id), name: 'bakery', state: 'active' as const }
  test.machine.inventory = (of) => (of === 'tenants' ? [bakery] : [])
  await until(async () => (await test.root('GET', '/api/v1/tenants/bakery')).json().status === 'active')
}

describe('drift', () => {
  it('is shown on the page of the thing, stands as a condition, and is gone once it was put back', async () => {
    await start()
    let isDamaged = true
    test.machine.driftPage = () => ({ items: isDamaged ? [finding('tenant bakery')] : [], next: null })
    test.machine.play = ({ type }) => {
      if (type === 'tenant.repair') isDamaged = false
      return 'succeed'
    }
    await until(async () => (await findings('tenant bakery')).length === 1)
    const standing = async () =>
      ((await test.root('GET', '/api/v1/conditions?state=standing&source=drift')).json().items ?? []) as unknown[]
    await until(async () => (await standing()).length === 1)
    expect(await standing()).toMatchObject([{ subject: 'tenant bakery', page: '/tenants/bakery' }])
    const browser = await test.administrator('ann@example.com')
    const page = (await browser.ask({ path: '/tenants/bakery' })).text
    expect(page).toMatch(/Differs from what the panel wants[\s\S]*\/do\/tenant\.repair\?tenant=bakery/)
    expect(page).toMatch(/class="diff-add">\+.*20000/)
    expect((await browser.ask({ path: '/drift' })).text).toContain('customer bakery: Differs from')

    const plan = (await test.root('POST', '/api/v1/tenants/bakery/repair?plan=1')).json()
    expect(JSON.stringify(plan)).toContain('step of tenant.repair')
    expect((await findings()).length).toBe(1)
    expect((await test.root('POST', '/api/v1/tenants/bakery/repair')).status).toBe(202)
    await until(async () => (await findings()).length === 0 && (await standing()).length === 0)
    expect((await browser.ask({ path: '/drift' })).text).toContain('Nothing differs.')
  })

  it('is looked at part by part, goes on where it was in the next life of the panel, and forgets at the end of a round', async () => {
    await start({ ...quick, roundMs: 3_600_000 })
    const parts: Record<string, { items: ReturnType<typeof finding>[]; next: string | null }> = {
      first: { items: [finding('web server')], next: 'bakery' },
      bakery: { items: [finding('tenant cafe')], next: 'cafe' },
    }
    test.machine.driftPage = (after) => {
      const part = parts[after ?? 'first']
      if (part === undefined) throw new Error('not yet')
      return part
    }
    // the round that began with the panel is over: another one
    const settings = () => test.panel.db.selectFrom('settings').selectAll().where('key', '=', 'drift.round').execute()
    await until(async () => (await settings())[0]?.value.includes('"isDone":true'))
    await test.panel.db.deleteFrom('settings').where('key', '=', 'drift.round').execute()
    test.machine.heard.length = 0
    parts.cafe = { items: [], next: 'cafe' }
    await until(() => asked().filter((after) => after === 'cafe').length > 1)
    expect((await findings()).length).toBe(2)
    test.machine.heard.length = 0
    await test.restart()
    await until(() => asked().length > 1)
    expect(new Set(asked())).toEqual(new Set(['cafe']))

    const late = new Date(Date.now() - 3_600_000).toISOString()
    await test.panel.db
      .updateTable('drift_findings')
      .set({ updated_at: late })
      .where('resource', '=', 'tenant cafe')
      .execute()
    parts.cafe = { items: [], next: null }
    await until(async () => (await findings()).length === 1)
    expect(await findings()).toMatchObject([{ resource: 'web server' }])
  })

  it('is told of a tenant that only one side has', async () => {
    await start()
    await until(async () => (await findings()).length === 0)
    test.machine.inventory = () => []
    await until(async () => (await findings('inventory: tenant bakery')).length === 1)
  })

  it('that is more than a store should hold is cut', async () => {
    await start()
    const long = { step: 'x'.repeat(2000), action: 'change' as const, diff: 'y'.repeat(9000) }
    test.machine.driftPage = () => ({
      items: Array.from({ length: 3 }, (_, index) => ({
        resource: `tenant t${index}`,
        changes: Array.from({ length: 5 }, () => long),
      })),
      next: null,
    })
    const [found] = await until(async () => {
      const items = await findings()
      return items.length === 3 ? items : undefined
    })
    const { changes } = found as unknown as { changes: { step: string; diff: string }[] }
    expect(changes.map(({ step, diff }) => [step.length, diff.length])).toEqual(Array(5).fill([500, 4000]))
  })

  it('of files that are no tenant’s is put back or adopted at once, a plan shows what was seen, and the next look is soon', async () => {
    await start({ ...quick, roundMs: 3_600_000 })
    const seen = {
      ...finding('web server'),
      changes: [{ step: 'file /pages/suspended.html', action: 'change' as const, diff }],
    }
    test.machine.driftPage = () => ({ items: [seen], next: null })
    await test.root('POST', '/api/v1/health/repair', { resource: 'web server' })
    await until(async () => (await findings('web server')).length === 1)
    const told = () => test.machine.heard.filter(({ t }) => t === 'own_files')
    test.machine.heard.length = 0

    const planned = async (verb: string) =>
      JSON.stringify((await test.root('POST', `/api/v1/health/${verb}?plan=1`, { resource: 'web server' })).json())
    expect(await planned('repair')).toContain('file /pages/suspended.html')
    expect(await planned('repair')).not.toMatch(/drift\.round|"setting/)
    expect(await planned('adopt')).toContain('"action":"adopt"')
    expect(told()).toEqual([])
    test.machine.driftPage = () => ({ items: [], next: null })
    for (const [verb, more] of [
      ['repair', {}],
      ['repair', { adopted: true }],
      ['adopt', {}],
    ] as const) {
      const answer = await test.root('POST', `/api/v1/health/${verb}`, { resource: 'web server', ...more })
      expect(answer.json()).toEqual({ jobId: null })
    }
    const by = { t: 'own_files', by: 'root' }
    await until(() => told().length === 3)
    expect(told()).toEqual([
      { ...by, what: 'repair' },
      { ...by, what: 'repair_all' },
      { ...by, what: 'adopt' },
    ])
    await until(async () => (await findings('web server')).length === 0)
  })

  it('of the program is put back by its installer alone, and what root has set beside a unit can be adopted', async () => {
    await start({ ...quick, roundMs: 3_600_000 })
    const step = 'file /etc/systemd/system/wcpd.service.d/mine.conf changes wcpd.service: take it away, or adopt it'
    test.machine.driftPage = () => ({
      items: [{ resource: 'program', changes: [{ step, action: 'remove', diff: '-Nice=3' }] }],
      next: null,
    })
    await test.root('POST', '/api/v1/health/repair', { resource: 'web server' }) // a new round
    await until(async () => (await findings('program')).length === 1)
    const asked = async (verb: string) => await test.root('POST', `/api/v1/health/${verb}`, { resource: 'program' })
    const page = (await (await test.administrator('ann@example.com')).ask({ path: '/drift' })).text
    const planned = await asked('adopt?plan=1')
    test.machine.heard.length = 0

    const repair = await asked('repair')
    const adopt = await asked('adopt')

    expect([repair.status, repair.text]).toEqual([409, expect.stringContaining('install.sh')])
    expect([adopt.status, adopt.json()]).toEqual([200, { jobId: null }])
    expect(JSON.stringify(planned.json())).toMatch(/mine\.conf.*"action":"adopt"/)
    await until(() => test.machine.heard.some(({ t }) => t === 'own_files'))
    expect(test.machine.heard.filter(({ t }) => t === 'own_files')).toEqual([
      { t: 'own_files', what: 'adopt_program', by: 'root' },
    ])
    expect(page).toContain('mine.conf')
    expect(page).toContain('/do/health.adopt?resource=program')
    expect(page).not.toContain('/do/health.repair?resource=program')
  })

  it('of a tenant leads to its job by the name that it is told under, and what no job puts back is refused', async () => {
    await start()
    const change = async (verb: string, resource: string) =>
      await test.root('POST', `/api/v1/health/${verb}`, { resource })
    const job = async (answer: Awaited<ReturnType<typeof change>>) =>
      (await test.root('GET', `/api/v1/jobs/${answer.json().jobId}`)).json()
    const idle = () => until(async () => (await test.root('GET', '/api/v1/tenants/bakery')).json().status === 'active')

    expect(await job(await change('repair', 'tenant bakery'))).toMatchObject({ type: 'tenant.repair' })
    await idle()
    expect(await job(await change('adopt', 'tenant bakery'))).toMatchObject({ type: 'tenant.adopt' })
    await idle()
    expect(test.machine.heard.find((one) => one.t === 'job' && one.type === 'tenant.adopt')).toMatchObject({
      payload: { by: 'root' },
    })
    expect((await change('repair', 'tenant nobody')).status).toBe(404)
    expect((await change('repair', 'tenant ..')).status).toBe(404)
    expect((await change('adopt', 'domain shop.example.com')).status).toBe(409)
    expect((await change('repair', 'routing table')).status).toBe(422)
  })

  it('that was adopted is shown with who did it, and is nothing to hear of', async () => {
    await start()
    const step =
      'file /fpm.conf: adopted by ann@example.com at 2026-03-01T12:00:00.000Z, until the panel writes it anew'
    const adopted = { resource: 'tenant bakery', changes: [{ step, action: 'adopt' as const, diff }] }
    test.machine.driftPage = () => ({ items: [adopted, finding('tenant cafe')], next: null })
    const standing = async () =>
      ((await test.root('GET', '/api/v1/conditions?state=standing&source=drift')).json().items ?? []) as unknown[]
    await until(async () => (await standing()).length === 1)

    expect(await standing()).toMatchObject([{ subject: 'tenant cafe' }])
    const browser = await test.administrator('ann@example.com')
    const page = (await browser.ask({ path: '/tenants/bakery' })).text
    expect(page).toContain('Adopted: other than what the panel writes')
    expect(page).toContain('adopted by ann@example.com')
    expect(page).not.toContain('Differs from what the panel wants')
  })

  it('between the two sides does not take the place of a diff', async () => {
    await start()
    test.machine.driftPage = () => ({ items: [finding('tenant bakery')], next: null })
    test.machine.inventory = () => []
    await until(async () => (await findings()).length === 2)

    expect(await findings('tenant bakery')).toMatchObject([{ changes: [{ diff }] }])
    expect(await findings('inventory: tenant bakery')).toMatchObject([{ changes: [{ diff: null }] }])
  })

  it('stands for as long as it is seen, also when there is no room for more of it', async () => {
    await start()
    const many = Array.from({ length: 510 }, (_, index) => finding(`tenant t${index}`))
    test.machine.driftPage = () => ({ items: many, next: null })
    await until(async () => (await findings()).length === 500)
    const first = (await findings('tenant t0'))[0] as unknown as { foundAt: string; seenAt: string }

    await until(async () => String((await findings('tenant t0'))[0]?.seenAt) > first.seenAt)
    expect((await findings()).length).toBe(500)
    expect(await findings('tenant t0')).toMatchObject([{ foundAt: first.foundAt }])
  })
})
