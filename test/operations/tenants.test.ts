/** A tenant by every door: its people while it is locked, the name that people know it by, and what the pages say of it. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fieldNamed } from '../../src/contract/fields.ts'
import { parseCommandLine } from '../../src/lib/command-spec.ts'
import { httpCall } from '../../src/lib/http-call.ts'
import { splitWords } from '../../src/lib/words.ts'
import { kinds, operations } from '../../src/resources/index.ts'
import { ask, type Browser } from './support/client.ts'
import { realPages } from './support/real-pages.ts'
import { failure } from './support/scripted-agent.ts'
import { rootShell } from './support/shell.ts'
import { password, type TestPanel, testPanel, until } from './support/test-panel.ts'

let test: TestPanel
let baker: Browser
let key: string
let web: Server
/** What the web server answers for a site; null: it closes the connection. */
let answered: number | null = 200

beforeAll(async () => {
  web = createServer(({ socket }, response) => {
    if (answered === null) socket.destroy()
    else response.writeHead(answered).end()
  })
  web.listen(0, '127.0.0.1')
  await once(web, 'listening')
  const { port } = web.address() as AddressInfo
  test = await testPanel({ registerPages: realPages, config: `http_port: ${port}\nhttps_port: 9` })
  const make = async (path: string, body: unknown) =>
    expect((await test.root('POST', `/api/v1/${path}`, body)).status).toBeLessThan(300)
  await make('packages', { name: 'basic' })
  await make('tenants', { name: 'bakery' })
  await make('users', { email: 'baker@example.com', password, role: 'user', tenant: 'bakery' })
  await until(async () => (await test.root('GET', '/api/v1/jobs?state=succeeded')).json().items?.length === 1)
  baker = await signedIn()
  const made = await baker.call('POST', '/api/v1/users/baker@example.com/api-keys', {
    name: 'deploy',
    scopes: ['tenant.get'],
  })
  key = String(made.json().token)
})

afterAll(async () => {
  await test.stop()
  web.close()
})

async function signedIn(): Promise<Browser> {
  const browser = test.browser()
  expect((await browser.signIn('baker@example.com', password)).headers.location).not.toContain('/login')
  return browser
}

const byKey = () =>
  ask({ port: test.panel.port }, { path: '/api/v1/tenants/bakery', headers: { authorization: `Bearer ${key}` } })

it('are signed out and kept out until it is unlocked, and no job comes of it', async () => {
  const jobs = async () => (await test.root('GET', '/api/v1/jobs')).json().items?.length
  const [before, keyBefore] = [await jobs(), (await byKey()).status]

  const locked = await test.root('POST', '/api/v1/tenants/bakery/lock', { reason: 'security' })
  const doors = {
    page: (await baker.ask({ path: '/tenants/bakery' })).headers.location,
    terminal: (await baker.ask({ path: '/terminal' })).headers.location,
    api: (await baker.ask({ path: '/api/v1/tenants/bakery' })).status,
    key: (await byKey()).status,
    again: (await test.browser().signIn('baker@example.com', password)).status,
  }
  const sessions = await test.panel.db.selectFrom('sessions').select('id').execute()
  const shown = (await test.root('GET', '/api/v1/tenants/bakery')).json()
  await test.root('POST', '/api/v1/tenants/bakery/unlock', {})

  expect(locked.json()).toMatchObject({ holds: [{ level: 'root', reason: 'security' }] })
  expect(doors).toEqual({
    page: expect.stringContaining('/login'),
    terminal: expect.stringContaining('/login'),
    api: 401,
    key: 401,
    again: 401,
  })
  expect([sessions, shown.status, await jobs(), keyBefore]).toEqual([[], 'locked', before, 200])
  expect((await (await signedIn()).ask({ path: '/tenants/bakery' })).status).toBe(200)
  expect((await byKey()).status).toBe(200)
  expect((await baker.ask({ path: '/api/v1/tenants/bakery' })).status).toBe(401)
})

it('are led to by first steps, which fill themselves until the first site is there', async () => {
  const admin = await test.administrator('begins@example.com')
  const { text } = await admin.ask({ path: '/' })
  const [steps = ''] = /<section class="card" aria-label="First steps">.*?<\/section>/s.exec(text) ?? []
  const read = [...steps.matchAll(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/gs)].map(([, step = '', state = '']) => [
    step.split(' ', 3).join(' '),
    /href="([^"]*)"/.exec(state)?.[1] ?? plain(state).trim().split(' ', 2).join(' '),
  ])

  expect(read).toEqual([
    ['Protect your account', '/account'],
    ['Let the panel', 'Name a'],
    ['Make a plan,', 'done'],
    ['Sell the first', 'done'],
    ['Add the first', '/do/domain.create?_back=%2F'],
  ])
  expect((await (await signedIn()).ask({ path: '/' })).text).not.toContain('First steps')
  const [, away = ''] = /href="(\/do\/settings[^"]*)"/.exec(steps.replaceAll('&amp;', '&')) ?? []
  const form = await admin.ask({ path: away })
  expect(form.text).toContain('<option value="false" selected>')
  await admin.form('/do/settings.update', { key: 'overview.first_steps', value: 'false' })
  expect((await admin.ask({ path: '/' })).text).not.toContain('First steps')
  await admin.form('/do/settings.update', { key: 'overview.first_steps', value: 'true' })
  expect((await admin.ask({ path: '/' })).text).toContain('First steps')
})

