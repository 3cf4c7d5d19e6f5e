/** The plan of a change of the store: made from what an operation writes, so that none can be without one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kinds, operations } from '../../src/resources/index.ts'
import { ownWork, rowWords } from '../../src/resources/row-words.ts'
import { realPages } from './support/real-pages.ts'
import { resetExampleSite } from './support/scripted-agent.ts'
import { type StoreImage, storeImage } from './support/store-image.ts'
import { password } from './support/test-panel.ts'
import { inputFor, requestFor, type World, world } from './support/world.ts'

let here: World
let image: StoreImage

beforeAll(async () => {
  here = await world({ refusalsInFull: 1_000_000, registerPages: realPages })
  here.test.machine.play = () => 'ignore' // jobs stay queued, and nothing changes the store by itself
  image = await storeImage(here.test.panel.db, ['updated_at'])
})
afterAll(() => here.test.stop())

interface Change {
  readonly step: string
  readonly action: string
  readonly diff: string | null
}
type Plan = readonly { readonly type: string; readonly changes: readonly Change[] }[]

const words = rowWords(kinds)
/** What every change makes beside its own, which is no part of a plan. */
const byCalls = ['jobs', 'webhook_deliveries']
/** How far the watch over drift has come is a row among the settings that nobody can set. */
const byWatch = ['health.repair', 'health.adopt']
const changing = operations.filter(({ effect }) => effect !== 'read')

async function planned(method: string, path: string, body?: Record<string, unknown>, by = here.admin) {
  const answer = await by.call(method, `/api/v1${path}?plan=1`, body)
  const plan = (answer.json().plan ?? []) as unknown as Plan
  const store = plan.find(({ type }) => type === 'store')?.changes ?? []
  return { status: answer.status, text: answer.text, plan, store }
}
const of = (store: readonly Change[], step: string) => store.find((one) => one.step === step)

describe.each(changing.map((operation) => [operation.name, operation] as const))(
  'the plan of %s',
  (name, operation) => {
    it('changes nothing, names every table that the change changes, and shows no secret', async () => {
      await image.restore()
      const input = inputFor(operation, here)
      const target = requestFor(operation, input, true)
      const heard = here.test.machine.heard.length
      const { cookie } = here.admin

      const answer = await here.admin.call(target.method, target.path, target.body)

      expect(await image.restore()).toEqual([])
      expect(here.test.machine.heard.slice(heard).filter(({ t }) => t === 'stop')).toEqual([])
      const plan = (answer.json().plan ?? []) as unknown as Plan
      const told = plan.flatMap(({ type, changes }) => (type === 'store' ? changes : []))
      const { method, path, body } = requestFor(operation, input)
      const made = await here.admin.call(method, path, body)
      const changed = await image.restore()
      here.admin.cookie = cookie
      resetExampleSite()
      // the plan does not ask the process that works on files
      if (operation.isOutside) return expect(answer.status).toBe(200)
      expect([name, answer.status < 300]).toEqual([name, made.status < 300])
      if (made.status >= 300) return expect(answer.json().code).toBe(made.json().code)

      const untold = changed.filter((table) => {
        const one = words.get(table)?.one ?? 'not named'
        if (table === 'settings' && byWatch.includes(name)) return false
        return !ownWork.has(table) && !byCalls.includes(table) && !told.some(({ step }) => step.startsWith(`${one} `))
      })
      expect([name, untold]).toEqual([name, []])
      const without = JSON.stringify(told)
        .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '')
        .replace(/SHA256:\S+/g, '')
      expect(without).not.toMatch(/\$argon2|wcp_|[\w+/-]{32,}/)
      for (const key of operation.secret ?? []) expect(without).not.toContain(String(input[key] ?? password))
    })
  },
)

it('speaks of every table of the store, or keeps it as the work of the panel itself', async () => {
  const found = await here.test.panel.db.introspection.getTables()

  const silent = found.map(({ name }) => name).filter((name) => !words.has(name) && !ownWork.has(name))
  expect(silent).toEqual([])
})

it('and every answer know a permission by its name alone', async () => {
  const rows = await here.test.panel.db.selectFrom('permissions').select(['id', 'name']).execute()
  expect(rows.length).toBeGreaterThan(10)
  expect(rows.filter(({ name }) => !operations.some((operation) => operation.name === name))).toEqual([])

  for (const operation of operations.filter(({ effect }) => effect === 'read')) {
    const { method, path, body } = requestFor(operation, inputFor(operation, here))
    const { text } = await here.admin.call(method, path, body)
    expect([operation.name, rows.filter(({ id }) => text.includes(id))]).toEqual([operation.name, []])
  }
  expect((await here.test.root('GET', '/api/v1/roles/viewer')).json().permissions).toEqual(['domain.list'])
})

