/** Second factors, step-up and policies, through the panel's own doors. */
import { afterEach, describe, expect, it } from 'vitest'
import { totpCode, totpStep } from '../../src/resources/totp/code.ts'
import { fromBase32 } from '../support/base32.ts'
import type { Browser } from './support/client.ts'
import { password, type TestPanel, testPanel } from './support/test-panel.ts'

let test: TestPanel

afterEach(() => test.stop())

const email = 'ann@example.com'
const totpPath = `/api/v1/users/${email}/totp`

async function start(): Promise<void> {
  test = await testPanel()
  await test.root('POST', '/api/v1/packages', { name: 'default' })
  await test.root('POST', '/api/v1/users', { email, password, role: 'system_admin' })
}

async function signedIn(address = email): Promise<Browser> {
  const browser = test.browser()
  expect((await browser.signIn(address, password)).status).toBe(303)
  return browser
}

/** The code of a step from now on; each can be used once, so a test that signs in again takes the next one. */
const code = (secret: Buffer, steps = 0) => totpCode(secret, totpStep(Date.now()) + steps)

async function enrol(): Promise<{ secret: Buffer; recoveryCodes: string[] }> {
  const browser = await signedIn()
  const { secret: text } = (await browser.call('POST', totpPath)).json()
  const secret = fromBase32(String(text))
  const answer = await browser.call('POST', `${totpPath}/confirm`, { code: code(secret, -1) })
  expect(answer.status).toBe(200)
  return { secret, recoveryCodes: answer.json().recoveryCodes as string[] }
}

async function half(): Promise<Browser> {
  const browser = test.browser()
  expect((await browser.signIn(email, password)).headers.location).toBe('/login/code')
  return browser
}

const isIn = async (browser: Browser) => (await browser.ask({ path: '/' })).status === 200
const age = (minutes: number) =>
  test.panel.db
    .updateTable('sessions')
    .set({ confirmed_at: new Date(Date.now() - minutes * 60_000).toISOString() })
    .execute()
const audited = async (action: string) => (await test.root('GET', `/api/v1/audit?action=${action}`)).json().items ?? []