it('say on the tenant’s page why, and what lifts it', async () => {
  const admin = await test.administrator('admin@example.com')
  const open = await admin.ask({ path: '/tenants/bakery' })
  await admin.call('POST', '/api/v1/tenants/bakery/lock', { reason: 'abuse', note: 'Sends spam.' })
  const page = await admin.ask({ path: '/tenants/bakery' })
  const { text: refused } = await admin.call('POST', '/api/v1/tenants/bakery/lock', { reason: 'late' })

  expect(open.text).toContain('/do/tenant.lock?tenant=bakery')
  expect(open.text).not.toContain('/do/tenant.unlock')
  for (const words of ['Locked', 'Sends spam.', '/do/tenant.unlock?tenant=bakery']) expect(page.text).toContain(words)
  expect(JSON.parse(refused)).toMatchObject({ status: 422, fields: [{ field: 'reason' }] })
})

it('is called by its display name on its page, in lists and by search', async () => {
  const admin = await test.administrator('names@example.com')
  const rename = (displayName: unknown) => admin.call('PATCH', '/api/v1/tenants/bakery', { displayName })
  const named = await rename('Bäckerei  Müller & Söhne GmbH')
  const page = await admin.ask({ path: '/tenants/bakery' })
  const form = await admin.ask({ path: '/do/tenant.update?tenant=bakery' })
  const found = await admin.ask({ path: `/tenants?search=${encodeURIComponent('MÜLLER')}` })
  const refused = await rename('two\nlines')
  const empty = await rename('')

  expect(named.status).toBe(200)
  for (const { text } of [page, found]) expect(text).toContain('Bäckerei  Müller &amp; Söhne GmbH')
  expect(page.text).toMatch(/<h1[^>]*>\s*Bäckerei/)
  expect(form.text).toMatch(/name="displayName"[^>]*value="Bäckerei {2}Müller &amp; Söhne GmbH"/)
  for (const answer of [refused, empty])
    expect(answer.json()).toMatchObject({ status: 422, fields: [{ field: 'displayName' }] })
  expect((await rename(null)).status).toBe(200)
  expect((await admin.call('GET', '/api/v1/tenants/bakery')).json().displayName).toBeNull()
})

/** As people read it. */
const plain = (html: string) =>
  html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .trim()

const commandOn = (html: string) => plain(/<code class="command-line">(.*?)<\/code>/s.exec(html)?.[1] ?? '')

it('are listed by the command below each list, under each of its filters', async () => {
  const admin = await test.administrator('lists@example.com')
  await admin.call('POST', '/api/v1/tenants', { name: 'shut' })
  await admin.call('POST', '/api/v1/tenants', { name: 'thrown' })
  const isQuiet = async () => (await admin.call('GET', '/api/v1/jobs?state=succeeded')).json().items?.length
  await until(async () => (await isQuiet()) === 3)
  await admin.call('POST', '/api/v1/tenants/shut/suspend', {})
  await admin.call('DELETE', '/api/v1/tenants/thrown')
  await until(async () => (await isQuiet()) === 5)
  const tried: string[] = []

  for (const kind of kinds.filter(({ menu, columns }) => menu && columns)) {
    const { input } = operations.find(({ name }) => name === `${kind.name}.list`) ?? expect.fail(kind.name)
    const filters = ['deleted', 'search', 'status', 'state', 'role', 'tenant', ...(kind.list?.filters ?? [])]
    const chosen = filters.flatMap((name) => {
      const field = fieldNamed(input, name)
      if (field === undefined) return []
      const words = field.type === 'boolean' ? ['true'] : field.choices.length > 0 ? field.choices : ['e']
      return words.map((word) => `?${name}=${encodeURIComponent(word)}`)
    })
    for (const narrowed of ['', ...chosen]) {
      const page = await admin.ask({ path: `${kind.path}${narrowed}` })
      if (page.status !== 200) continue // a word that names nothing
      const command = parseCommandLine(splitWords(commandOn(page.text)), operations)
      const { method, target } = httpCall(command.operation, command.input)
      const listed = (await admin.call(method, target)).json().items ?? expect.fail(`${method} ${target}`)
      const [, body = ''] = /<tbody>(.*?)<\/tbody>/s.exec(page.text) ?? []
      expect([kind.path + narrowed, body.match(/<tr>/g)?.length ?? 0]).toEqual([kind.path + narrowed, listed.length])
      if (listed.length > 0) tried.push(narrowed)
    }
  }
  expect(tried).toEqual(expect.arrayContaining(['', '?deleted=true', '?search=e', '?status=suspended']))
})

