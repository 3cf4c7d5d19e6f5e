/** The terminal page takes calls of the API as they are, and the words of a session that are no operation. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Browser } from './support/client.ts'
import { realPages } from './support/real-pages.ts'
import { password } from './support/test-panel.ts'
import { type World, world } from './support/world.ts'

let here: World
let person: Browser

const type = (line: string) => person.form('/terminal', { line })
const plain = (html: string) => html.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&')
const lastEntry = async () => {
  const { text } = await person.ask({ path: '/terminal' })
  return plain(text.split('<li class="term-entry">').at(-1) ?? '').split('</li>')[0] ?? ''
}
const said = async (line: string) => {
  expect((await type(line)).headers.location).toBe('/terminal#line')
  return await lastEntry()
}

beforeAll(async () => {
  here = await world({ registerPages: realPages })
})
beforeEach(async () => {
  person = here.test.browser()
  expect((await person.signIn('admin@example.com', password)).status).toBe(303)
})
afterAll(() => here.test.stop())

describe('a call of the API on the terminal page', () => {
  it('answers what REST answers, raw', async () => {
    const rest = await person.call('GET', '/api/v1/tenants?limit=1')

    const shown = await said('GET /api/v1/tenants?limit=1')

    expect(shown).toContain('HTTP 200')
    expect(shown).toContain(JSON.stringify(rest.json(), null, 2))
  })

  it('changes what REST changes, and leads to the job', async () => {
    const shown = await said('POST /api/v1/tenants {"name": "florist"}')

    expect(shown).toContain('POST /api/v1/tenants {"name":"florist"}')
    expect(shown).toContain('HTTP 202')
    expect(shown).toMatch(/href="\/jobs\/[\da-f-]{36}"/)
    expect((await person.call('GET', '/api/v1/tenants/florist')).status).toBe(200)
  })

  it('plans without an effect', async () => {
    expect(await said('DELETE /api/v1/tenants/butcher?plan=1')).toContain('"plan"')
    expect((await person.call('GET', '/api/v1/tenants/butcher')).json()).toMatchObject({ deletedAt: null })
  })

  it.each([
    ['GET /api/v1/nothing', 404, 'not_found'],
    ['GET /api/v1/tenants/%zz', 400, 'malformed'],
    ['POST /api/v1/tenants {"name": "a", "name": "b"}', 400, 'malformed'],
    ['POST /api/v1/tenants ["a"]', 422, 'bad_input'],
    ['POST /api/v1/tenants?name=a', 422, 'bad_input'],
    ['GET /api/v1/health/drift?plan=1', 422, 'bad_input'],
  ])('refuses %s', async (line, status, code) => {
    const shown = await said(line)
    expect(shown).toContain(`HTTP ${status}`)
    expect(shown).toContain(`"code": "${code}"`)
  })

  it('asks for no more than REST does, and grants no more', async () => {
    person = here.customer

    expect(await said('GET /api/v1/settings')).toContain('HTTP 403')
    expect(await said('GET /api/v1/tenants/butcher')).toContain('HTTP 404')
  })

  it('keeps no secret', async () => {
    for (const body of ['{"password": "battery staple horse"}', '{"password": "battery staple horse"'])
      expect(await said(`PATCH /api/v1/users/baker@example.com ${body}`)).not.toContain('staple')
  })
})

describe('words of the session', () => {
  it('lead to the confirmation, and back', async () => {
    expect((await type('confirm')).headers.location).toBe('/confirm?next=%2Fterminal')
  })

  it('end acting as another person', async () => {
    await said('user impersonate baker@example.com --yes')
    expect(await said('GET /api/v1/settings')).toContain('HTTP 403')
    await type('return')
    expect(await said('GET /api/v1/settings')).toContain('HTTP 200')
  })

  it('say that nobody acts as another person', async () => {
    expect((await type('return')).status).toBe(409)
  })

  it('sign out', async () => {
    expect((await type('logout')).headers.location).toBe('/login')
    expect((await person.ask({ path: '/terminal' })).headers.location).toContain('/login')
  })
})
