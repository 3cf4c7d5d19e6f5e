import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { Browser } from './support/client.ts'
import { setupCode } from './support/scripted-agent.ts'
import { password, type TestPanel, type TestPanelOptions, testPanel, until } from './support/test-panel.ts'

let test: TestPanel

afterEach(() => test.stop())

const admin = { email: 'admin@example.com', password }

async function start(options: TestPanelOptions = {}): Promise<void> {
  test = await testPanel(options)
  await test.root('POST', '/api/v1/packages', { name: 'basic' })
  expect((await test.root('POST', '/api/v1/users', { ...admin, role: 'system_admin' })).status).toBe(201)
}

async function signedIn(): Promise<Browser> {
  const browser = test.browser()
  expect((await browser.signIn(admin.email, password)).status).toBe(303)
  return browser
}

const isIn = async (browser: Browser) => (await browser.ask({ path: '/' })).status === 200
const auditOf = async (action: string) => (await test.root('GET', `/api/v1/audit?action=${action}`)).json().items ?? []
const storedSessions = () => test.panel.db.selectFrom('sessions').selectAll().execute()
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()

describe('signing in', () => {
  it('gives a new cookie that only this panel gets back', async () => {
    await start()
    const browser = test.browser()
    await browser.token()
    const before = browser.cookie

    const answer = await browser.signIn(admin.email, password)

    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(/^__Host-wcp=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/),
      expect.stringMatching(/^__Host-wcp-device=[\w.-]+; Max-Age=\d+; Path=\/; Secure; HttpOnly; SameSite=Strict$/),
    ])
    expect(browser.cookie).not.toBe(before)
    expect(await isIn(browser)).toBe(true)
  })

  it('keeps nothing in the store that could be sent as a cookie', async () => {
    await start()
    const browser = await signedIn()

    expect(JSON.stringify(await storedSessions())).not.toContain(browser.cookie)
  })

  it('takes the address in any case', async () => {
    await start()

    expect((await test.browser().signIn(' Admin@Example.COM ', password)).status).toBe(303)
  })

  it('answers an unknown address and a wrong password alike, also that of a suspended user', async () => {
    await start()
    await test.root('POST', '/api/v1/users', { email: 'b@example.com', password, role: 'system_admin' })
    await test.root('POST', '/api/v1/users/b@example.com/suspend')
    const tries = [
      ['nobody@example.com', password],
      [admin.email, 'wrong'],
      ['b@example.com', 'wrong'],
      ['not an address', password],
      [admin.email, 'x'.repeat(5000)],
      [admin.email, ''],
    ] as const

    const answers = await Promise.all(tries.map(([email, secret]) => test.browser().signIn(email, secret)))

    expect(new Set(answers.map(({ status, json }) => JSON.stringify([status, { ...json(), instance: '' }]))).size).toBe(
      1,
    )
    expect(answers[0]?.status).toBe(401)
  })

  it('tells the right password of who is kept out that it is so, why, and whom to ask', async () => {
    await start()
    const make = (path: string, body: unknown) => test.root('POST', `/api/v1/${path}`, body)
    await make('resellers', { email: 'seller@example.com', password })
    await make('packages', { name: 'basic', reseller: 'seller@example.com' })
    await make('tenants', { name: 'bakery', reseller: 'seller@example.com' })
    await make('users', { email: 'baker@example.com', password, role: 'user', tenant: 'bakery' })
    await make('users', { email: 'b@example.com', password, role: 'system_admin' })
    const told = async (email: string) => {
      const browser = test.browser()
      const { status, json } = await browser.signIn(email, password)
      return [status, json().title, json().help, await isIn(browser)]
    }

    await make('users/b@example.com/suspend', { reason: 'security', note: 'The laptop was stolen.' })
    const staff = await told('b@example.com')
    await make('tenants/bakery/lock', { reason: 'abuse', note: 'For staff alone.' })
    const locked = await told('baker@example.com')
    await make('tenants/bakery/unlock', {})
    await until(async () => (await test.root('GET', '/api/v1/jobs?state=succeeded')).json().items?.length === 1)
    await make('tenants/bakery/suspend', { reason: 'unpaid', note: 'Invoice 7 is open.' })
    await until(async () => (await test.root('GET', '/api/v1/jobs?state=succeeded')).json().items?.length === 2)
    const customer = await told('baker@example.com')

    const people = 'the people who run this server'
    expect(staff).toEqual([
      401,
      'Cannot sign in: this account is suspended',
      `Reason: security; The laptop was stolen. Ask ${people}.`,
      false,
    ])
    expect(locked).toEqual([401, 'Cannot sign in: this account is locked', 'Ask seller@example.com.', false])
    expect(customer.slice(1, 3)).toEqual([
      'Cannot sign in: this account is suspended',
      'Reason: unpaid; Invoice 7 is open. Ask seller@example.com.',
    ])
    expect(await auditOf('auth.login')).toMatchObject([
      { outcome: 'refused', metadata: { closed: 'tenant_suspended' } },
      { outcome: 'refused', metadata: { closed: 'tenant_locked' } },
      { outcome: 'refused', metadata: { closed: 'suspended' } },
    ])
  })

  it('throws away the cookie that was used before', async () => {
    await start()
    const browser = await signedIn()
    const old = browser.cookie
    await browser.signIn(admin.email, password)
    const fixed = test.browser()
    fixed.cookie = old

    expect(await isIn(fixed)).toBe(false)
    expect(await isIn(browser)).toBe(true)
  })

  it('does not take a cookie that somebody made up', async () => {
    await start()
    const browser = test.browser()
    browser.cookie = 'A'.repeat(43)
    await browser.signIn(admin.email, password)

    expect(browser.cookie).not.toBe('A'.repeat(43))
  })

  it('does not take two cookies of the name', async () => {
    await start()
    const { cookie } = await signedIn()

    const answer = await test.browser().ask({ path: '/', headers: { cookie: `__Host-wcp=${cookie}; __Host-wcp=x` } })

    expect(answer.status).toBe(303)
  })

  it('leaves one audit entry for each try', async () => {
    await start()
    await test.browser().signIn(admin.email, 'wrong')
    await signedIn()

    expect(await auditOf('auth.login')).toMatchObject([
      { actor: admin.email, outcome: 'ok', ip: '127.0.0.1' },
      { actor: admin.email, outcome: 'refused', ip: '127.0.0.1' },
    ])
    expect(JSON.stringify(await auditOf('auth.login'))).not.toContain('wrong')
  })
})