it('ask for the tenant of a new user where the role needs it', async () => {
  const admin = await test.administrator('places@example.com')
  const form = async (query: string) => {
    const { text } = await admin.ask({ path: `/do/user.invite${query}` })
    const [, attributes] = /<select class="input" id="f-tenant"([^>]*)>/.exec(text) ?? []
    return { asks: attributes !== undefined, needs: / required/.test(attributes ?? ''), text }
  }

  expect(await form('?role=user')).toMatchObject({ asks: true, needs: true })
  expect(await form('?role=system_admin')).toMatchObject({ asks: false })
  const open = await form('')
  expect(open).toMatchObject({ asks: true, needs: false })
  expect(open.text).toMatch(/<label for="f-tenant">\S+<\/label>/)
  expect(open.text).toContain('Needed for a role that reaches one')
  const refused = await admin.form('/do/user.invite', { email: 'new@example.com', role: 'user', tenant: '' })
  expect(refused.status).toBe(422)
  expect(refused.text).toMatch(/id="f-tenant"[^>]* required/)
})

it('say what to do where a confirmation is wrong', async () => {
  const admin = await test.administrator('sure@example.com')
  const { text } = await admin.form('/confirm', { password: 'not it', code: '', next: '/' })

  expect(text).toContain('and confirm again')
  expect(text).toMatch(/<button[^>]*>Confirm<\/button>/)
})

it('close what belongs to them in every place that shows it, and every filter', async () => {
  const admin = await test.administrator('closing@example.com')
  const afterJob = async (change: () => Promise<unknown>) => {
    const done = async () =>
      (await admin.call('GET', '/api/v1/jobs?state=succeeded&limit=200')).json().items?.length ?? 0
    const before = await done()
    await change()
    await until(async () => (await done()) > before)
  }
  await afterJob(() => admin.call('POST', '/api/v1/domains', { tenant: 'bakery', fqdn: 'bread.example.com' }))
  const pages = ['/domains/bread.example.com', '/domains', '/tenants/bakery', '/users/baker@example.com', '/users']
  const read = async () => Promise.all(pages.map(async (path) => (await admin.ask({ path })).text))
  const found = async (path: string) =>
    (await admin.call('GET', `/api/v1/${path}`)).json().items?.map(({ fqdn, email }) => fqdn ?? email)

  await admin.call('POST', '/api/v1/tenants/bakery/unlock', {})
  const open = await read()
  await afterJob(() => admin.call('POST', '/api/v1/tenants/bakery/suspend', { reason: 'unpaid' }))
  const closed = await read()
  const filtered = [await found('domains?status=active'), await found('domains?status=suspended')]
  const users = [await found('users?status=active'), await found('users?status=suspended')]
  await afterJob(() => admin.call('POST', '/api/v1/tenants/bakery/unsuspend', {}))
  await admin.call('POST', '/api/v1/tenants/bakery/lock', {})
  const locked = await read()
  const lockedUsers = await found('users?status=suspended')
  await admin.call('POST', '/api/v1/tenants/bakery/unlock', {})

  const says = (words: string) => (texts: readonly string[]) => texts.map((text) => text.includes(words))
  expect(says('suspended with bakery')(open)).toEqual([false, false, false, false, false])
  expect(says('suspended with bakery')(closed)).toEqual([true, true, true, true, true])
  expect(says('locked with bakery')(locked)).toEqual([false, false, false, true, true])
  expect([open[0], closed[0], locked[0]].map((text) => text?.includes('Open the site'))).toEqual([true, false, true])
  expect(filtered).toEqual([[], ['bread.example.com']])
  expect(users[0]).not.toContain('baker@example.com')
  expect([users[1], lockedUsers]).toEqual([['baker@example.com'], ['baker@example.com']])
})

it('are customers in all that people read, and what they do is told in words', async () => {
  const admin = await test.administrator('reads@example.com')
  await admin.call('POST', '/api/v1/resellers', { email: 'seller@example.com', password })
  const [job] = (await admin.call('GET', '/api/v1/jobs?type=tenant.create')).json().items ?? []
  const forms = operations.filter(({ effect }) => effect !== 'read').map(({ name }) => `/do/${name}`)
  const about = ['tenant.suspend', 'tenant.delete', 'tenant.update'].map((name) => `/do/${name}?tenant=bakery`)
  const details = ['/tenants/bakery', '/packages/basic', '/users/baker@example.com', '/resellers/seller@example.com']
  const lists = kinds.filter(({ menu }) => menu).map(({ path }) => path)
  const problems = ['/tenants/nobody', '/packages/nothing', '/do/tenant.update?tenant=nobody']
  const paths = ['/', ...lists, ...forms, ...about, ...details, ...problems, '/roles/user', `/jobs/${job?.id}`]

  for (const path of paths) {
    const { text, status } = await admin.ask({ path, headers: { accept: 'text/html' } })
    // What is for programs stands in code or is the name of an operation, the details of the trail in its own words.
    const read = text
      .replaceAll(/<(code|pre|title)\b.*?<\/\1>/gs, '')
      .replaceAll(/<td class="cell-wide">[^<]*<\/td>/g, '')
      .replaceAll(/<div class="cell-sub">[a-z.-]+<\/div>/g, '')
      .replaceAll(/<[^>]*>/g, '')
      .replaceAll(/(&quot;|“).*?(&quot;|”)/g, '')
    expect([path, status < 500, read.match(/.*\b(tenants?|packages?|system_admin)\b(?!\.[a-z*]).*/gi) ?? []]).toEqual([
      path,
      true,
      [],
    ])
  }
  const page = await admin.ask({ path: `/jobs/${job?.id}` })
  expect(page.text).toMatch(/<h1[^>]*>\s*Create customer \w+/)
  const refused = await admin.form('/do/tenant.create', { name: 'Not A Name' })
  expect(refused.text).toContain('Use 3 to 24 characters')
})