describe('an authenticator app', () => {
  it('signs everybody out who is signed in, and is asked for from then on', async () => {
    await start()
    const before = await signedIn()
    const { secret } = await enrol()
    expect(await isIn(before)).toBe(false)

    const browser = await half()
    expect(await isIn(browser)).toBe(false)
    const old = browser.cookie
    const answer = await browser.form('/login/code', { code: code(secret) })

    expect([answer.status, await isIn(browser)]).toEqual([303, true])
    expect(browser.cookie).not.toBe(old)
    expect((await browser.call('GET', '/api/v1/sessions')).json().items).toMatchObject([{ factor: 'totp' }])
  })

  it('is asked for before somebody reads that the account is suspended', async () => {
    await start()
    const { secret } = await enrol()
    await test.root('POST', '/api/v1/users', { email: 'bob@example.com', password, role: 'system_admin' })
    await test.root('POST', `/api/v1/users/${email}/suspend`, { note: 'On leave.' })
    const browser = await half()

    const wrong = await browser.form('/login/code', { code: '000000' })
    const right = await browser.form('/login/code', { code: code(secret) })

    expect([wrong.status, wrong.json().title]).toEqual([401, 'Cannot sign in: the code is wrong'])
    expect([right.status, right.json().title]).toEqual([401, 'Cannot sign in: this account is suspended'])
    expect(right.json().help).toContain('On leave.')
    expect([await isIn(browser), (await browser.form('/login/code', { code: code(secret, 1) })).json().title]).toEqual([
      false,
      'Cannot accept the code: this sign-in is over',
    ])
  })

  it('lets one of twenty in who come with the same code at once', async () => {
    await start()
    const { secret } = await enrol()
    const browsers: Browser[] = []
    while (browsers.length < 20) browsers.push(await half()) // at once, the throttle of passwords would refuse some
    const present = code(secret)

    const answers = await Promise.all(browsers.map((browser) => browser.form('/login/code', { code: present })))

    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303, 401, 429]))
  })

  it('does not take a code twice, nor one that confirmed it', async () => {
    await start()
    const { secret } = await enrol()
    const used = code(secret)
    await (await half()).form('/login/code', { code: used })

    expect((await (await half()).form('/login/code', { code: used })).status).toBe(401)
    expect((await (await half()).form('/login/code', { code: code(secret, -1) })).status).toBe(401)
  })

  it('gives five tries for one password, and the right code comes too late after them', async () => {
    await start()
    const { secret } = await enrol()
    const browser = await half()

    const answers = []
    for (let tries = 0; tries < 5; tries++) answers.push(await browser.form('/login/code', { code: '000000' }))
    const late = await browser.form('/login/code', { code: code(secret) })

    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(401))
    expect([late.status, await isIn(browser)]).toEqual([401, false])
    expect(late.json().title).toMatch(/this sign-in is over/)
    expect(await audited('auth.code')).toHaveLength(5)
  })

  it('can be replaced by each recovery code, once', async () => {
    await start()
    const { recoveryCodes } = await enrol()
    expect(new Set(recoveryCodes).size).toBe(10)

    const [first = ''] = recoveryCodes
    const answers = await Promise.all(
      (await Promise.all([half(), half(), half()])).map((one) =>
        one.form('/login/code', { code: first.toUpperCase() }),
      ),
    )

    expect(answers.map(({ status }) => status).sort()).toEqual([303, 401, 401])
    expect((await test.root('GET', totpPath)).json()).toMatchObject({ state: 'on', recoveryCodesLeft: 9 })
  })

  it('keeps nothing readable in the store, the trail and the log', async () => {
    await start()
    const { secret, recoveryCodes } = await enrol()
    const { db } = test.panel
    const kept = JSON.stringify([
      await db.selectFrom('totp_factors').selectAll().execute(),
      await db.selectFrom('recovery_codes').selectAll().execute(),
      await db.selectFrom('audit_logs').selectAll().execute(),
      test.log,
    ])

    for (const canary of [secret.toString('hex'), secret.toString('base64url'), ...recoveryCodes])
      expect(kept).not.toContain(canary)
  })

  it('is taken away by an administrator, and then the password alone will do', async () => {
    await start()
    await enrol()
    await test.root('POST', '/api/v1/users', { email: 'bob@example.com', password, role: 'system_admin' })
    const bob = await signedIn('bob@example.com')

    expect((await bob.call('DELETE', totpPath)).status).toBe(200)

    expect(await isIn(await signedIn())).toBe(true)
    expect((await test.root('GET', totpPath)).json()).toMatchObject({ state: 'off', recoveryCodesLeft: 0 })
  })

  it('shows its secret to nobody but its owner', async () => {
    await start()
    await test.root('POST', '/api/v1/users', { email: 'bob@example.com', password, role: 'system_admin' })
    const bob = await signedIn('bob@example.com')

    expect((await bob.call('POST', totpPath)).status).toBe(403)
    expect((await test.root('POST', totpPath)).status).toBe(403)
  })

  it('ends a begun sign-in when the password is changed meanwhile', async () => {
    await start()
    const { secret } = await enrol()
    const browser = await half()

    await test.root('PATCH', `/api/v1/users/${email}`, { password: 'another long password' })

    expect((await browser.form('/login/code', { code: code(secret) })).status).toBe(401)
  })
})

