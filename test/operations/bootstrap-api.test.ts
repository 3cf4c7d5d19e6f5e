/** First boot by API: the state machine of the pages, with their single use. */
import { afterEach, describe, expect, it } from 'vitest'
import { type Answer, ask } from './support/client.ts'
import { setupCode } from './support/scripted-agent.ts'
import { password, type TestPanel, type TestPanelOptions, testPanel } from './support/test-panel.ts'

let test: TestPanel
afterEach(() => test.stop())

const open: TestPanelOptions = { machine: { setupOpen: true } }
const first = { email: 'first@example.com', password }
const root = { code: setupCode, password: 'root-password' }

const call = (method: string, path: string, body?: unknown, headers = {}) =>
  ask({ port: test.panel.port }, { method, path: `/api/v1${path}`, headers, ...(body !== undefined && { body }) })
const state = async () => (await call('GET', '/bootstrap')).json()
const prove = async () => String((await call('POST', '/bootstrap', root)).json().secret)
const admins = async () => (await test.root('GET', '/api/v1/users')).json().items
const codeOf = (answer: Answer) => [answer.status, answer.json().code]

it('leads from nothing to the first administrator, who is signed in', async () => {
  test = await testPanel(open)
  expect(await state()).toEqual({ systemInitialized: false, state: 'not_initialized', next: 'POST /api/v1/bootstrap' })

  const proven = await call('POST', '/bootstrap', root)
  expect(proven.status).toBe(201)
  expect(Date.parse(String(proven.json().expiresAt)) - Date.now()).toBeLessThanOrEqual(15 * 60_000)
  expect(await state()).toMatchObject({ state: 'bootstrap', next: 'POST /api/v1/bootstrap/admin' })
  const made = await call('POST', '/bootstrap/admin', { ...first, secret: proven.json().secret })
  expect([made.status, made.json().email]).toEqual([201, first.email])
  expect(await state()).toEqual({ systemInitialized: true, state: 'done', next: null })

  const headers = { authorization: `Bearer ${made.json().token}` }
  expect((await call('GET', '/packages', undefined, headers)).json().items).toMatchObject([{ name: 'default' }])
  expect(test.machine.setupOpen).toBe(false)
  const trail = (await test.root('GET', '/api/v1/audit?action=auth.bootstrap')).json().items
  expect(trail).toMatchObject([{ actor: first.email, outcome: 'ok' }])
  for (const secret of [setupCode, 'root-password', String(proven.json().secret), password])
    expect(
      JSON.stringify([test.log, trail, await test.panel.db.selectFrom('sessions').selectAll().execute()]),
    ).not.toContain(secret)
})

it('is gone for ever once it is done, and answers where it stands', async () => {
  test = await testPanel(open)
  const secret = await prove()
  await call('POST', '/bootstrap/admin', { ...first, secret })

  for (const [path, body] of [
    ['/bootstrap', root],
    ['/bootstrap/admin', { email: 'second@example.com', password, secret }],
  ] as const)
    expect(codeOf(await call('POST', path, body))).toEqual([404, 'not_found'])
  expect(test.machine.heard.filter(({ t }) => t === 'verify_root')).toHaveLength(1)
})

it('tells of an unknown and of a lost setup', async () => {
  test = await testPanel({ ...open, withoutAgent: true })
  expect(await state()).toEqual({ systemInitialized: null, state: 'unknown', next: null })
  expect((await call('POST', '/bootstrap', root)).status).toBe(503)
  await test.stop()

  test = await testPanel()
  expect(await state()).toEqual({ systemInitialized: true, state: 'lost', next: null })
  expect((await call('POST', '/bootstrap', root)).status).toBe(404)
})