it('are found, with all else that has a name, from one field, and a lone hit at once', async () => {
  const admin = await test.administrator('finder@example.com')
  const find = (who: Browser, words: string) => who.ask({ path: `/search?q=${encodeURIComponent(words)}` })
  const [job] = (await admin.call('GET', '/api/v1/jobs?limit=1')).json().items ?? []

  expect((await find(admin, 'bread.example')).headers.location).toMatch(/^\/domains\/[\w-]{36}$/)
  expect((await find(admin, 'bakery')).headers.location).toBe('/tenants/bakery')
  expect((await find(admin, String(job?.id))).headers.location).toBe(`/jobs/${job?.id}`)
  expect((await find(admin, 'create customer')).headers.location).toBe('/do/tenant.create')
  const several = await find(admin, 'ba')
  for (const title of ['Customers', 'Users']) expect(several.text).toContain(`<h2>${title}</h2>`)
  expect((await find(admin, 'zzz')).text).toContain('Nothing found')
  expect((await find(await signedIn(), 'shut')).text).toContain('Nothing found')
})

it('have a menu of their own, are never asked which they are, and are above their sites for all others', async () => {
  const admin = await test.administrator('menus@example.com')
  const customer = await signedIn()
  const menuOf = async (who: Browser) => {
    const { text } = await who.ask({ path: '/' })
    const [, nav = ''] = /<nav class="menu".*?>(.*?)<\/nav>/s.exec(text) ?? []
    return [...nav.matchAll(/<\/svg>\s*([^<]+?)\s*<\/a>/g)].map(([, title]) => title)
  }
  const crumbs = async (who: Browser) => {
    const { text } = await who.ask({ path: '/domains/bread.example.com' })
    return plain(/<p class="crumbs">(.*?)<\/p>/s.exec(text)?.[1] ?? '')
  }

  const own = await menuOf(customer)
  expect(own.slice(0, 3)).toEqual(['Overview', 'Plan and usage', 'Sites'])
  for (const staffs of ['Customers', 'Plans', 'Users', 'Settings']) expect(own).not.toContain(staffs)
  expect((await menuOf(admin)).slice(0, 3)).toEqual(['Overview', 'Customers', 'Sites'])
  expect([await crumbs(customer), await crumbs(admin)]).toEqual(['Sites', 'Customers / bakery'])
  const form = await customer.ask({ path: '/do/domain.create' })
  expect(form.text).not.toContain('id="f-tenant"')
  const [, tenant = ''] = /name="tenant" value="([^"]+)"/.exec(form.text) ?? []
  const made = await customer.form('/do/domain.create', { tenant, fqdn: 'more.bread.example.com', _do: 'run' })
  expect(made.status).toBe(303)
})

it('have pages in parts: what a kind adds, for who may see it, and the command that shows the same', async () => {
  const admin = await test.administrator('parts@example.com')
  const customer = await signedIn()
  const read = async (who: Browser, path: string) => {
    const { text, status } = await who.ask({ path })
    const [, nav = ''] = /<nav class="tabs"[^>]*>(.*?)<\/nav>/s.exec(text) ?? []
    const links = [...nav.matchAll(/<a href="([^"]*)" ?(aria-current="page")?\s*>([^<]*)<\/a>/g)]
    return { text, status, links, titles: links.map(([, , current, title]) => (current ? `[${title}]` : title)) }
  }

  const tenant = await read(admin, '/tenants/bakery')
  const own = await read(customer, '/tenants/bakery')
  const site = await read(admin, '/domains/bread.example.com')
  const parts = [...tenant.links, ...site.links].map(([, href = '']) => href)
  const pages = await Promise.all(parts.map((href) => read(admin, href)))

  expect(tenant.titles).toEqual([
    '[Sites]',
    'People',
    'Usage',
    'Plan',
    'Databases',
    'SSH keys',
    'SSH sessions',
    'DNS keys',
    'Activity',
  ])
  expect(own.titles).not.toContain('People')
  expect(site.titles).toEqual([
    '[Overview]',
    'Domains',
    'Settings',
    'PHP',
    'HTTPS',
    'Files',
    'Logs',
    'Visits',
    'Health',
    'Databases',
    'Applications',
    'Cron jobs',
    'Check',
    'Activity',
  ])
  expect(pages.map(({ status, titles }) => [status, titles.filter((one) => one?.startsWith('[')).length])).toEqual(
    parts.map(() => [200, 1]),
  )
  const commands = pages.map(({ text }) => commandOn(text))
  expect(commands).toEqual(
    expect.arrayContaining([
      'wcp tenant usage bakery',
      'wcp user list --tenant bakery',
      'wcp certificate list --domain bread.example.com',
      'wcp database list --tenant bakery',
      'wcp cron list --domain bread.example.com',
      'wcp domain check bread.example.com',
    ]),
  )
  for (const line of commands) expect(() => parseCommandLine(splitWords(line), operations)).not.toThrow()
  const people = pages[parts.indexOf('/tenants/bakery/people')]?.text ?? ''
  expect(people).toContain('baker@example.com')
  expect((await customer.ask({ path: '/tenants/bakery/people' })).status).toBe(403)
  expect((await admin.ask({ path: '/tenants/bakery/nothing' })).status).toBe(404)
})

