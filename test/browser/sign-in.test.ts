/** Signing in as people see it: second factor, fresh proof, links and mails, in light and dark, wide and narrow, without a script. */
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { totpCode, totpStep } from '../../src/resources/totp/code.ts'
import { ask } from '../operations/support/client.ts'
import { fromBase32 } from '../support/base32.ts'
import { launchChromium } from './chromium.ts'
import { admin, startTestPanel, type TestPanel } from './panel.ts'

const screenshots = join(import.meta.dirname, 'screenshots')
const axeScript = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const AxeResult = z.object({ violations: z.array(z.object({ id: z.string() })) })

let panel: TestPanel
let browser: Browser
let page: Page

const root = (method: string, path: string, body?: unknown) =>
  ask({ socketPath: join(panel.directory, 'cli.sock') }, { method, path, ...(body !== undefined && { body }) })

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true })
  panel = await startTestPanel()
  browser = await launchChromium()
  const made = await root('POST', '/api/v1/users', { ...admin, role: 'system_admin' })
  expect(made.status).toBe(201)
  await root('POST', '/api/v1/packages', { name: 'basic' })
  // Axe runs beside the page's own rules; the pages themselves are watched for scripts elsewhere.
  page = await (await browser.newContext({ ignoreHTTPSErrors: true, baseURL: panel.url, bypassCSP: true })).newPage()
  page.setDefaultTimeout(10_000)
})

afterAll(async () => {
  await browser?.close()
  await panel?.close()
})

/** In every dress: no accessibility fault, no script, nothing that hangs over the edge. */
async function inspect(name: string): Promise<void> {
  expect(await page.locator('script').count()).toBe(0)
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 800 })
      await page.screenshot({ path: join(screenshots, `sign-in-${name}-${colorScheme}-${width}.png`), fullPage: true })
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
      await page.evaluate(axeScript)
      const { violations } = AxeResult.parse(await page.evaluate('axe.run()'))
      expect([name, colorScheme, width, violations.map(({ id }) => id)]).toEqual([name, colorScheme, width, []])
    }
}

async function signIn(): Promise<void> {
  await page.goto('/login')
  await page.getByLabel('E-mail').fill(admin.email)
  await page.getByLabel('Password').fill(admin.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

describe('signing in', () => {
  let secret: Buffer

  it('says what to do about a forgotten password', async () => {
    await page.goto('/login')
    await inspect('login')
    await page.getByRole('link', { name: 'Forgotten the password?' }).click()
    await page.getByRole('heading', { name: 'A new password' }).waitFor()
    await inspect('forgot')
  })

  it('sets up an app from a picture, and shows recovery codes once', async () => {
    await signIn()
    await page.goto('/account')
    await inspect('account')
    await page.getByRole('link', { name: 'Register a certificate' }).click()
    await inspect('certificates')
    await page.goBack()
    await page.getByRole('link', { name: 'Manage your app' }).click()
    await inspect('factor-off')
    await page.getByRole('button', { name: 'Set up an app' }).click()
    await page.getByRole('img', { name: 'QR code' }).waitFor()
    await inspect('factor-scan')
    secret = fromBase32((await page.locator('main code').first().textContent()) ?? '')
    await page.getByLabel('Code', { exact: true }).fill('000000')
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.getByRole('alert').waitFor()
    await inspect('factor-wrong')
    await page.getByLabel('Code', { exact: true }).fill(totpCode(secret, totpStep(Date.now()) - 1))
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.getByRole('heading', { name: 'Recovery codes' }).waitFor()
    expect(await page.locator('.codes li').count()).toBe(10)
    await inspect('factor-codes')
  })

  it('asks for the code after the password', async () => {
    await signIn()
    await page.getByRole('heading', { name: 'The code of your app' }).waitFor()
    await inspect('code')
    await page.getByLabel('Code or recovery code').fill(totpCode(secret, totpStep(Date.now())))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'web1.example.com' }).waitFor()
    await page.goto('/account/second-factor')
    await inspect('factor-on')
    await page.goto('/settings')
    await page.getByRole('heading', { name: 'Signing in' }).waitFor()
    await inspect('settings')
  })

  it('invites somebody by a link that is shown once, and lists what was mailed', async () => {
    await page.goto('/do/user.invite')
    await page.getByLabel('E-mail').fill('guest@example.com')
    await page.getByLabel('Role').selectOption('system_admin')
    await page.getByRole('button', { name: 'Invite' }).click()
    const link = (await page.locator('.codes code').textContent()) ?? ''
    await inspect('invited')
    await page.goto('/mails')
    await inspect('mails')
    await page.goto('/users/guest@example.com')
    await inspect('user')

    await page.goto(new URL(link).pathname)
    await page.getByRole('heading', { name: 'Choose a password' }).waitFor()
    await inspect('link')
    await page.goto(`/link/${'A'.repeat(43)}`)
    await page.getByRole('heading', { name: 'This link leads nowhere' }).waitFor()
  })

  it('asks again before something dangerous, and goes on where one was', async () => {
    await page.goto('/confirm?next=%2Fdo%2Fpackage.delete%3Fpackage%3Dbasic')
    await inspect('confirm')
    await page.getByLabel('Password').fill(admin.password)
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.getByRole('heading', { name: 'Delete plan basic' }).waitFor()
  })
})
