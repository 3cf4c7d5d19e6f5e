/** What people see: the way from an unset server to a deleted tenant, then every page in every dress. */
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rootPassword, setupPath } from './agent-peer.ts'
import { launchChromium } from './chromium.ts'
import { admin, startTestPanel, type TestPanel } from './panel.ts'

const screenshots = join(import.meta.dirname, 'screenshots')
const axeScript = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const AxeResult = z.object({
  violations: z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
})

let panel: TestPanel
let browser: Browser
/** Session of the administrator, for contexts of every kind. */
let session: Awaited<ReturnType<BrowserContext['storageState']>>

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true })
  panel = await startTestPanel()
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await panel?.close()
})

/** Watches for what must never happen on any page. */
function watch(page: Page): string[] {
  const faults: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => faults.push(`page error: ${error.message}`))
  page.on('request', (request) => {
    if (request.resourceType() === 'script' || !request.url().startsWith(panel.url))
      faults.push(`request: ${request.resourceType()} ${request.url()}`)
  })
  return faults
}

async function newPage(options: BrowserContextOptions = {}): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: panel.url, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  return { page, faults: watch(page) }
}

async function look(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true })
}

/** For people to look at, of each page in each dress: nothing is asserted of them, and they take a quarter of the time. */
async function keepPicture(page: Page, name: string): Promise<void> {
  if (process.env.WCP_SCREENSHOTS === 'yes') await look(page, name)
}