it('tell why a site does not answer, from the DNS to the disk, with the remedy', async () => {
  const customer = await signedIn()
  const admin = await test.administrator('checks@example.com')
  await admin.call('PATCH', '/api/v1/settings/certificates.addresses', { value: '192.0.2.7' })
  const check = async () => {
    const { items = [] } = (await customer.call('GET', '/api/v1/domains/bread.example.com/check')).json()
    return Object.fromEntries(items.map(({ step, state, seen, remedy }) => [step, [state, seen, remedy]]))
  }
  const jobs = async () => (await admin.call('GET', '/api/v1/jobs')).json().items?.length
  const before = await jobs()

  const fine = await check()
  answered = 502
  const withoutPhp = await check()
  const page = await customer.ask({ path: '/domains/bread.example.com/check' })
  answered = null
  const unknown = await check()
  answered = 200
  test.machine.health = { services: [{ name: 'nginx', state: 'stopped', detail: null }] }
  const stopped = await check()
  test.machine.health = {}

  expect(Object.keys(fine)).toEqual(['dns', 'route', 'http', 'certificate', 'php', 'suspension', 'disk'])
  expect(fine).toMatchObject({
    dns: ['unknown', expect.stringContaining('The DNS does not answer for bread.example.com'), ''],
    route: ['good', 'The web server answers for bread.example.com.', ''],
    http: ['good', 'Status 200.', ''],
    certificate: ['none', expect.any(String), expect.any(String)],
    php: ['good', 'PHP 8.4.', ''],
    suspension: ['good', expect.any(String), ''],
  })
  expect(withoutPhp).toMatchObject({
    http: ['bad', 'Status 502.', expect.any(String)],
    php: ['bad', expect.any(String), expect.any(String)],
  })
  expect(plain(page.text)).toContain('Status 502.')
  expect(unknown.route).toEqual([
    'bad',
    expect.stringContaining('no site of this name'),
    expect.stringContaining('wcp domain repair'),
  ])
  expect(stopped.route).toEqual(['bad', 'The web server is stopped.', expect.stringContaining('systemctl start nginx')])
  expect(await jobs()).toBe(before)
})

it('tell of a suspension in the check, with its reason, wherever it stands', async () => {
  const admin = await test.administrator('held@example.com')
  const check = async () =>
    (await admin.call('GET', '/api/v1/domains/bread.example.com/check'))
      .json()
      .items?.find(({ step }) => step === 'suspension')?.seen
  const status = async (path: string) => (await admin.call('GET', `/api/v1/${path}`)).json().status

  await admin.call('POST', '/api/v1/domains/bread.example.com/suspend', { reason: 'abuse', note: 'Sends spam.' })
  await until(async () => (await status('domains/bread.example.com')) === 'suspended')
  const own = await check()
  await admin.call('POST', '/api/v1/domains/bread.example.com/unsuspend', {})
  await until(async () => (await status('domains/bread.example.com')) === 'active')
  await admin.call('POST', '/api/v1/tenants/bakery/suspend', { reason: 'unpaid' })
  await until(async () => (await status('tenants/bakery')) === 'suspended')
  const above = await check()
  await admin.call('POST', '/api/v1/tenants/bakery/unsuspend', {})
  await until(async () => (await status('tenants/bakery')) === 'active')

  expect([own, above]).toEqual(['The site is suspended (abuse: Sends spam.).', 'The customer is suspended (unpaid).'])
})