it('names only columns that there are, and no secret among those that it shows', async () => {
  for (const { name: table, columns } of await here.test.panel.db.introspection.getTables()) {
    const { name = [], shows = [], secret = [] } = words.get(table) ?? {}
    const known = columns.map((column) => column.name)
    expect([table, [...name, ...shows, ...secret].filter((column) => !known.includes(column))]).toEqual([table, []])
    const hushed = known.filter((column) => /hash|secret|digest|seal|payload|token|checksum/.test(column))
    expect([table, [...name, ...shows].filter((column) => hushed.includes(column))]).toEqual([table, []])
  }
})

describe('a plan tells', () => {
  it('what a person loses with a role', async () => {
    const { store } = await planned('PATCH', '/users/baker@example.com', { role: 'viewer' })

    expect(of(store, 'role of a user baker@example.com, user')).toMatchObject({ action: 'remove' })
    expect(of(store, 'role of a user baker@example.com, viewer')).toMatchObject({ action: 'create' })
    const rights = of(store, 'rights of baker@example.com')?.diff?.split('\n') ?? []
    expect(rights).toContain('- domain.create')
    expect(rights).not.toContain('- domain.list')
    expect(of(store, 'session baker@example.com')).toMatchObject({ action: 'remove' })
  })

  it('what the holders of a role lose when it is changed', async () => {
    await here.test.root('POST', '/api/v1/roles/viewer/users', { user: 'baker@example.com' })
    await here.test.root('PATCH', '/api/v1/users/butcher@example.com', { role: 'viewer' })

    const { store } = await planned('PATCH', '/roles/viewer', { permissions: ['domain.get'] })

    expect(of(store, 'permission of a role viewer, domain.list')).toMatchObject({ action: 'remove', diff: null })
    expect(of(store, 'permission of a role viewer, domain.get')).toMatchObject({ action: 'create', diff: null })
    expect(of(store, 'rights of butcher@example.com')?.diff).toBe('- domain.list\n+ domain.get')
    // The role of a customer has both, whatever becomes of the other one.
    expect(of(store, 'rights of baker@example.com')).toBeUndefined()
    await image.restore()
  })

  it('that a person goes to the trash, with all rights', async () => {
    const { store } = await planned('DELETE', '/users/baker@example.com')

    expect(of(store, 'user baker@example.com')).toMatchObject({ action: 'remove' })
    expect(of(store, 'rights of baker@example.com')?.diff).toContain('- domain.create')
  })

  it('the limits of a package, from what to what, beside its jobs', async () => {
    const { plan, store } = await planned('PATCH', '/packages/basic', { memMb: 512, description: 'for most' })

    expect(of(store, 'package basic')?.diff).toBe('- description: none\n+ description: for most')
    expect(of(store, 'limits of package basic')?.diff).toBe('- max mem mb: none\n+ max mem mb: 512')
    expect(plan.map(({ type }) => type)).toContain('store')
  })

  it('a setting, from what to what', async () => {
    const { store } = await planned('PATCH', '/settings/jobs.keep_days', { value: 30 })

    expect(of(store, 'setting jobs.keep_days')).toEqual({
      ...{ step: 'setting jobs.keep_days', action: 'create', diff: '+ value: 30' },
    })
  })

  it('which key ends, and a password that changes without showing it', async () => {
    const revoked = await planned('DELETE', `/api-keys/${here.ids.apiKey}`)
    expect(of(revoked.store, 'API key deploy, baker@example.com')).toMatchObject({ action: 'remove' })

    const { store, text } = await planned('PATCH', '/users/baker@example.com', { password: 'a quiet river bend' })
    expect(of(store, 'user baker@example.com')?.diff).toBe('+ password hash: another one, which is not shown')
    expect(text).not.toContain('river')
  })

  it('a customer nothing of others', async () => {
    const { status, store } = await planned(
      'PATCH',
      '/users/baker@example.com',
      { password: 'a quiet river bend' },
      here.customer,
    )

    expect([status, store.map(({ step }) => step)]).toEqual([200, expect.arrayContaining(['user baker@example.com'])])
    expect(JSON.stringify(store)).not.toMatch(/butcher|admin@/)
  })
})

it('is refused for what changes nothing', async () => {
  const { status, text } = await planned('GET', '/tenants')

  expect([status, text]).toEqual([422, expect.stringContaining('this operation changes nothing')])
})

describe('every view', () => {
  it('has the plan of a change of the store: the form, and the lines of the terminal page', async () => {
    const html = { accept: 'text/html' }
    const form = await here.admin.form(
      '/do/user.update',
      { user: 'baker@example.com', password: 'a quiet river bend', _do: 'plan' },
      html,
    )
    expect(form.status).toBe(200)
    expect(form.text).toContain('user baker@example.com')
    expect(form.text).toContain('another one, which is not shown')
    expect(form.text).not.toContain('quiet river')

    for (const line of [
      'wcp settings update jobs.keep_days 30 --plan',
      'PATCH /api/v1/settings/jobs.keep_days?plan=1 {"value":30}',
    ]) {
      await here.admin.form('/terminal', { line }, html)
      const page = await here.admin.ask({ path: '/terminal', headers: html })
      expect(page.text).toContain('setting jobs.keep_days')
    }
    expect(await image.restore()).toEqual([])
  })
})