describe('from an unset server to a deleted tenant', () => {
  let page: Page
  let faults: string[]

  beforeAll(async () => {
    ;({ page, faults } = await newPage({ javaScriptEnabled: false }))
  })

  it('leads every visitor to the setup, and asks for root first', async () => {
    await page.goto('/tenants')
    expect(new URL(page.url()).pathname).toBe('/bootstrap')
    expect(await page.getByLabel('Password of root').count()).toBe(0)
    await page.getByText('wcp setup open').waitFor()

    await page.goto(setupPath)
    await page.getByLabel('Password of root').fill('not it')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('alert').waitFor()
    await look(page, 'walk-1-root-refused')
    expect(faults.splice(0)).toEqual([expect.stringContaining('status of 401')])

    await page.getByLabel('Password of root').fill(rootPassword)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('heading', { name: 'The first administrator' }).waitFor()
    await look(page, 'walk-2-first-admin')
  })

  it('makes the first administrator and closes the setup', async () => {
    await page.getByLabel('E-mail').fill(admin.email)
    await page.getByLabel('Password', { exact: true }).fill('short')
    await page.getByLabel('Password again').fill('short')
    await page.getByRole('button', { name: 'Create administrator' }).click()
    await page.getByRole('alert').waitFor()
    expect(await page.getByLabel('E-mail').inputValue()).toBe(admin.email)
    expect(await page.locator('.field-error').count()).toBe(1)
    faults.splice(0)

    await page.getByLabel('Password', { exact: true }).fill(admin.password)
    await page.getByLabel('Password again').fill(admin.password)
    await page.getByRole('button', { name: 'Create administrator' }).click()
    await page.getByRole('heading', { name: 'web1.example.com' }).waitFor()

    expect((await page.goto('/bootstrap'))?.status()).toBe(404)
    faults.splice(0)
  })

  it('signs in again after signing out', async () => {
    await page.goto('/')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('E-mail').fill(admin.email)
    await page.getByLabel('Password').fill('wrong wrong wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    faults.splice(0)
    await page.getByLabel('Password').fill(admin.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'web1.example.com' }).waitFor()
  })

  it('says beside the field what is wrong and keeps what was typed', async () => {
    await page.goto('/do/tenant.create')
    await page.getByLabel('Name', { exact: true }).fill('Not A Name')
    await page.getByLabel('Domain').fill('kept.example.net')
    await page.getByRole('button', { name: 'Create' }).click()

    const name = page.getByLabel('Name', { exact: true })
    expect(await name.getAttribute('aria-invalid')).toBe('true')
    expect(await name.inputValue()).toBe('Not A Name')
    expect(await page.getByLabel('Domain').inputValue()).toBe('kept.example.net')
    const [, error] = ((await name.getAttribute('aria-describedby')) ?? '').split(' ')
    expect(await page.locator(`#${error}`).textContent()).toContain('3 to 24 characters')
    await look(page, 'walk-3-refused')
    expect(faults.splice(0)).toEqual([expect.stringContaining('status of 422')])
  })

  it('shows what would change before it does', async () => {
    await page.getByLabel('Name', { exact: true }).fill('blog')
    await page.getByLabel('Domain').fill('blog.example.net')
    await page.getByRole('button', { name: 'Show what would change' }).click()
    await page.getByRole('heading', { name: 'What would change' }).waitFor()
    expect(await page.locator('.command-line').first().textContent()).toBe(
      'wcp tenant create blog --domain blog.example.net',
    )
    await look(page, 'walk-4-plan')
  })

  it('creates the tenant and shows its job while it runs, without a script', async () => {
    await page.getByRole('button', { name: 'Create', exact: true }).click({ noWaitAfter: true })
    await page.waitForURL(/\/jobs\//, { waitUntil: 'commit' })
    await page.locator('.step-now').first().waitFor({ state: 'attached' })
    expect(await page.locator('.job-end').count()).toBe(0)
    await page.screenshot({ path: join(screenshots, 'walk-5-running.png') })

    await page.locator('.job-end').waitFor()
    expect(await page.locator('.step').allTextContents()).toHaveLength(4)
    expect(await page.locator('.step-end').allTextContents()).toEqual(
      Array.from({ length: 4 }, () => expect.stringContaining('done')),
    )
    await look(page, 'walk-6-succeeded')
    await page.getByRole('link', { name: 'Continue to blog' }).click()
    await page.getByRole('heading', { name: 'blog active' }).waitFor()
    await page.getByRole('link', { name: 'blog.example.net', exact: true }).waitFor()
  })

  it('suspends it after asking', async () => {
    await page.getByRole('link', { name: 'Suspend' }).click()
    await page.getByLabel('Reason').selectOption('unpaid')
    await page.getByLabel('Note').fill('Invoice 7 is open.')
    await page.getByRole('button', { name: 'Suspend' }).click()
    await page.getByText('Suspend this customer?').waitFor()
    await page.getByRole('button', { name: 'Suspend' }).click()
    await page.locator('.job-end.note-good').waitFor()
    await page.goto('/tenants/blog')
    await page.getByRole('heading', { name: 'blog suspended' }).waitFor()
    await page.getByRole('row', { name: /Unpaid.*Invoice 7 is open\..*Staff/ }).waitFor()
  })

  it('tells of a job that failed, and what to do', async () => {
    panel.agent.failing.add('domain.create')
    await page.goto('/do/domain.create?tenant=blog')
    await page.getByLabel('Domain name').fill('broken.example.net')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.locator('.job-end.note-bad').waitFor()
    expect(await page.locator('.job-end').textContent()).toContain('the web server refused it')
    await look(page, 'walk-7-failed')
    panel.agent.failing.clear()
  })

  it('deletes it after asking, and finds it in the trash', async () => {
    await page.goto('/tenants/blog')
    await page.getByRole('link', { name: 'Delete' }).click()
    await page.getByText('Move this customer with all its sites and data to the trash?').waitFor()
    await look(page, 'walk-8-confirm')
    await page.getByRole('button', { name: 'Delete' }).click()
    await page.locator('.job-end.note-good').waitFor()

    await page.goto('/tenants')
    await page.getByRole('heading', { name: 'No customers yet' }).waitFor()
    await page.goto('/tenants?deleted=true')
    await page.getByRole('link', { name: 'blog' }).click()
    await page.getByRole('link', { name: 'Restore' }).waitFor()
  })

  it('runs the same commands in the terminal', async () => {
    await page.goto('/terminal')
    for (const line of [
      'help tenant',
      'tenant create bakery --domain bakery.example.net',
      'tenant list --limit 5',
      'tenant eat',
    ]) {
      await page.getByLabel('Command').fill(line)
      await page.getByRole('button', { name: 'Run' }).click()
    }
    const entries = page.locator('.term-entry')
    expect(await entries.nth(0).textContent()).toContain('tenant create')
    expect(await entries.nth(1).textContent()).toContain('POST /api/v1/tenants')
    expect(await entries.nth(2).textContent()).toContain('bakery')
    expect(await entries.nth(3).textContent()).toContain('knows no "eat"')
    await entries.nth(1).getByRole('link', { name: 'See the job' }).click()
    await page.locator('.job-end.note-good').waitFor()
  })

  it('makes a reseller, a package, a tenant and a user of it, and a role', async () => {
    await page.goto('/do/reseller.create')
    await page.getByLabel('E-mail').fill('seller@example.com')
    await page.getByLabel('Password').fill(admin.password)
    await page.getByLabel('Customers').fill('5')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('heading', { name: 'seller@example.com active' }).waitFor()

    await page.goto('/do/package.create')
    await page.getByLabel('Name', { exact: true }).fill('shop')
    await page.getByRole('combobox', { name: 'Reseller' }).selectOption('seller@example.com')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('heading', { name: 'shop' }).waitFor()
    await page.goto('/do/tenant.create')
    await page.getByLabel('Name', { exact: true }).fill('florist')
    await page.getByLabel('Reseller').selectOption('seller@example.com')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.locator('.job-end.note-good').waitFor()

    await page.goto('/do/user.create')
    await page.getByLabel('E-mail').fill('flora@example.com')
    await page.getByLabel('Password').fill(admin.password)
    await page.getByLabel('Role').selectOption('user')
    await page.getByLabel('Customer').selectOption('florist')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('heading', { name: 'flora@example.com active' }).waitFor()

    await page.goto('/do/role.create')
    await page.getByLabel('Name', { exact: true }).fill('viewer')
    await page.getByLabel('Reaches').selectOption('local')
    await page.getByLabel('domain.list').check()
    await page.getByLabel('settings.update').check()
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('alert').waitFor()
    faults.splice(0)
    await look(page, 'walk-9-role-refused')
    expect(await page.getByLabel('domain.list').isChecked()).toBe(true)
    await page.getByLabel('settings.update').uncheck()
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('heading', { name: 'viewer' }).waitFor()
  })

  it('grants a role and takes it away again on the user’s page', async () => {
    await page.goto('/users/flora@example.com')
    await page.getByRole('link', { name: 'Grant a role' }).click()
    await page.getByLabel('Role').selectOption('viewer')
    await page.getByRole('button', { name: 'Grant' }).click()
    await page.getByRole('link', { name: 'Revoke viewer' }).click()
    expect(await page.locator('.command-line').first().textContent()).toContain('wcp role revoke')
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('heading', { name: 'flora@example.com active' }).waitFor()
    expect(await page.getByRole('link', { name: 'Revoke viewer' }).count()).toBe(0)
  })

  it('suspends several at once after showing what would change, and brings them back', async () => {
    await page.goto('/tenants')
    await page.getByLabel('Choose bakery').check()
    await page.getByLabel('Choose florist').check()
    await page.getByLabel('With those chosen').selectOption('Suspend')
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByLabel('Reason').selectOption('maintenance')
    await page.getByRole('button', { name: 'Show what would change' }).click()
    await page.getByText('change customer bakery: status: active').waitFor()
    await look(page, 'walk-11-many')
    await page.getByRole('button', { name: 'Suspend (2)' }).click()
    expect(await page.getByRole('link', { name: /^See the job/ }).count()).toBe(2)
    await page.getByRole('link', { name: /^See the job bakery/ }).click()
    await page.locator('.job-end.note-good').waitFor()

    await page.goto('/tenants?status=suspended&_all=true')
    await page.getByLabel('With those chosen').selectOption('Unsuspend')
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('button', { name: 'Unsuspend (2)' }).click()
    await page.getByRole('link', { name: /^See the job florist/ }).click()
    await page.locator('.job-end.note-good').waitFor()
    await page.goto('/tenants?status=active')
    await page.getByRole('link', { name: 'bakery' }).waitFor()
    await page.getByRole('link', { name: 'florist' }).waitFor()
  })

  it('makes a webhook, whose secret is shown once, and tries it', async () => {
    await page.goto('/webhooks')
    await page.getByRole('link', { name: 'New webhook' }).first().click()
    await page.getByLabel('Name', { exact: true }).fill('ops')
    await page.getByLabel('Address').fill('https://127.0.0.1/hook')
    await page.getByLabel('Events').fill('job.failed\ntenant.*')
    await page.getByRole('button', { name: 'Create' }).click()
    expect(await page.getByText('whsec_').count()).toBe(1)

    await page.goto('/webhooks/ops')
    await page.getByRole('link', { name: 'Send a test' }).click()
    await page.getByRole('button', { name: 'Send a test' }).click()
    await page.getByRole('heading', { name: 'ops' }).waitFor()
    await page.getByText('webhook.test').first().waitFor()
    expect(faults.splice(0)).toEqual([])
  })

  it('acts as a customer under a banner, and ends it', async () => {
    await page.goto('/users/flora@example.com')
    await page.getByRole('link', { name: 'Act as this user' }).click()
    await page.getByText('It is recorded under your name').waitFor()
    await page.getByRole('button', { name: 'Act as' }).click()
    const banner = page.getByRole('region', { name: 'Acting as another person' })
    for (const path of ['/', '/tenants', '/tenants/florist', '/account', '/do/domain.create', '/nowhere']) {
      await page.goto(path)
      expect(await banner.textContent()).toMatch(new RegExp(`You act as flora@example.com.*${admin.email}`, 's'))
    }
    faults.splice(0)
    await look(page, 'walk-10-acting')
    await page.goto('/')
    expect(await page.locator('.command-line').textContent()).toBe('wcp health counts')

    await page.goto('/do/domain.create?tenant=florist')
    await page.getByLabel('Domain name').fill('flowers.example.org')
    await page.getByLabel('Aliases').fill('www.flowers.example.org\nflowers.example.edu')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.getByRole('heading', { name: 'flowers.example.org waits for a proof' }).waitFor()
    const record = page.getByRole('region', { name: 'Add this TXT record to prove ownership: flowers.example.org' })
    await record.getByText('_wcp360-challenge.flowers.example.org', { exact: true }).waitFor()
    await record.getByText(/^wcp360-proof=[\w-]{43}$/).waitFor()
    expect(await page.getByRole('link', { name: 'Serve without a proof' }).count()).toBe(0)
    await page.getByRole('link', { name: 'Check now' }).click()
    await page.getByRole('button', { name: 'Check' }).click()
    await page.getByRole('heading', { name: 'flowers.example.org waits for a proof' }).waitFor()
    expect((await page.goto('/settings'))?.status()).toBe(403)
    faults.splice(0)
    await banner.getByRole('button', { name: 'End' }).click()
    await page.getByText('You are yourself again.').waitFor()
    expect(await banner.count()).toBe(0)
    expect((await page.goto('/settings'))?.status()).toBe(200)
  })

  it('leads from the keyboard past the content to the menu', async () => {
    await page.goto('/tenants/florist')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').textContent()).toBe('Skip to menu')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    expect(await page.locator('nav.menu a:focus').count()).toBe(1)
  })

  it('met no console message and no script on the way', async () => {
    session = await page.context().storageState()
    // The test's own waiting asks a page that is still loading to run something, which its sandbox refuses.
    expect(faults.filter((fault) => !fault.startsWith('console: Blocked script execution'))).toEqual([])
    await page.context().close()
  })
})

/** By dress: dark differs from light in colours alone, so that only what looks at them is asked again there. */
const axeRuns = {
  // With the size of what can be pointed at, WCAG 2.2 AA, which axe leaves out unless told.
  light: "axe.run({ rules: { 'target-size': { enabled: true } }, resultTypes: ['violations'] })",
  dark: "axe.run({ runOnly: ['color-contrast', 'link-in-text-block'], resultTypes: ['violations'] })",
}

/** Cards that are nothing but a title. */
const emptyCards =
  "[...document.querySelectorAll('.card')].filter((card) => !card.querySelector(':scope > :not(.card-head)')).length"

/** Pixels that a page is wider than its window; as text, because the tests know no browser's types. */
const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

const pages: Record<string, string> = {
  overview: '/',
  tenants: '/tenants',
  'tenants-none': '/tenants?search=nothing',
  'tenants-chosen': '/tenants?_all=true',
  'tenants-many': '/many/tenant?_verb=suspend&_of=',
  tenant: '/tenants/bakery',
  'tenant-usage': '/tenants/bakery/usage',
  'tenant-sell': '/do/tenant.sell',
  'tenant-create': '/do/tenant.create',
  'tenant-delete': '/do/tenant.delete?tenant=bakery',
  domains: '/domains',
  domain: '/domains/bakery.example.net',
  'domain-check': '/domains/bakery.example.net/check',
  'domain-waiting': '/domains/flowers.example.org',
  'domain-verify': '/do/domain.verify?domain=flowers.example.org',
  'domain-vouch': '/do/domain.vouch?domain=flowers.example.org',
  'domain-create': '/do/domain.create?tenant=bakery',
  'domain-update': '/do/domain.update?domain=bakery.example.net',
  'domain-settings': '/domains/bakery.example.net/settings',
  'domain-access':
    '/do/domain.update?domain=bakery.example.net&_only=protectedDirectories%20addressRules%20addressDirectories',
  'domain-add-user': '/do/domain.add-user?domain=bakery.example.net',
  'domain-remove-user': '/do/domain.remove-user?domain=bakery.example.net&name=alice',
  packages: '/packages',
  package: '/packages/default',
  'package-create': '/do/package.create',
  'package-update': '/do/package.update?package=default',
  users: '/users',
  user: `/users/${admin.email}`,
  'user-create': '/do/user.create',
  'user-update': '/do/user.update?user=flora%40example.com',
  'user-of-reseller': '/users/flora@example.com',
  'user-impersonate': '/do/user.impersonate?user=flora%40example.com',
  roles: '/roles',
  role: '/roles/viewer',
  'role-admin': '/roles/system_admin',
  'role-create': '/do/role.create',
  'role-update': '/do/role.update?role=viewer',
  'role-grant': '/do/role.grant?user=flora%40example.com',
  resellers: '/resellers',
  reseller: '/resellers/seller@example.com',
  'reseller-create': '/do/reseller.create',
  'reseller-update': '/do/reseller.update?reseller=seller%40example.com',
  'tenant-of-reseller': '/tenants/florist',
  'ssh-keys': '/ssh-keys',
  'ssh-key-create': '/do/ssh-key.create?tenant=florist',
  trash: '/trash',
  webhooks: '/webhooks',
  webhook: '/webhooks/ops',
  'webhook-create': '/do/webhook.create',
  'webhook-update': '/do/webhook.update?webhook=ops',
  jobs: '/jobs',
  audit: '/audit',
  'audit-verify': '/audit/verify',
  settings: '/settings',
  'setting-update': '/do/settings.update?key=jobs.keep_days',
  terminal: '/terminal',
  account: '/account',
  'api-reference': '/api-reference',
}

/** Colour scheme and width in pixels; a page is looked at in all of them at once, which keeps both processors busy. */
const dresses = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [1280, 390].map((width) => ({ colorScheme, width, name: `${colorScheme}-${width}` })),
)
type Dress = (typeof dresses)[number]