it('are sold in one form of a few clicks: customer, owner with a link to hand over, and site', async () => {
  const admin = await test.administrator('sells@example.com')
  const clicked: string[] = []
  const click = (title: string, html: string) => {
    const links = [...html.matchAll(/<a [^>]*href="([^"]*)"[^>]*>(.*?)<\/a>/gs)]
    clicked.push(title)
    return links.find(([, , text = '']) => plain(text) === title)?.[1] ?? expect.fail(`no link says ${title}`)
  }

  const home = await admin.ask({ path: '/' })
  const form = await admin.ask({ path: click('New customer', home.text) })
  const sale = { name: 'florist', email: 'flora@example.com', domain: 'flowers.example.org' }
  const answer = await admin.form('/do/tenant.sell', { ...sale, _do: 'run' })
  clicked.push('Create')
  const job = await admin.ask({ path: click('Continue', answer.text) })
  const [, token = ''] = /\/link\/([\w-]+)/.exec(answer.text) ?? []
  const flora = test.browser()
  const chosen = await flora.form('/link', { token, password, repeat: password })
  await flora.signIn('flora@example.com', password)
  const own = await flora.ask({ path: '/tenants/florist' })

  expect(home.text).not.toContain('First steps')
  expect(clicked).toHaveLength(3)
  expect([...form.text.matchAll(/<label for="f-(\w+)"/g)].map(([, name]) => name)).toEqual([
    'name',
    'email',
    'package',
    'domain',
    'php',
    'reseller',
  ])
  expect(form.text).toContain('basic: no limit')
  expect(answer.text).toContain('This is shown once')
  expect(answer.text).not.toContain('_wcp360-challenge')
  expect(job.text).toContain('Create customer florist')
  expect([chosen.status, own.status]).toEqual([200, 200])
  expect(own.text).toContain('flowers.example.org')
  expect((await admin.call('GET', '/api/v1/tenants/florist')).json()).toMatchObject({
    ownerEmail: sale.email,
    domains: 1,
  })
})

it('are sold by a key that is for nothing else, which gets no link to an owner with a password', async () => {
  const admin = await test.administrator('bills@example.com')
  const scopes = ['tenant.sell']
  const made = await admin.call('POST', '/api/v1/users/bills@example.com/api-keys', { name: 'billing', scopes })
  const headers = { authorization: `Bearer ${String(made.json().token)}` }
  const send = (path: string, body: object) =>
    ask({ port: test.panel.port }, { method: 'POST', path: `/api/v1/${path}`, headers, body })
  const sell = (more: object) => send('tenants/sell', { name: 'grocer', email: 'greta@example.com', ...more })
  const play = test.machine.play

  test.machine.play = () => failure
  const failed = await sell({})
  await until(async () => (await test.root('GET', '/api/v1/tenants/grocer')).json().status === 'error')
  test.machine.play = play
  const [, token = ''] = /\/link\/([\w-]+)/.exec(String(failed.json().link)) ?? []
  await test.browser().form('/link', { token, password, repeat: password })
  const again = await sell({})
  const stranger = await sell({ name: 'other', email: 'bills@example.com' })
  const invited = await send('users/invite', { email: 'more@example.com', role: 'user', tenant: 'grocer' })
  await until(async () => (await test.root('GET', '/api/v1/tenants/grocer')).json().status === 'active')
  const signedIn = await test.browser().signIn('greta@example.com', password)

  expect([failed.status, again.status, stranger.status, invited.status]).toEqual([202, 202, 409, 403])
  expect(again.json()).toMatchObject({ owner: failed.json().owner, link: null })
  expect((await test.root('GET', '/api/v1/users/greta@example.com')).json()).toMatchObject({
    roles: ['user'],
    tenantName: 'grocer',
  })
  expect(signedIn.headers.location).not.toContain('/login')
})

it('are sold by a command as well, once, and again after a failure with the same owner', async () => {
  const sell = (name: string) => test.root('POST', '/api/v1/tenants/sell', { name, email: 'tom@example.com' })
  const play = test.machine.play
  const shown = async () => (await test.root('GET', '/api/v1/tenants/tailor')).json()

  test.machine.play = () => failure
  const failed = await sell('tailor')
  await until(async () => (await shown()).status === 'error')
  test.machine.play = play
  const taken = await sell('cobbler')
  const again = await rootShell(test.panel.cliSocket).wcp(['tenant', 'sell', 'tailor', 'tom@example.com'])

  expect([failed.status, taken.status, again.exit]).toEqual([202, 409, 0])
  expect(taken.json()).toMatchObject({ fields: [{ field: 'email' }] })
  expect((await test.root('GET', '/api/v1/tenants/cobbler')).status).toBe(404)
  expect(again.out).toMatch(/\/link\/[\w-]{43}/)
  expect(await shown()).toMatchObject({ status: 'active', ownerId: failed.json().owner })
})

it('are counted like everything that can be', async () => {
  const counted = operations.filter(
    ({ name, fields }) => name.endsWith('.list') && fields.some((field) => field.name === 'total'),
  )
  const answers = await Promise.all(
    counted.map(async ({ name, http }) => {
      const { items, total } = (await test.root('GET', `/api/v1${http.slice(4)}?total=true&limit=200`)).json()
      return [name, total === items?.length]
    }),
  )

  expect(counted.length).toBeGreaterThan(8)
  expect(answers).toEqual(counted.map(({ name }) => [name, true]))
})

