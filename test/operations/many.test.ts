/** Several things of a list changed at once: what is asked, the plan of each, and what has become of each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mostAtOnce } from '../../src/panel/pages/many.ts'
import { kinds } from '../../src/resources/index.ts'
import type { Browser } from './support/client.ts'
import { realPages } from './support/real-pages.ts'
import { password, type TestPanel, testPanel, until } from './support/test-panel.ts'

let test: TestPanel
let admin: Browser
const ids = new Map<string, string>()
const names = ['bakery', 'florist', 'grocer']

beforeAll(async () => {
  test = await testPanel({ registerPages: realPages })
  const make = async (path: string, body: unknown) => {
    const made = await test.root('POST', `/api/v1/${path}`, body)
    expect(made.status, made.text).toBeLessThan(300)
    return String(made.json().id)
  }
  await make('packages', { name: 'basic' })
  await make('packages', { name: 'large', maxDomains: 50 })
  for (const name of names) ids.set(name, await make('tenants', { name }))
  await make('users', { email: 'baker@example.com', password, role: 'user', tenant: 'bakery' })
  await settled()
  admin = await test.administrator('admin@example.com')
})

afterAll(() => test.stop())

const idOf = (name: string) => ids.get(name) ?? expect.unreachable()
const settled = () =>
  until(async () =>
    (await test.root('GET', '/api/v1/jobs?limit=200')).json().items?.every(({ state }) => state === 'succeeded'),
  )
const statusOf = async (name: string) => (await test.root('GET', `/api/v1/tenants/${name}`)).json().status
const of = (...chosen: string[]) => chosen.map(idOf).join('.')
const hidden = (page: string, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? ''
const open = (chosen: string, verb: string, by = admin) =>
  by.ask({ path: `/many/tenant?_verb=${verb}&_of=${chosen}&_back=%2Ftenants%3Fstatus%3Dactive` })

describe('a list', () => {
  it('has a box before each row, which the address can tick, and offers what its visitor may do', async () => {
    const { text } = await admin.ask({ path: '/tenants' })
    expect(text.match(/type="checkbox" name="_one"/g)).toHaveLength(3)
    expect(text).not.toMatch(/name="_one"[^>]*checked/)
    expect(text).toContain(`value="${idOf('bakery')}" aria-label="Choose bakery"`)
    for (const verb of ['suspend', 'unsuspend', 'update', 'delete']) expect(text).toContain(`<option value="${verb}">`)
    expect(text).not.toContain('<option value="restore">')

    const all = await admin.ask({ path: '/tenants?_all=true' })
    expect(all.text.match(/name="_one"[^>]*checked/g)).toHaveLength(3)
  })

  it('has none for who may do nothing of it', async () => {
    const baker = test.browser()
    await baker.signIn('baker@example.com', password)

    const { text } = await baker.ask({ path: '/tenants' })

    expect(text).toContain('bakery')
    expect(text).not.toContain('_one')
    expect((await open(of('bakery'), 'suspend', baker)).status).toBe(403)
  })

  it.each(
    kinds.flatMap(({ name, list, operations }) => list?.bulk?.map((bulk) => ({ name, operations, ...bulk })) ?? []),
  )('declares $verb of $name, which is there and takes what is asked', ({ name, operations, verb, asks = [] }) => {
    const operation = Object.values(operations).find((one) => one.name === `${name}.${verb}`)
    expect(operation?.fields.map((field) => field.name)).toEqual(expect.arrayContaining([...asks]))
  })
})

describe('a change of several', () => {
  it('asks once, shows the plan of each, makes the changes, and tells what has become of each', async () => {
    const asked = await open(of('bakery', 'florist'), 'suspend')
    expect(asked.text).toContain('Reason')
    expect(asked.text).not.toContain('grocer')

    const wish = { _verb: 'suspend', _of: hidden(asked.text, '_of'), reason: 'unpaid', note: 'Invoice 7' }
    const planned = await admin.form('/many/tenant', wish)
    expect(planned.text).toContain('Nothing has been done yet.')
    expect(planned.text).toContain('Suspend (2)')
    expect(planned.text).toContain('change customer bakery: status: active → deploying')
    expect(planned.text).toContain('create hold bakery, unpaid')
    expect(await statusOf('bakery')).toBe('active')

    const sent = { ...wish, _batch: hidden(planned.text, '_batch') }
    const done = await admin.form('/many/tenant', sent)
    expect(done.text.match(/href="\/jobs\//g)).toHaveLength(2)
    expect(done.text).toContain('wcp tenant suspend bakery --reason unpaid --note &#39;Invoice 7&#39;')
    await settled()
    expect([await statusOf('bakery'), await statusOf('florist'), await statusOf('grocer')]).toEqual([
      'suspended',
      'suspended',
      'active',
    ])

    const again = await admin.form('/many/tenant', sent)
    expect(again.text.match(/href="\/jobs\/[^"]+/g)).toEqual(done.text.match(/href="\/jobs\/[^"]+/g))
    const trail = (await test.root('GET', '/api/v1/audit?action=tenant.suspend')).json().items ?? []
    expect(trail.map(({ actor }) => JSON.stringify(actor))).toHaveLength(2)
  })

  it('leaves out what would be refused, and says why', async () => {
    const { text } = await open(of('bakery', 'grocer'), 'unsuspend')

    expect(text).toContain('would be refused')
    expect(text).toContain('left out')
    expect(hidden(text, '_of')).toBe(idOf('bakery'))
    expect(hidden(text, '_back')).toBe('/tenants?status=active')
  })

  it('offers those again that were refused, when they were sent all the same', async () => {
    const batch = hidden((await open(of('bakery', 'grocer'), 'unsuspend')).text, '_batch')

    const { text } = await admin.form('/many/tenant', {
      _verb: 'unsuspend',
      _of: of('bakery', 'grocer'),
      _batch: batch,
    })

    expect(text.match(/href="\/jobs\//g)).toHaveLength(1)
    expect(text).toContain('refused')
    expect(text).toContain(`/many/tenant?_verb=unsuspend&amp;_of=${idOf('grocer')}`)
    await settled()
  })

  it('gives them another plan, and asks which before', async () => {
    const none = await admin.form('/many/tenant', { _verb: 'update', _of: of('bakery', 'grocer'), package: '' })
    expect(none.status).toBe(422)
    expect(none.text).toContain('field-error')
    expect(hidden(none.text, '_of')).toBe(of('bakery', 'grocer'))

    const wish = { _verb: 'update', _of: of('bakery', 'grocer'), package: 'large' }
    const planned = await admin.form('/many/tenant', wish)
    expect(planned.text).toContain('basic')
    await admin.form('/many/tenant', { ...wish, _batch: hidden(planned.text, '_batch') })
    await settled()
    const { items = [] } = (await test.root('GET', '/api/v1/tenants?package=large')).json()
    expect(items.map(({ name }) => name)).toEqual(['bakery', 'grocer'])
  })

  it('moves several to the trash and brings them back from there', async () => {
    const planned = await open(of('bakery', 'grocer'), 'delete')
    expect(planned.text).toContain('button-bad')
    const wish = { _of: of('bakery', 'grocer'), _batch: hidden(planned.text, '_batch') }
    await admin.form('/many/tenant', { ...wish, _verb: 'delete' })
    await settled()

    const trash = await admin.ask({ path: '/tenants?deleted=true' })
    expect(trash.text).toContain('<option value="restore">')
    expect(trash.text).not.toContain('<option value="delete">')

    const back = await open(of('bakery', 'grocer'), 'restore')
    await admin.form('/many/tenant', { ...wish, _verb: 'restore', _batch: hidden(back.text, '_batch') })
    await settled()
    expect([await statusOf('bakery'), await statusOf('grocer')]).toEqual(['active', 'active'])
  })

  it('is no way to what no kind declares, to another address, or to more than the bound', async () => {
    expect((await open(of('bakery'), 'purge')).status).toBe(404)
    expect((await admin.ask({ path: '/many/user?_verb=delete&_of=' })).status).toBe(404)
    const away = await admin.ask({
      path: `/many/tenant?_verb=suspend&_of=${of('bakery')}&_back=%2F%2Fevil.example%2Ftenants`,
    })
    expect(hidden(away.text, '_back')).toBe('/tenants')
    const crowd = Array.from({ length: mostAtOnce + 1 }, () => crypto.randomUUID())
    expect((await open(crowd.join('.'), 'suspend')).status).toBe(413)
    expect((await open('', 'suspend')).text).toContain('Nothing is chosen yet')
  })

  it('counts ten of them as one change of the person', async () => {
    const limited = await testPanel({ registerPages: realPages, config: 'writes_per_minute: 3', isRateLimited: true })
    try {
      const browser = await limited.administrator('few@example.com')
      const crowd = Array.from({ length: 11 }, () => crypto.randomUUID()).join('.')
      const ask = () => browser.ask({ path: `/many/tenant?_verb=unsuspend&_of=${crowd}` })
      expect((await ask()).status).toBe(200)
      expect((await ask()).status).toBe(429)
    } finally {
      await limited.stop()
    }
  })
})