const inEveryDress = (visit: (dress: Dress) => Promise<void>) => Promise.all(dresses.map(visit))

const contextOf = ({ colorScheme, width }: Dress) => ({ colorScheme, viewport: { width, height: 844 } })

describe('as the administrator', () => {
  const plain = new Map<Dress, Awaited<ReturnType<typeof newPage>>>()
  const open = new Map<Dress, Page>()

  beforeAll(async () => {
    for (const dress of dresses) {
      plain.set(dress, await newPage({ ...contextOf(dress), storageState: session }))
      const { page } = await newPage({ ...contextOf(dress), storageState: session, bypassCSP: true })
      await withoutSandbox(page)
      open.set(dress, page)
    }
  })

  afterAll(async () => {
    for (const page of [...open.values(), ...[...plain.values()].map(({ page }) => page)]) await page.context().close()
  })

  it.each(Object.entries(pages))('shows %s whole, without fault', async (name, path) => {
    await inEveryDress(async (dress) => {
      const { page, faults } = plain.get(dress) ?? expect.unreachable()
      faults.splice(0)
      const response = await page.goto(path)
      expect(response?.status(), dress.name).toBe(200)
      await keepPicture(page, `${name}-${dress.name}`)

      const checked = open.get(dress) ?? expect.unreachable()
      await checked.goto(path)
      expect(await checked.evaluate(overflow), dress.name).toBe(0)
      expect(await checked.evaluate(emptyCards), dress.name).toBe(0)
      expect(await violations(checked, dress.colorScheme), dress.name).toEqual([])
      expect(faults, dress.name).toEqual([])
    })
  })
})

