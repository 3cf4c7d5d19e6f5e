/** Pages in words that are longer, and from right to left: nothing is cut, nothing overflows, commands stay as they are. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { pseudoWords, ways } from '../../dev/pseudo-words.ts'
import { english } from '../../src/resources/index.ts'
import { rootPassword, setupPath } from './agent-peer.ts'
import { launchChromium } from './chromium.ts'
import { admin, startTestPanel, type TestPanel } from './panel.ts'

const screenshots = join(import.meta.dirname, 'screenshots')
const axeScript = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const AxeResult = z.object({
  violations: z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
})

const dresses = [
  { width: 1440, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
  { width: 320, colorScheme: 'light' },
] as const

const visited = [
  ...['/', '/account', '/tenants', '/tenants?search=nothing', '/tenants/bakery', '/tenants/bakery/usage', '/domains'],
  ...['/domains/bakery.example.net', '/domains/bakery.example.net/names', '/domains/bakery.example.net/settings'],
  ...['/packages/default', '/users', `/users/${admin.email}`, '/roles', '/resellers', '/trash', '/jobs', '/audit'],
  ...['/conditions', '/settings', '/webhooks', '/search?q=zzzz', '/terminal', '/account/second-factor', '/nowhere'],
  ...[
    '/do/tenant.sell',
    '/do/tenant.create',
    '/do/tenant.delete?tenant=bakery',
    '/do/package.create',
    '/do/role.create',
  ],
  ...['/do/user.create', '/do/domain.create', `/do/display.update?user=${encodeURIComponent(admin.email)}`],
]

/** Words that are cut off, and neither scrolled to nor meant for readers of the screen alone. */
const cutOff = `[...document.querySelectorAll('body *')].filter((one) => {
  const { overflowX, overflowY, position, width, display } = getComputedStyle(one)
  if (display === 'inline' || width === '1px' || ['INPUT', 'SELECT', 'TEXTAREA', 'svg'].includes(one.tagName)) return false
  const isWide = overflowX === 'hidden' && one.scrollWidth > one.clientWidth + 1
  const isHigh = overflowY === 'hidden' && one.scrollHeight > one.clientHeight + 1
  return (isWide || isHigh) && position !== 'fixed' && one.textContent.trim() !== ''
}).map((one) => one.outerHTML.slice(0, 160))`

/** What makes the page scroll sideways. A table scrolls by itself. */
const tooWide = `(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth ? [] : [scrollWidth - clientWidth].concat(
  [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > clientWidth && one.closest('.table-wrap') === null)
    .map((one) => one.outerHTML.slice(0, 160))))(document.documentElement)`

/** What is typed into a terminal as it stands there. */
const turnedCode = `[...document.querySelectorAll('code, pre, kbd, samp')]
  .filter((one) => getComputedStyle(one).direction !== 'ltr').map((one) => one.outerHTML.slice(0, 160))`

describe.each(ways)('pages in words that are %s', (way) => {
  let panel: TestPanel
  let browser: Browser
  const open: { page: Page; dress: (typeof dresses)[number] }[] = []

  beforeAll(async () => {
    panel = await startTestPanel({ stepMs: 20, texts: pseudoWords(english, way) })
    browser = await launchChromium()
    const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: panel.url })
    await setUp(await context.newPage())
    const storageState = await context.storageState()
    for (const dress of dresses) {
      const { width, colorScheme } = dress
      const viewport = { width, height: 844 }
      const options = {
        ignoreHTTPSErrors: true,
        baseURL: panel.url,
        storageState,
        viewport,
        colorScheme,
        bypassCSP: true,
      }
      const page = await (await browser.newContext(options)).newPage()
      await withoutSandbox(page)
      open.push({ page, dress })
    }
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await panel?.close()
  })

  it.each(visited)('are whole: %s', async (path) => {
    await Promise.all(
      open.map(async ({ page, dress }) => {
        const at = `${dress.width} ${dress.colorScheme}`
        await page.goto(path)
        expect(await page.evaluate('document.documentElement.dir'), at).toBe(way === 'rtl' ? 'rtl' : 'ltr')
        if (process.env.WCP_SCREENSHOTS === 'yes') await keepPicture(page, `${way}-${at}-${path}`)
        expect(await page.evaluate(tooWide), at).toEqual([])
        expect(await page.evaluate(cutOff), at).toEqual([])
        expect(await page.evaluate(turnedCode), at).toEqual([])
        // one width of each colours: axe takes most of the time
        if (dress.width > 320) expect(await violations(page), at).toEqual([])
      }),
    )
  })
})

/** By the names of fields, since the labels are not to be read. */
async function setUp(page: Page): Promise<void> {
  const send = async (path: string, fields: Readonly<Record<string, string>>) => {
    await page.goto(path)
    for (const [name, value] of Object.entries(fields)) await page.locator(`main [name="${name}"]`).fill(value)
    await page.locator('main form button[type=submit]').first().click()
  }
  await send(setupPath, { password: rootPassword })
  await page.locator('#f-repeat').waitFor()
  await send('/bootstrap', { email: admin.email, password: admin.password, repeat: admin.password })
  await page.locator('nav.menu').waitFor()
  await send('/do/tenant.create', { name: 'bakery', domain: 'bakery.example.net' })
  await page.locator('.job-end.note-good').waitFor()
  await send('/do/webhook.create', { name: 'ops', url: 'https://127.0.0.1/hook' })
}

async function keepPicture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(screenshots, `${name.replaceAll(/\W+/g, '-')}.png`), fullPage: true })
}

/** The pages may run no script at all, axe is one: only for it the policy is taken off the document. */
async function withoutSandbox(page: Page): Promise<void> {
  await page.route('**/*', async (route) => {
    if (route.request().resourceType() !== 'document') return route.continue()
    const response = await route.fetch({ maxRetries: 3 })
    const headers = response.headers()
    delete headers['content-security-policy']
    return route.fulfill({ response, headers })
  })
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axeScript)
  const run = "axe.run({ rules: { 'target-size': { enabled: true } }, resultTypes: ['violations'] })"
  const { violations } = AxeResult.parse(await page.evaluate(run))
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`)
}