describe('root', () => {
  it('is not asked of the machine beyond the code, nor when setup is closed to the network', async () => {
    test = await testPanel(open)
    const wrong = await call('POST', '/bootstrap', { ...root, code: 'another' })
    test.machine.setupCode = null
    const late = await call('POST', '/bootstrap', root)

    for (const answer of [wrong, late]) {
      expect(codeOf(answer)).toEqual([401, 'not_signed_in'])
      expect(answer.json().help).toContain('wcp setup open')
    }
    expect(late.json().title).toContain('closed to the network')
  })

  it('has the throttle of the page, together with it', async () => {
    test = await testPanel(open)
    const browser = test.browser()
    const statuses: number[] = []
    for (let tries = 0; tries < 3; tries++) {
      statuses.push((await call('POST', '/bootstrap', { ...root, password: `wrong ${tries}` })).status)
      statuses.push((await browser.form('/bootstrap', { password: `wrong ${tries}`, code: setupCode })).status)
    }

    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
    expect(test.machine.heard.filter(({ t }) => t === 'verify_root')).toHaveLength(5)
  })

  it('gets in once with one code, by page or by API', async () => {
    test = await testPanel(open)
    const browser = test.browser()
    await browser.token()

    const [page, api] = await Promise.all([
      browser.form('/bootstrap', { password: 'root-password', code: setupCode }),
      call('POST', '/bootstrap', root),
    ])

    expect([page.status, api.status]).toContain(401)
    expect([page.status === 303, api.status === 201].filter(Boolean)).toHaveLength(1)
  })
})

describe('the first administrator', () => {
  it.each([
    ['a short password', { ...first, password: 'short' }, 'password'],
    ['the address as password', { ...first, password: first.email }, 'password'],
    ['no address', { ...first, email: 'nobody' }, 'email'],
    ['a role', { ...first, role: 'system_admin' }, 'role'],
    ['no password', { email: first.email }, 'password'],
  ])('is refused by the field that is wrong: %s', async (_, fields, field) => {
    test = await testPanel(open)

    const answer = await call('POST', '/bootstrap/admin', { ...fields, secret: await prove() })

    expect(codeOf(answer)).toEqual([422, 'bad_input'])
    expect(answer.json().fields?.map((one) => one.field)).toEqual([field])
    expect(await admins()).toEqual([])
  })

  it('is made for nobody whom root has not let in', async () => {
    test = await testPanel(open)
    for (const secret of ['', 'guess', setupCode])
      expect(codeOf(await call('POST', '/bootstrap/admin', { ...first, secret }))).toEqual([401, 'not_signed_in'])
    const browser = test.browser()
    await browser.form('/bootstrap', { password: 'root-password', code: setupCode })

    // The cookie of the page's visitor counts for the page alone.
    const headers = { cookie: `__Host-wcp=${browser.cookie}` }
    expect((await call('POST', '/bootstrap/admin', { ...first, secret: '' }, headers)).status).toBe(401)
    expect(await admins()).toEqual([])
  })

  it('is one when page and API send theirs at once', async () => {
    test = await testPanel(open)
    const browser = test.browser()
    await browser.form('/bootstrap', { password: 'root-password', code: setupCode })
    const token = await browser.token()
    test.machine.setupCode = 'a newer one' // root printed another address
    const secret = String((await call('POST', '/bootstrap', { ...root, code: 'a newer one' })).json().secret)

    const [page, api] = await Promise.all([
      browser.form('/bootstrap/admin', { ...first, email: 'page@example.com', _csrf: token }),
      call('POST', '/bootstrap/admin', { ...first, email: 'api@example.com', secret }),
    ])

    expect([page.status === 303, api.status === 201].filter(Boolean)).toHaveLength(1)
    expect([page.status, api.status].filter((status) => [404, 409].includes(status))).toHaveLength(1)
    expect(await admins()).toHaveLength(1)
    expect(await state()).toMatchObject({ state: 'done' })
  })

  it('ends the proof of root that made it', async () => {
    test = await testPanel(open)
    await call('POST', '/bootstrap/admin', { ...first, secret: await prove() })

    const proofs = await test.panel.db.selectFrom('sessions').selectAll().where('kind', '=', 'bootstrap').execute()
    expect(proofs.map((row) => row.deleted_at)).toEqual([expect.any(String)])
  })
})
