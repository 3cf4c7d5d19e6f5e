/** Applications as the panel has them: a row of their own and one of their database, which become true or go together. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Answer, Browser } from './support/client.ts'
import { realPages } from './support/real-pages.ts'
import { failure } from './support/scripted-agent.ts'
import { password, type TestPanel, testPanel, until } from './support/test-panel.ts'

const host = 'bakery.example.com'
const wishes = {
  ...{ application: 'wordpress', domain: host, title: 'Bakery' },
  ...{ adminUser: 'baker', adminEmail: 'Baker@Example.com' },
}

let test: TestPanel
/** What the root side makes of installations from now on. */
let installs: 'well' | 'badly'

beforeEach(async () => {
  installs = 'well'
  const play = ({ type }: { type: string }) => (type === 'app.install' && installs === 'badly' ? failure : 'succeed')
  test = await testPanel({ machine: { play }, registerPages: realPages })
  await post('packages', { name: 'basic', maxDatabases: 1 })
  await done(await post('tenants', { name: 'bakery' }))
  await done(await post('domains', { tenant: 'bakery', fqdn: host }))
})
afterEach(() => test.stop())

const post = (path: string, body: unknown = {}) => test.root('POST', `/api/v1/${path}`, body)
const get = async (path: string) => (await test.root('GET', `/api/v1/${path}`)).json()
const app = () => get(`apps/${host}`)

async function done(answer: Answer): Promise<Record<string, unknown>> {
  const { jobId } = answer.json()
  expect([202, answer.text]).toEqual([answer.status, expect.stringContaining('jobId')])
  return until(async () => {
    const job = await get(`jobs/${jobId}`)
    return ['succeeded', 'failed'].includes(String(job.state)) ? job : null
  })
}

const payloads = () =>
  test.machine.heard.flatMap((message) => (message.t === 'job' && message.type.startsWith('app.') ? [message] : []))

it('is there with its database, which is one like all others', async () => {
  await done(await post('apps', wishes))

  const one = await app()
  expect(one).toMatchObject({ status: 'active', title: 'Bakery', adminEmail: 'baker@example.com' })
  expect(await get(`databases/${one.databaseId}`)).toMatchObject({ status: 'active', name: one.databaseName })
  expect(payloads()).toMatchObject([
    { payload: { app: one.id, database: one.databaseId, name: one.databaseName, adminEmail: 'baker@example.com' } },
  ])
  expect(JSON.stringify(payloads())).not.toMatch(/password|verifier/i)
})

it('leaves no database when it fails, and is installed anew when it is asked for again', async () => {
  installs = 'badly'
  await done(await post('apps', wishes))
  expect(await app()).toMatchObject({ status: 'error', databaseId: null })
  expect((await get('databases')).items).toEqual([])

  installs = 'well'
  await done(await post('apps', { ...wishes, title: 'Better' }))

  expect(await app()).toMatchObject({ status: 'active', title: 'Better' })
  expect((await get('apps')).items).toHaveLength(1)
  expect((await get('databases')).items).toHaveLength(1)
})

it('is one site when the same is asked for twice, and refuses another one', async () => {
  await done(await post('apps', wishes))

  const again = await post('apps', wishes)
  const other = await post('apps', { ...wishes, title: 'Other' })

  expect(again.json()).toMatchObject({ id: (await app()).id, jobId: null })
  expect([other.status, other.text]).toEqual([409, expect.stringContaining('app forget')])
  expect(payloads()).toHaveLength(1)
})

it('refuses a domain without PHP, and one more database than the package allows', async () => {
  await test.root('PATCH', `/api/v1/domains/${host}`, { php: 'none' }).then(done)
  expect((await post('apps', wishes)).text).toContain('the domain has no PHP')

  await test.root('PATCH', `/api/v1/domains/${host}`, { php: '8.4' }).then(done)
  await done(await post('databases', { tenant: 'bakery', name: 'other' }))
  expect((await post('apps', wishes)).json()).toMatchObject({ code: 'limit_reached' })
  expect((await get('apps')).items).toEqual([])
})

it.each(['reset-link', 'login-link'])('makes a %s for its first user, or another one of the site', async (link) => {
  await done(await post('apps', wishes))

  await done(await post(`apps/${host}/${link}`))
  await done(await post(`apps/${host}/${link}`, { user: 'guest' }))

  const [, first, other] = payloads()
  expect([first?.payload, other?.payload]).toMatchObject([{ user: 'baker' }, { user: 'guest' }])
})

it('goes off the list, and the domain and its database stay', async () => {
  await done(await post('apps', wishes))

  expect((await test.root('DELETE', `/api/v1/apps/${host}`)).status).toBe(200)

  expect((await get('apps')).items).toEqual([])
  expect((await get('databases')).items).toHaveLength(1)
  expect(await get(`domains/${host}`)).toMatchObject({ status: 'active' })
})

it('goes into the trash and comes back with its domain', async () => {
  await done(await post('apps', wishes))

  await done(await test.root('DELETE', `/api/v1/domains/${host}`))
  expect((await get('apps')).items).toEqual([])
  const [trashed] = (await get('domains?deleted=true')).items ?? []
  await done(await post(`domains/${(trashed as { id: string }).id}/restore`))

  expect(await app()).toMatchObject({ status: 'active' })
})

it('shows a customer the form, and what came of it, on the pages of the domain', async () => {
  await post('users', { email: 'baker@example.com', password, role: 'user', tenant: 'bakery' })
  const customer: Browser = test.browser()
  await customer.signIn('baker@example.com', password)
  const tab = async () => (await customer.call('GET', `/domains/${host}/apps`)).text

  expect(await tab()).toContain(`/do/app.install?domain=${host}`)
  expect((await customer.call('GET', `/do/app.install?domain=${host}`)).text).toContain('Title of the site')
  await done(await customer.call('POST', '/api/v1/apps', wishes))

  expect(await tab()).toContain(`/apps/${host}`)
  expect((await customer.call('GET', `/apps/${host}`)).text).toContain('Link to a new password')
})
