/** Sign-ins with a client certificate, and what the trail says of them. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { totpCode, totpStep } from '../../src/resources/totp/code.ts'
import { fromBase32 } from '../support/base32.ts'
import { localCertificate } from '../support/local-certificate.ts'
import { Browser, type Pair } from './support/client.ts'
import { password, type TestPanel, testPanel } from './support/test-panel.ts'

const email = 'ann@example.com'
const [own, strange] = [localCertificate(), localCertificate()]
let test: TestPanel
let certificate: string
const recoveryCodes: string[] = []

/** Who has shown this certificate, at the port that asks for one. */
const visitor = (tls: true | Pair) => new Browser({ port: test.panel.certificatePort ?? 0, tls })
const isIn = async (browser: Browser) => (await browser.ask({ path: '/' })).text === `hello ${email}`
const newest = async (action: string) =>
  (await test.root('GET', `/api/v1/audit?limit=1&action=${action}`)).json().items?.[0]

beforeAll(async () => {
  test = await testPanel({ tls: localCertificate(), hasCertificatePort: true })
  await test.root('POST', '/api/v1/packages', { name: 'default' })
  await test.root('POST', '/api/v1/users', { email, password, role: 'system_admin' })
  await test.root('POST', '/api/v1/resellers', { email: 'seller@example.com', password })
  const app = visitor(true)
  await app.signIn(email, password)
  const secret = fromBase32(String((await app.call('POST', `/api/v1/users/${email}/totp`)).json().secret))
  const code = totpCode(secret, totpStep(Date.now()) - 1)
  const confirmed = await app.call('POST', `/api/v1/users/${email}/totp/confirm`, { code })
  recoveryCodes.push(...(confirmed.json().recoveryCodes as string[]))

  const first = visitor(own)
  await first.signIn(email, password)
  expect((await first.form('/login/code', { code: totpCode(secret, totpStep(Date.now())) })).status).toBe(303)
  const body = { name: 'laptop', certificate: own.cert }
  const made = await first.call('POST', `/api/v1/users/${email}/client-certificates`, body)
  expect(made.status).toBe(201)
  certificate = String(made.json().id)
})
afterAll(() => test.stop())

it('one that is shown is the second factor: no code is asked for, and the trail names it', async () => {
  const owner = visitor(own)

  expect((await owner.signIn(email, password)).headers.location).toBe('/')

  expect(await isIn(owner)).toBe(true)
  expect(await newest('auth.login')).toMatchObject({
    ...{ actor: email, outcome: 'ok' },
    metadata: { factor: 'certificate', certificate },
  })
})

it.each<[string, () => true | Pair]>([
  ['none', () => true],
  ['that of somebody else', () => strange],
])('with %s a code is asked for, and the trail names no certificate', async (_, tls) => {
  const other = visitor(tls())
  expect((await other.signIn(email, password)).headers.location).toBe('/login/code')
  expect(await isIn(other)).toBe(false)
  expect((await other.form('/login/code', { code: '' })).status).toBe(401)

  expect((await other.form('/login/code', { code: recoveryCodes.pop() ?? '' })).status).toBe(303)

  expect(await isIn(other)).toBe(true)
  expect((await newest('auth.login'))?.metadata).toEqual({ factor: 'recovery' })
})

it('acting as another and back keeps what was shown', async () => {
  const owner = visitor(own)
  await owner.signIn(email, password)
  expect((await owner.call('POST', '/api/v1/users/seller@example.com/impersonate')).status).toBe(200)
  const thief = visitor(true)
  thief.cookie = owner.cookie
  expect((await thief.ask({ path: '/' })).status).toBe(303)
  expect((await owner.form('/impersonation/end', {})).status).toBe(303)
  thief.cookie = owner.cookie
  expect((await thief.ask({ path: '/' })).status).toBe(303)
  expect(await isIn(owner)).toBe(true)
})