describe('what the trail says of a sign-in', () => {
  it('names the tenant of its customer from the first to the last, and none of staff', async () => {
    await start()
    await test.root('POST', '/api/v1/tenants', { name: 'bakery', package: 'basic' })
    const baker = { email: 'baker@example.com', password, role: 'user', tenant: 'bakery' }
    await test.root('POST', '/api/v1/users', baker)
    const { id: tenantId } = (await test.root('GET', '/api/v1/tenants/bakery')).json()
    const told = async (email: string) => {
      const browser = test.browser()
      await browser.signIn(email, 'wrong')
      await browser.signIn(email, password)
      await browser.form('/confirm', { password })
      await browser.form('/confirm', { password: 'wrong' })
      await browser.form('/logout', {})
      const items = (await test.root('GET', '/api/v1/audit?limit=5')).json().items ?? []
      return items.map(({ action, outcome, actor, tenantId, metadata }) => ({
        said: `${action} ${outcome}`,
        ...{ actor, tenantId, metadata },
      }))
    }

    for (const [actor, of] of [
      [baker.email, tenantId],
      [admin.email, null],
    ])
      expect(await told(String(actor))).toEqual([
        { said: 'auth.logout ok', actor, tenantId: of, metadata: {} },
        { said: 'auth.confirm refused', actor, tenantId: of, metadata: {} },
        { said: 'auth.confirm ok', actor, tenantId: of, metadata: {} },
        { said: 'auth.login ok', actor, tenantId: of, metadata: { factor: 'none' } },
        { said: 'auth.login refused', actor, tenantId: of, metadata: { email: actor } },
      ])
  })
})

