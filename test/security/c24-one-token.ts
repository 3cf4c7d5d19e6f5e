/** What may be used once, by many at once: a link, a code, a recovery code, at the sign-in and as the fresh proof. */
import { totpCode, totpStep } from '../../src/resources/totp/code.ts'
import type { Answer } from '../operations/support/client.ts'
import { fromBase32 } from '../support/base32.ts'
import type { PanelBrowser } from './panel-browser.ts'
import { password, type Stage } from './stage.ts'
import type { Tally } from './tally.ts'

const email = 'once@example.com'
/** Each from a network of its own, so that no limit of the throttle lets only one of them through. */
const linksAtOnce = 50
/** As often as a challenge may be tried. */
const triesEach = 5
const challenges = 5

export async function oneToken(stage: Stage, tally: Tally): Promise<void> {
  const invited = await stage.root('POST', '/users/invite', { email, role: 'user', tenant: 'butcher' })
  await oneLink(stage, tally, 'an invitation', String(invited.json().link))
  const reset = await stage.root('POST', `/users/${email}/reset-link`)
  await oneLink(stage, tally, 'a link to a new password', String(reset.json().link))
  await stage.root('PATCH', `/users/${email}`, { password })

  const { secret, recoveryCodes } = await enrolled(stage)
  const step = totpStep(Date.now())
  await oneCode(stage, tally, 'a code', totpCode(secret, step))
  await oneCode(stage, tally, 'a recovery code', String(recoveryCodes[0]))
  await oneProof(stage, tally, String(recoveryCodes[1]), () =>
    totpCode(secret, Math.max(step + 1, totpStep(Date.now()))),
  )
  await stage.root('DELETE', `/users/${email}`)
}

/** Each wants another password: one of them is it afterwards. */
async function oneLink(stage: Stage, tally: Tally, what: string, link: string): Promise<void> {
  const token = new URL(link).pathname.split('/').at(-1) ?? ''
  const wished = (index: number) => `battery staple number ${index}`
  const browsers = await Promise.all(Array.from({ length: linksAtOnce }, (_, index) => ready(stage, index)))
  const answers = await Promise.all(
    browsers.map((browser, index) => browser.form('/link', { token, password: wished(index), repeat: wished(index) })),
  )
  const won = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []))
  tally.same(won.length, 1, `${what}, ${linksAtOnce} times at once`)
  tally.held(
    answers.every(({ status }) => [200, 404, 429].includes(status)),
    `${what}: ${[...new Set(answers.map(({ status }) => status))]}`,
  )
  const { status } = await stage.browser('127.24.250.1').signIn(email, wished(won[0] ?? 0))
  tally.same(status, 303, `${what}: the password of the one that was let through`)
}

/** Several sign-ins have come as far as the code, and all show the same. */
async function oneCode(stage: Stage, tally: Tally, what: string, code: string): Promise<void> {
  const waiting = await Promise.all(Array.from({ length: challenges }, (_, index) => atTheCode(stage, index)))
  const all = waiting.flatMap((browser, index) => same(stage, browser, triesEach, index * triesEach))
  const answers = await Promise.all(all.map((browser) => browser.form('/login/code', { code, next: '/account' })))
  tally.same(answers.filter(ledTo('/account')).length, 1, `${what}, ${all.length} times at once`)
}

async function oneProof(stage: Stage, tally: Tally, recoveryCode: string, code: () => string): Promise<void> {
  const browser = await atTheCode(stage, 0)
  await browser.form('/login/code', { code: recoveryCode, next: '/' })
  await browser.token()
  const all = same(stage, browser, challenges * triesEach, 0)
  const shown = code()
  const answers = await Promise.all(all.map((one) => one.form('/confirm', { code: shown, next: '/account' })))
  tally.same(answers.filter(ledTo('/account')).length, 1, `a code as the fresh proof, ${all.length} times at once`)
}

const ledTo =
  (path: string) =>
  ({ status, headers }: Answer) =>
    status === 303 && headers.location === path

async function ready(stage: Stage, index: number): Promise<PanelBrowser> {
  const browser = stage.browser(`127.24.${index}.1`)
  await browser.token()
  return browser
}

async function atTheCode(stage: Stage, index: number): Promise<PanelBrowser> {
  const browser = await stage.signedIn(email, `127.24.${100 + index}.1`)
  await browser.token()
  return browser
}

/** The same cookie and token, from so many networks. */
function same(stage: Stage, browser: PanelBrowser, count: number, from: number): readonly PanelBrowser[] {
  return Array.from({ length: count }, (_, index) => stage.browser(`127.24.${from + index}.1`).goOn(browser))
}

async function enrolled(stage: Stage): Promise<{ secret: Buffer; recoveryCodes: readonly unknown[] }> {
  const browser = await stage.signedIn(email, '127.24.251.1')
  const path = `/api/v1/users/${email}/totp`
  const secret = fromBase32(String((await browser.call('POST', path)).json().secret))
  const code = totpCode(secret, totpStep(Date.now()) - 1)
  const { recoveryCodes } = (await browser.call('POST', `${path}/confirm`, { code })).json()
  return { secret, recoveryCodes: recoveryCodes as readonly unknown[] }
}