it('are counted, ordered and paged as the address says, and saved as CSV', async () => {
  const admin = await test.administrator('counts@example.com')
  const list = async (asked: string) => (await admin.call('GET', `/api/v1/tenants?${asked}`)).json()
  const names = ({ items = [] }: Awaited<ReturnType<typeof list>>) => items.map(({ name }) => name)
  const all = await list('total=true')
  const newest = await list('sort=newest')
  const paged: unknown[] = []
  for (let cursor = ''; ; ) {
    const page = await list(`sort=newest&limit=2${cursor}`)
    paged.push(...names(page))
    if (page.nextCursor === null) break
    cursor = `&cursor=${page.nextCursor}`
  }
  const first = await admin.ask({ path: '/tenants?limit=2&sort=newest' })
  const file = await admin.ask({ path: '/tenants.csv?search=bak&limit=1' })
  const wrong = await admin.call(
    'GET',
    `/api/v1/tenants?sort=name&cursor=${(await list('sort=newest&limit=2')).nextCursor}`,
  )

  expect(all.total).toBe(names(all).length)
  expect('total' in newest).toBe(false)
  expect([names(newest)[0], names(newest).toSorted()]).toEqual(['tailor', names(all)])
  expect(paged).toEqual(names(newest))
  expect(wrong.status).toBe(422)
  expect(plain(first.text)).toContain(`${all.total} in all`)
  const [, next = ''] = /href="([^"]*)"[^>]*>Next page</.exec(first.text.replaceAll('&amp;', '&')) ?? []
  expect(next).toMatch(/limit=2&sort=newest|sort=newest&limit=2/)
  expect(first.text).toMatch(/<option value="newest" selected>/)
  expect(first.text).toMatch(/aria-sort="descending"[^>]*>(?:<a[^>]*sort=oldest[^>]*>Created)/)
  const second = await admin.ask({ path: next })
  expect(plain(second.text)).toContain(`${all.total} in all`)
  expect(names(await list('sort=oldest'))).toEqual(names(newest).toReversed())
  expect(names(await list('sort=name-desc'))).toEqual(names(all).toReversed())
  const down = await list('sort=name-desc&limit=2')
  expect(names(await list(`sort=name-desc&limit=2&cursor=${down.nextCursor}`))).toEqual(
    names(all).toReversed().slice(2, 4),
  )
  expect((await list('sort=age')).status).toBe(422)
  expect(file.headers['content-type']).toContain('text/csv')
  // the trail has an export, which asks for a fresh proof
  expect((await admin.ask({ path: '/audit.csv' })).status).toBe(404)
  expect((await admin.ask({ path: '/audit' })).text).not.toContain('/audit.csv')
  const [head, ...rows] = file.text.trim().split('\r\n')
  expect(head).toBe('name,displayName,status,packageName,domains,ownerEmail')
  expect(rows).toEqual([expect.stringMatching(/^bakery,/)])
})