describe('as a customer and a reseller', () => {
  it('shows the banner and the reseller’s pages', async () => {
    await inEveryDress(async (dress) => {
      const { page, faults } = await newPage({ ...contextOf(dress), bypassCSP: true })
      await withoutSandbox(page)
      await page.goto('/login')
      await page.getByLabel('E-mail').fill('seller@example.com')
      await page.getByLabel('Password').fill(admin.password)
      await page.getByRole('button', { name: 'Sign in' }).click()
      const visit = async (name: string, path: string) => {
        expect((await page.goto(path))?.status(), dress.name).toBe(200)
        await keepPicture(page, `${name}-${dress.name}`)
        expect(await page.evaluate(overflow), `${name} ${dress.name}`).toBe(0)
        expect(await violations(page, dress.colorScheme), `${name} ${dress.name}`).toEqual([])
      }
      for (const [name, path] of Object.entries({
        'seller-overview': '/',
        'seller-tenants': '/tenants',
        'seller-tenant-create': '/do/tenant.create',
        'seller-packages': '/packages',
        'seller-users': '/users',
        'seller-user-create': '/do/user.create',
      }))
        await visit(name, path)
      await page.goto('/do/user.impersonate?user=flora%40example.com&_back=%2F')
      await page.getByRole('button', { name: 'Act as' }).click()
      await page.getByRole('region', { name: 'Acting as another person' }).waitFor()
      await visit('acting-overview', '/')
      await visit('acting-tenant', '/tenants/florist')
      expect(faults, dress.name).toEqual([])
      await page.context().close()
    })
  })
})