describe('a dangerous operation', () => {
  it('asks again for the password ten minutes after it was shown, and the cookie changes', async () => {
    await start()
    const { id } = (await test.root('POST', '/api/v1/packages', { name: 'old' })).json()
    const browser = await signedIn()
    await age(11)

    const refused = await browser.call('DELETE', `/api/v1/packages/${id}`)
    const harmless = await browser.call('PATCH', `/api/v1/packages/${id}`, { description: 'x' })
    const before = browser.cookie
    const wrong = await browser.form('/confirm', { password: 'wrong' })
    const confirmed = await browser.form('/confirm', { password })

    expect([refused.status, refused.json().code, harmless.status]).toEqual([403, 'step_up_needed', 200])
    expect([wrong.status, confirmed.status]).toEqual([401, 200])
    expect(browser.cookie).not.toBe(before)
    expect((await browser.call('DELETE', `/api/v1/packages/${id}`)).status).toBe(200)
    const old = test.browser()
    old.cookie = before
    expect(await isIn(old)).toBe(false)
    expect(await audited('auth.confirm')).toMatchObject([{ outcome: 'ok' }, { outcome: 'refused' }])
  })

  it('takes a code of the app as well, and needs nothing of root', async () => {
    await start()
    const { secret } = await enrol()
    const browser = await half()
    const used = code(secret)
    await browser.form('/login/code', { code: used })
    const { id } = (await test.root('POST', '/api/v1/packages', { name: 'old' })).json()
    await age(11)

    expect((await browser.form('/confirm', { code: used })).status).toBe(401)
    expect((await browser.form('/confirm', { code: code(secret, 1) })).status).toBe(200)

    expect((await browser.call('DELETE', `/api/v1/packages/${id}`)).status).toBe(200)
    expect((await test.root('POST', `/api/v1/packages/${id}/restore`)).status).toBe(200)
    expect((await test.root('DELETE', `/api/v1/packages/${id}`)).status).toBe(200)
  })

  it('cannot be reached by guessing at its question', async () => {
    await start()
    const browser = await signedIn()
    for (let tries = 0; tries < 5; tries++) await browser.form('/confirm', { password: 'wrong' })

    expect((await browser.form('/confirm', { password })).status).toBe(429)
  })
})

describe('a policy', () => {
  const require = (role: string) => test.root('PATCH', `/api/v1/policies/${role}`, { secondFactor: 'required' })

  it('lets who has no second factor do nothing but set one up, from the next request on', async () => {
    await start()
    const browser = await signedIn()
    expect((await require('system_admin')).status).toBe(200)

    const page = await browser.ask({ path: '/' })
    const call = await browser.call('GET', '/api/v1/users')
    const { secret: text } = (await browser.call('POST', totpPath)).json()
    const secret = fromBase32(String(text))
    expect((await browser.call('POST', `${totpPath}/confirm`, { code: code(secret, -1) })).status).toBe(200)

    expect([page.status, page.headers.location]).toEqual([303, '/account/second-factor'])
    expect([call.status, call.json().code]).toEqual([403, 'second_factor_needed'])
    const again = await half()
    await again.form('/login/code', { code: code(secret) })
    expect((await again.call('GET', '/api/v1/users')).status).toBe(200)
  })

  it('gives who owes a second factor no power over that of others', async () => {
    await start()
    await enrol()
    await test.root('POST', '/api/v1/users', { email: 'bob@example.com', password, role: 'system_admin' })
    const bob = await signedIn('bob@example.com')
    await require('system_admin')

    expect((await bob.call('DELETE', totpPath)).json().code).toBe('second_factor_needed')
    expect((await bob.call('GET', '/api/v1/sessions')).json().code).toBe('second_factor_needed')
  })

  it('asks for no certificate, and nobody registers one, where no port asks for it', async () => {
    await start()
    const browser = await signedIn()
    const body = { name: 'laptop', certificate: 'a certificate' }

    const answers = [
      await browser.call('POST', `/api/v1/users/${email}/client-certificates`, body),
      await test.root('PATCH', '/api/v1/policies/system_admin', { secondFactor: 'certificate' }),
    ]

    for (const answer of answers)
      expect([answer.status, answer.json().help]).toEqual([409, expect.stringMatching(/certificate_port/)])
    expect(await isIn(browser)).toBe(true)
  })

  it('of another role changes nothing', async () => {
    await start()
    const browser = await signedIn()
    await require('user')

    expect(await isIn(browser)).toBe(true)
    expect((await test.root('PATCH', '/api/v1/policies/nobody', { secondFactor: 'required' })).status).toBe(404)
  })
})
