/** Calls that come again with the same Idempotency-Key. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, ask } from './support/client.ts'
import { password, type TestPanel, testPanel } from './support/test-panel.ts'

let test: TestPanel

beforeAll(async () => {
  test = await testPanel()
  await test.root('POST', '/api/v1/packages', { name: 'basic' })
})

afterAll(() => test.stop())

const send = (key: string, path: string, body: unknown): Promise<Answer> =>
  ask({ socketPath: test.panel.cliSocket }, { method: 'POST', path, body, headers: { 'idempotency-key': key } })
const tenants = async () => (await test.root('GET', '/api/v1/tenants')).json().items?.map(({ name }) => name)
const jobs = async () => (await test.root('GET', '/api/v1/jobs')).json().items?.length

describe('a call that comes again with its key', () => {
  it('gets the first answer and is not done again, also by the next life of the panel', async () => {
    const body = { name: 'bakery' }
    const first = await send('key-1', '/api/v1/tenants', body)
    const queued = await jobs()
    const second = await send('"key-1"', '/api/v1/tenants', body)
    await test.restart()
    const third = await send('key-1', '/api/v1/tenants', body)

    expect(first.status).toBe(202)
    expect(first.headers['idempotency-replayed']).toBeUndefined()
    for (const again of [second, third]) {
      expect([again.status, again.text, again.headers.location]).toEqual([202, first.text, first.headers.location])
      expect(again.headers['idempotency-replayed']).toBe('true')
    }
    expect(await jobs()).toBe(queued)
  })

  it('is known however its body is written', async () => {
    const one = await send('key-2', '/api/v1/packages', '{"name":"large","memMb":100}')
    const other = await send('key-2', '/api/v1/packages', '{ "memMb": 100, "name": "large" }')

    expect([one.status, other.status]).toEqual([400, 400]) // no content type: neither was made
    const headers = { 'idempotency-key': 'key-2', 'content-type': 'application/json' }
    const typed = (body: string) =>
      ask({ socketPath: test.panel.cliSocket }, { method: 'POST', path: '/api/v1/packages', body, headers })
    const made = await typed('{"name":"large","memMb":100}')
    const again = await typed('{ "memMb": 100, "name": "large" }')
    expect([made.status, again.status, again.text]).toEqual([201, 201, made.text])
  })

  it.each([
    ['other input', '/api/v1/packages', { name: 'another' }],
    ['another operation', '/api/v1/roles', { name: 'odd', scope: 'local', permissions: ['domain.get'] }],
  ])('is refused with %s', async (_, path, body) => {
    await send('key-3', '/api/v1/packages', { name: 'third' })
    const answer = await send('key-3', path, body)

    expect(answer.status).toBe(422)
    expect(answer.json().fields).toMatchObject([{ field: 'Idempotency-Key' }])
  })

  it('is judged anew after a refusal, which has changed nothing', async () => {
    const body = { tenant: 'florist', fqdn: 'florist.example.com' }
    expect((await send('key-4', '/api/v1/domains', body)).status).toBe(404)
    await test.root('POST', '/api/v1/tenants', { name: 'florist' })

    expect((await send('key-4', '/api/v1/domains', body)).status).not.toBe(404)
  })

  it('is made once when many come at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => send('key-5', '/api/v1/tenants', { name: 'butcher' })),
    )
    const made = answers.filter(({ status }) => status === 202)
    const waiting = answers.filter(({ status }) => status === 409)

    expect(new Set(made.map(({ text }) => text)).size).toBe(1)
    expect(made.length + waiting.length).toBe(8)
    expect(waiting.every(({ text }) => text.includes('being worked on'))).toBe(true)
    expect((await tenants())?.filter((name) => name === 'butcher')).toHaveLength(1)
  })

  it('is of its actor alone', async () => {
    const admin = { email: 'admin@example.com', password, role: 'system_admin' }
    const first = await send('key-6', '/api/v1/users', admin)
    const browser = test.browser()
    await browser.signIn(admin.email, password)
    const headers = {
      'idempotency-key': 'key-6',
      'x-csrf-token': await browser.token(),
      'sec-fetch-site': 'same-origin',
    }
    const other = await browser.ask({ method: 'POST', path: '/api/v1/packages', body: { name: 'theirs' }, headers })

    expect([first.status, other.status]).toEqual([201, 201])
  })

  it('leaves neither the input nor the answer readable in the store', async () => {
    const answer = await send('key-7', '/api/v1/users/admin@example.com/reset-link', {})
    const rows = await test.panel.db.selectFrom('kept_answers').selectAll().execute()

    expect(answer.status).toBe(200)
    expect((await send('key-7', '/api/v1/users/admin@example.com/reset-link', {})).text).toBe(answer.text)
    expect(rows.length).toBeGreaterThan(4)
    expect(JSON.stringify(rows)).not.toMatch(/link|admin@example|key-7|bakery/)
  })

  it('is forgotten after a day', async () => {
    const yesterday = new Date(Date.now() - 24 * 3_600_000 - 1000).toISOString()
    await test.panel.db.updateTable('kept_answers').set({ created_at: yesterday }).execute()
    expect((await send('key-1', '/api/v1/packages', { name: 'fresh' })).status).toBe(201)
    await test.panel.housekeeping.purge()

    expect(await test.panel.db.selectFrom('kept_answers').selectAll().execute()).toHaveLength(1)
  })

  it.each([['with blanks'], [''], ['x'.repeat(129)], ['"open']])('must have a well-formed key: %j', async (key) => {
    expect((await send(key, '/api/v1/packages', { name: 'odd' })).status).toBe(400)
  })
})