describe('guessing passwords', () => {
  it('is made to wait after five failures, also with the right password, and says how long', async () => {
    await start()
    const browser = test.browser()
    for (let tries = 0; tries < 5; tries++) await browser.signIn(admin.email, 'wrong')

    const answer = await browser.signIn(admin.email, password)

    expect(answer.status).toBe(429)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  })

  it('is not helped by twenty tries at once', async () => {
    await start()
    const browsers = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const browser = test.browser()
        await browser.token()
        return browser
      }),
    )

    const answers = await Promise.all(browsers.map((browser) => browser.signIn(admin.email, 'wrong')))

    const counts = Object.groupBy(answers, ({ status }) => String(status))
    expect([counts['401']?.length, counts['429']?.length]).toEqual([5, 15])
  })

  it('cannot hide behind forwarding headers', async () => {
    await start()
    for (let tries = 0; tries < 5; tries++)
      await test
        .browser()
        .form('/login', { email: admin.email, password: 'wrong' }, { 'x-forwarded-for': `192.0.2.${tries}` })

    expect((await test.browser().signIn(admin.email, password)).status).toBe(429)
  })

  it('does not keep others out', async () => {
    await start()
    for (let tries = 0; tries < 6; tries++) await test.browser().signIn('victim@example.com', 'wrong')

    await signedIn()
  })
})

describe('a flood of sign-ins', () => {
  it('is looked at fifty a second, and who hangs up loses the place', async () => {
    await start()
    const browsers = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const browser = test.browser()
        await browser.token()
        return browser
      }),
    )
    const begun = performance.now()
    const quitters = Array.from({ length: 10 }, () => connect(test.panel.port, '127.0.0.1'))
    for (const quitter of quitters)
      quitter.write('POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n')
    const answers = browsers.map((browser) => browser.signIn(admin.email, 'wrong'))
    for (const quitter of quitters) quitter.destroy()
    const statuses = (await Promise.all(answers)).map(({ status }) => status)

    expect(performance.now() - begun).toBeGreaterThan(29 * 20 - 50)
    expect(statuses.filter((status) => status === 401)).toHaveLength(5)
    expect(statuses.filter((status) => status === 429)).toHaveLength(25)
  })
})

describe('a session', () => {
  it('ends after its idle time without a request', async () => {
    await start()
    const browser = await signedIn()
    await test.panel.db
      .updateTable('sessions')
      .set({ idle_until: ago(-1) })
      .execute()
    expect(await isIn(browser)).toBe(true)
    await test.panel.db
      .updateTable('sessions')
      .set({ idle_until: ago(0) })
      .execute()

    expect(await isIn(browser)).toBe(false)
  })

  it('ends after twelve hours in any case', async () => {
    await start()
    const browser = await signedIn()
    const [session] = await storedSessions()
    const hours = (Date.parse(session?.expires_at ?? '') - Date.now()) / 3_600_000
    expect(hours).toBeCloseTo(12, 1)
    await test.panel.db
      .updateTable('sessions')
      .set({ expires_at: ago(0) })
      .execute()

    expect(await isIn(browser)).toBe(false)
  })

  it('is dead after signing out, and the browser is told to forget', async () => {
    await start()
    const browser = await signedIn()
    const { cookie } = browser

    const answer = await browser.form('/logout', {})

    expect(answer.headers['clear-site-data']).toBe('"cache", "storage"')
    expect(browser.cookie).toBeNull()
    browser.cookie = cookie
    expect(await isIn(browser)).toBe(false)
    expect(await auditOf('auth.logout')).toHaveLength(1)
  })

  it.each([
    ['a new password', 'PATCH', '', { password: 'another long password' }],
    ['suspension', 'POST', '/suspend', undefined],
    ['deletion', 'DELETE', '', undefined],
    ['the end of all of them', 'DELETE', '/sessions', undefined],
  ])('ends at once by %s', async (_, method, path, body) => {
    await start()
    const browser = await test.administrator('c@example.com')
    expect(await isIn(browser)).toBe(true)

    expect((await test.root(method, `/api/v1/users/c@example.com${path}`, body)).status).toBe(200)

    expect(await isIn(browser)).toBe(false)
  })

  it('is listed for its owner, who can end the others', async () => {
    await start()
    const [here, there] = [await signedIn(), await signedIn()]

    const list = (await here.call('GET', '/api/v1/sessions')).json().items ?? []
    expect(list).toMatchObject(Array(2).fill({ email: admin.email, ip: '127.0.0.1', factor: 'none' }))
    const [newest] = list
    expect((await here.call('DELETE', `/api/v1/sessions/${newest?.id}`)).status).toBe(200)

    expect([await isIn(here), await isIn(there)]).toEqual([true, false])
    expect((await here.call('DELETE', `/api/v1/sessions/${newest?.id}`)).status).toBe(404)
  })

  it('survives a restart of the panel', async () => {
    await start()
    const { cookie } = await signedIn()

    await test.restart()

    const browser = test.browser()
    browser.cookie = cookie
    expect(await isIn(browser)).toBe(true)
  })

  it('leads to the login and back to the page that was asked for', async () => {
    await start()

    const answer = await test.browser().ask({ path: '/?a=b' })

    expect([answer.status, answer.headers.location]).toEqual([303, '/login?next=%2F%3Fa%3Db'])
  })
})