it('are found by their owner and the names of their sites, and sites by their aliases', async () => {
  const admin = await test.administrator('looks@example.com')
  const found = async (path: string) =>
    (await admin.call('GET', `/api/v1/${path}`)).json().items?.map(({ name, fqdn }) => name ?? fqdn)
  await admin.call('PATCH', '/api/v1/domains/bread.example.com', { aliases: ['toast.example.com'] })
  await until(async () => (await admin.call('GET', '/api/v1/domains/bread.example.com')).json().status === 'active')

  expect(await found('tenants?search=flora@')).toEqual(['florist'])
  expect(await found('tenants?search=flowers.example')).toEqual(['florist'])
  expect(await found('tenants?search=toast.')).toEqual(['bakery'])
  expect(await found('tenants?search=flowers.example&named=true')).toEqual([])
  expect(await found('domains?search=toast.')).toEqual(['bread.example.com'])
  expect((await admin.ask({ path: '/search?q=toast.example' })).headers.location).toMatch(/^\/domains\//)
})

it('stay in a trash that is a place of its own, with the days that are left and the way back', async () => {
  const admin = await test.administrator('empties@example.com')
  const [thrown] = (await admin.call('GET', '/api/v1/tenants?deleted=true')).json().items ?? []

  const page = await admin.ask({ path: '/trash' })
  const own = await (await signedIn()).ask({ path: '/trash' })

  expect(page.text).toMatch(/<a [^>]*href="\/trash"[^>]*aria-current="page"/)
  expect(plain(page.text)).toMatch(/thrown\s+[^\n]*\s+30 days more/)
  expect(page.text.replaceAll('&amp;', '&')).toContain(`/do/tenant.restore?tenant=${thrown?.id}&_back=`)
  expect(plain(own.text)).toContain('The trash is empty.')
})

it('have people whose rights are sentences, chosen by presets, and settings of few values that are chosen', async () => {
  const admin = await test.administrator('rights@example.com')
  const ticked = (html: string) => [...html.matchAll(/name="scopes" value="([^"]+)" checked/g)].map(([, name]) => name)
  const linked = (html: string, title: string) =>
    [...html.matchAll(/<a href="([^"]*)">([^<]*)<\/a>/g)].find(([, , text]) => text === title)?.[1] ??
    expect.fail(title)
  const setting = (key: string) => admin.ask({ path: `/do/settings.update?key=${key}` })

  const form = await admin.ask({ path: '/do/api-key.create?user=rights%40example.com' })
  const reading = await admin.ask({ path: linked(form.text, 'Read only').replaceAll('&amp;', '&') })
  const role = await admin.ask({ path: '/roles/user' })
  const proof = await setting('domains.ask_proof')
  const php = await setting('sites.default_php')
  const off = await admin.form('/do/settings.update', { key: 'domains.ask_proof', value: 'false', _do: 'run' })
  const stored = (await admin.call('GET', '/api/v1/settings/domains.ask_proof')).json().value
  await admin.call('PATCH', '/api/v1/settings/domains.ask_proof', { value: true })

  expect(form.text).toMatch(/<label for="f-scopes-\d+">List customers <code>tenant\.list<\/code><\/label>/)
  expect(plain(role.text)).toContain('List domains')
  const boxes = [...form.text.matchAll(/name="scopes" value="([^"]+)"/g)].map(([, name]) => name)
  const isRead = (one?: string) => operations.find(({ name }) => name === one)?.effect === 'read'
  expect(ticked(form.text)).toEqual([])
  expect(ticked(reading.text)).toEqual(boxes.filter(isRead))
  expect(ticked(reading.text).length).toBeGreaterThan(5)
  expect(reading.text).toContain('rights@example.com')
  expect(proof.text).toMatch(/<option value="true" selected>On</)
  expect(php.text).toMatch(/<option value="" selected>automatic</)
  expect([off.status, stored]).toEqual([303, false])
})

it('have PHP of a site on a tab of its own, with the line that says the same', async () => {
  const customer = await signedIn()
  const site = async () => (await customer.call('GET', '/api/v1/domains/bread.example.com')).json()
  await until(async () => (await site()).status === 'active')

  const tab = await customer.ask({ path: '/domains/bread.example.com/php' })
  expect(tab.text).toContain('wcp domain update bread.example.com --php-memory-mb 256')
  expect(tab.text).toContain('wcp domain update bread.example.com --no-php-opcache')
  const hrefs = [...tab.text.matchAll(/href="(\/do\/domain\.update\?[^"]*)"/g)].map(([, href = '']) => href)
  const href = hrefs.find((one) => one.includes('phpMemoryMb'))?.replaceAll('&amp;', '&') ?? ''
  const form = await customer.ask({ path: href })
  const controls = [...form.text.matchAll(/ id="f-([A-Za-z]+)"/g)].map(([, name]) => name)
  expect(controls).toEqual(['phpMemoryMb', 'phpUploadMb', 'phpMaxSeconds', 'phpInputVars'])

  const hidden = [...form.text.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)].filter(
    ([, name]) => name !== '_csrf',
  )
  const kept = Object.fromEntries(hidden.map(([, name, value]) => [name, value]))
  const refused = await customer.form('/do/domain.update', { ...kept, phpMemoryMb: '16', _do: 'run' })
  expect([refused.status, plain(refused.text)]).toEqual([422, expect.stringContaining('from 32 to 8192')])

  const sent = await customer.form('/do/domain.update', { ...kept, phpMemoryMb: '96', _do: 'run' })
  expect(sent.headers.location).toMatch(/^\/jobs\//)
  await until(async () => (await site()).status === 'active')
  expect(await site()).toMatchObject({ phpMemoryMb: 96, phpUploadMb: null, phpOpcache: true })
})

it('have the settings of a site in groups, each with a form that leaves the others alone', async () => {
  const customer = await signedIn()
  const site = async () => (await customer.call('GET', '/api/v1/domains/bread.example.com')).json()
  await until(async () => (await site()).status === 'active')
  await customer.call('PATCH', '/api/v1/domains/bread.example.com', {
    redirects: ['/old /new 301'],
    headers: ['X-Frame-Options: DENY'],
  })
  await until(async () => (await site()).status === 'active')

  const tab = await customer.ask({ path: '/domains/bread.example.com/settings' })
  expect(tab.text).toContain('wcp domain update bread.example.com --document-root public')
  expect(tab.text).toContain('/old /new 301')
  const hrefs = [...tab.text.matchAll(/href="(\/do\/domain\.update\?[^"]*)"/g)].map(([, href = '']) => href)
  const href = hrefs.find((one) => one.includes('documentRoot'))?.replaceAll('&amp;', '&') ?? ''
  const form = await customer.ask({ path: href })
  const controls = [...form.text.matchAll(/ id="f-([A-Za-z]+)"/g)].map(([, name]) => name)
  expect(controls).toEqual(['documentRoot', 'frontController', 'notFoundPage'])

  const hidden = [...form.text.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)].filter(
    ([, name]) => name !== '_csrf',
  )
  const kept = Object.fromEntries(hidden.map(([, name, value]) => [name, value]))
  const refused = await customer.form('/do/domain.update', { ...kept, documentRoot: '../x', _do: 'run' })
  expect([refused.status, plain(refused.text)]).toEqual([422, expect.stringContaining('a directory such as public')])
  expect([...refused.text.matchAll(/ id="f-([A-Za-z]+)"/g)]).toHaveLength(3)

  const sent = await customer.form('/do/domain.update', { ...kept, documentRoot: 'public', _do: 'run' })
  expect(sent.headers.location).toMatch(/^\/jobs\//)
  await until(async () => (await site()).status === 'active')
  expect(await site()).toMatchObject({
    documentRoot: 'public',
    redirects: ['/old /new 301'],
    headers: ['x-frame-options: DENY'],
    https: 'redirect',
  })
})
