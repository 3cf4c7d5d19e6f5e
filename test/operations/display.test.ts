/** Time zone and format of an account, through the panel's own doors. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Browser } from './support/client.ts'
import { realPages } from './support/real-pages.ts'
import { password, type TestPanel, testPanel } from './support/test-panel.ts'

let test: TestPanel
let ann: Browser

const account = (email: string) => `/api/v1/users/${email}/display`
const page = async (browser: Browser, path: string) => (await browser.ask({ path })).text.replaceAll(/\s/g, ' ')

beforeAll(async () => {
  test = await testPanel({ registerPages: realPages })
  await test.root('POST', '/api/v1/packages', { name: 'default' })
  for (const email of ['ann@example.com', 'ben@example.com'])
    await test.root('POST', '/api/v1/users', { email, password, role: 'system_admin' })
  ann = test.browser()
  await ann.signIn('ann@example.com', password)
})

afterAll(() => test.stop())

it('is UTC and ISO 8601 at first', async () => {
  expect((await ann.call('GET', account('ann@example.com'))).json()).toMatchObject({ locale: null, timeZone: null })
  expect(await page(ann, '/account')).toMatch(/>20\d\d-\d\d-\d\d \d\d:\d\d UTC</)
})

it('is chosen on a form, which begins with what is chosen already', async () => {
  const target = '/do/display.update?user=ann%40example.com'
  const fields = { user: 'ann@example.com', timeZone: 'Asia/Kathmandu', locale: 'de-CH', _back: '/account' }
  expect((await ann.form('/do/display.update', fields)).headers.location).toBe('/account')

  expect(await page(ann, target)).toMatch(/<option value="Asia\/Kath?mandu" selected/)
  expect(await page(ann, target)).toContain('<option value="de-CH" selected')
})

it('is how pages tell moments and numbers from then on, to nobody else', async () => {
  await ann.call('PATCH', account('ann@example.com'), { timeZone: 'Asia/Kathmandu', locale: 'de-CH' })
  const ben = test.browser()
  await ben.signIn('ben@example.com', password)

  expect(await page(ann, '/account')).toMatch(/>\d\d\.\d\d\.20\d\d, \d\d:\d\d UTC\+05:45</)
  expect(await page(ann, '/account')).toMatch(/>1(?:’|&#39;|')234(?:’|&#39;|')567</)
  expect(await page(ann, '/users/ben@example.com')).toMatch(/\d\d:\d\d:\d\d UTC\+05:45<\/time> <span/)
  expect(await page(ben, '/account')).not.toContain('+05:45')
})

it('leaves what programs get as it was', async () => {
  const { createdAt } = (await ann.call('GET', '/api/v1/users/ben@example.com')).json()
  expect(createdAt).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

it('keeps what is not named, and goes back to UTC', async () => {
  await ann.call('PATCH', account('ann@example.com'), { timeZone: null })
  expect((await ann.call('GET', account('ann@example.com'))).json()).toMatchObject({ locale: 'de-CH', timeZone: null })
})

it.each([
  ['timeZone', 'Europe/Nowhere', 'a time zone such as Europe/Berlin or UTC'],
  ['timeZone', '+01:00', 'a time zone such as Europe/Berlin or UTC'],
  ['locale', 'tlh', 'one of en-GB'],
])('refuses the %s %s', async (field, value, accepted) => {
  const answer = await ann.call('PATCH', account('ann@example.com'), { [field]: value })
  expect(answer.status).toBe(422)
  expect(JSON.stringify(answer.json())).toContain(accepted)
})

it('is only its owner’s to choose', async () => {
  expect((await ann.call('PATCH', account('ben@example.com'), { timeZone: 'UTC' })).status).toBe(403)
})

it('that a newer version has written does not keep anybody from the pages', async () => {
  await test.panel.db.updateTable('users').set({ time_zone: 'Mars/Olympus', locale: 'tlh' }).execute()
  expect(await page(ann, '/account')).toMatch(/>20\d\d-\d\d-\d\d \d\d:\d\d UTC</)
})