describe('setup', () => {
  const first = { email: 'first@example.com', password: 'a very long password' }
  const open = { machine: { setupOpen: true } }

  it('is where every page leads while it is open, and the API says so', async () => {
    test = await testPanel(open)
    const browser = test.browser()

    for (const path of ['/', '/login', '/next', '/nowhere']) {
      const answer = await browser.ask({ path, headers: { accept: 'text/html' } })
      expect([path, answer.status, answer.headers.location]).toEqual([path, 303, '/bootstrap'])
    }
    const api = await browser.ask({ path: '/api/v1/tenants' })
    expect([api.status, api.json().code]).toEqual([403, 'setup_needed'])
    expect((await browser.ask({ path: '/bootstrap' })).text).toBe('setup false')
  })

  it('lets nobody, not even root, ask for something on the machine while it is open', async () => {
    test = await testPanel(open)

    for (const path of ['/api/v1/tenants', '/api/v1/tenants?plan=1']) {
      const answer = await test.root('POST', path, { name: 'bakery' })
      expect([path, answer.status, answer.json().code]).toEqual([path, 403, 'setup_needed'])
    }

    for (const kind of ['tenants', 'jobs']) expect((await test.root('GET', `/api/v1/${kind}`)).json().items).toEqual([])
    expect(test.machine.heard.filter(({ t }) => t === 'job' || t === 'plan')).toEqual([])
  })

  it('ends at the first wish of root when there is an administrator by then', async () => {
    test = await testPanel(open)
    await test.root('POST', '/api/v1/users', { ...admin, role: 'system_admin' })
    await test.root('POST', '/api/v1/packages', { name: 'basic' })

    expect((await test.root('POST', '/api/v1/tenants', { name: 'bakery', package: 'basic' })).status).toBe(202)

    expect(test.machine.setupOpen).toBe(false)
  })

  it('makes the first administrator and the default package, and is closed for ever', async () => {
    test = await testPanel(open)
    const browser = test.browser()
    expect((await browser.form('/bootstrap', { password: 'root-password', code: setupCode })).status).toBe(303)
    expect((await browser.ask({ path: '/bootstrap' })).text).toBe('setup true')
    const rootCookie = browser.cookie

    expect((await browser.form('/bootstrap/admin', first)).status).toBe(303)

    expect((await browser.ask({ path: '/' })).text).toBe('hello first@example.com')
    expect((await browser.ask({ path: '/bootstrap' })).status).toBe(404)
    expect((await browser.form('/bootstrap', { password: 'root-password', code: setupCode })).status).toBe(404)
    const late = test.browser()
    late.cookie = rootCookie
    expect((await late.form('/bootstrap/admin', { ...first, email: 'second@example.com' })).status).toBe(404)
    expect((await browser.call('GET', '/api/v1/packages')).json().items).toMatchObject([
      { name: 'default', isDefault: true },
    ])
    expect(test.machine.setupOpen).toBe(false)
    expect(await auditOf('auth.bootstrap')).toMatchObject([{ actor: 'first@example.com', outcome: 'ok' }])
  })

  it('never shows or stores the password of root', async () => {
    test = await testPanel(open)
    const browser = test.browser()
    await browser.form('/bootstrap', { password: 'root-password', code: setupCode })
    await browser.form('/bootstrap/admin', first)

    const kept = JSON.stringify([test.log, (await test.root('GET', '/api/v1/audit')).json(), await storedSessions()])
    expect(kept).not.toContain('root-password')
    expect(kept).not.toContain(first.password)
  })

  it('refuses a wrong password of root, and more after five', async () => {
    test = await testPanel(open)
    const browser = test.browser()

    const statuses: number[] = []
    for (let tries = 0; tries < 6; tries++)
      statuses.push((await browser.form('/bootstrap', { password: `wrong ${tries}`, code: setupCode })).status)

    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
    expect(test.machine.heard.filter(({ t }) => t === 'verify_root')).toHaveLength(5)
    expect((await browser.ask({ path: '/bootstrap' })).text).toBe('setup false')
  })

  it('asks the root side nothing more than the code of an address that does not count', async () => {
    test = await testPanel(open)
    const browser = test.browser()
    const refused = await browser.form('/bootstrap', { password: 'root-password', code: 'another' })

    expect(refused.status).toBe(401)
    expect(refused.text).toContain('wcp setup open')
    expect((await browser.form('/bootstrap', { password: 'root-password' })).status).toBe(401)
    expect((await browser.ask({ path: '/bootstrap' })).text).toBe('setup false')
  })

  it('lets nobody create an administrator without root', async () => {
    test = await testPanel(open)

    expect((await test.browser().form('/bootstrap/admin', first)).status).toBe(401)
  })

  it.each([
    ['a short password', { ...first, password: 'short' }, 'password'],
    ['a password that is tried first', { ...first, password: 'password1234' }, 'password'],
    ['the address as password', { ...first, password: first.email }, 'password'],
    ['no address', { ...first, email: 'nobody' }, 'email'],
    ['a role', { ...first, role: 'system_admin' }, 'role'],
  ])('names the field that is wrong: %s', async (_, fields, field) => {
    test = await testPanel(open)
    const browser = test.browser()
    await browser.form('/bootstrap', { password: 'root-password', code: setupCode })

    const answer = await browser.form('/bootstrap/admin', fields)

    expect(answer.status).toBe(422)
    expect(answer.json().fields?.map((one) => one.field)).toContain(field)
    expect(test.machine.setupOpen).toBe(true)
  })

  it('creates one administrator when two are sent at once', async () => {
    test = await testPanel(open)
    const browser = test.browser()
    await browser.form('/bootstrap', { password: 'root-password', code: setupCode })
    const token = await browser.token()
    const send = (email: string) => browser.form('/bootstrap/admin', { ...first, email, _csrf: token })

    const answers = await Promise.all([send('one@example.com'), send('two@example.com')])

    expect(answers.map(({ status }) => status).sort()).not.toEqual([303, 303])
    expect((await test.root('GET', '/api/v1/users')).json().items).toHaveLength(1)
  })

  it('stays closed with an empty store when the agent says so', async () => {
    test = await testPanel()
    const browser = test.browser()

    expect((await browser.ask({ path: '/login' })).text).toBe('login lost')
    expect((await browser.ask({ path: '/bootstrap' })).status).toBe(404)
    expect((await browser.form('/bootstrap', { password: 'root-password', code: setupCode })).status).toBe(404)
    expect(test.machine.heard.filter(({ t }) => t === 'verify_root')).toEqual([])
  })

  it('is closed at the next connection when the agent was away at the end', async () => {
    test = await testPanel(open)
    await test.root('POST', '/api/v1/users', { ...admin, role: 'system_admin' })
    expect((await test.browser().ask({ path: '/bootstrap' })).status).toBe(404)
    await test.agent.hangUp()

    await test.dial()

    await until(() => !test.machine.setupOpen)
  })

  it('does not guess before the agent has told', async () => {
    test = await testPanel({ ...open, withoutAgent: true })

    expect((await test.browser().ask({ path: '/bootstrap' })).status).toBe(503)
    expect((await test.browser().ask({ path: '/login' })).text).toBe('login unknown')
  })
})