describe('for visitors', () => {
  it.each(['light', 'dark'] as const)('shows sign-in and error pages in %s', async (colorScheme) => {
    const { page, faults } = await newPage({ colorScheme, viewport: { width: 390, height: 844 }, bypassCSP: true })
    await withoutSandbox(page)

    await page.goto('/login?next=%2Ftenants')
    await look(page, `login-${colorScheme}-390`)
    expect(await violations(page, colorScheme)).toEqual([])
    expect(faults).toEqual([])

    expect((await page.goto('/nowhere'))?.status()).toBe(404)
    await look(page, `error-${colorScheme}-390`)
    expect(await violations(page, colorScheme)).toEqual([])
    await page.context().close()
  })
})

/** The pages may run no script at all, axe is one: only for it the policy is taken off the document. */
async function withoutSandbox(page: Page): Promise<void> {
  await page.route('**/*', async (route) => {
    if (route.request().resourceType() !== 'document') return route.continue()
    // an idle connection may end at the moment it is used again
    const response = await route.fetch({ maxRetries: 3 })
    const headers = response.headers()
    delete headers['content-security-policy']
    return route.fulfill({ response, headers })
  })
}

async function violations(page: Page, colorScheme: keyof typeof axeRuns): Promise<string[]> {
  await page.evaluate(axeScript)
  const { violations } = AxeResult.parse(await page.evaluate(axeRuns[colorScheme]))
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`)
}
