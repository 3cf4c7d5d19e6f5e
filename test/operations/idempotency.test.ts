/** Calls that come again with the same Idempotency-Key. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, ask } from './support/client.ts'
import { failure } from './support/scripted-agent.ts'
import { password, type TestPanel, testPanel, until } from './support/test-panel.ts'

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

  describe('by somebody who prefers the job that is there', () => {
    const again = async (path: string, body: unknown, method = 'POST') => {
      const headers = { 'idempotency-key': crypto.randomUUID(), prefer: 'existing-job' }
      const {
        status,
        headers: given,
        text,
      } = await ask(
        { socketPath: test.panel.cliSocket },
        { method, path: `/api/v1${path}`, ...(method === 'DELETE' ? {} : { body }), headers },
      )
      return { status, isOld: given['idempotency-replayed'] === 'true', answer: JSON.parse(text) }
    }
    const ended = async (job: string) =>
      await until(async () => {
        const { state } = (await test.root('GET', `/api/v1/jobs/${job}`)).json()
        return state === 'succeeded' || state === 'failed' ? state : null
      })
    const once = async (path: string, body: unknown, method = 'POST') => {
      const made = await again(path, body, method)
      return { ...made, state: await ended(made.answer.jobId) }
    }

    it('gets it within an hour, from what is queued to what succeeded', async () => {
      const first = await again('/tenants', { name: 'cobbler' })
      const second = await again('/tenants', { name: 'cobbler' })
      await ended(first.answer.jobId)
      const third = await again('/tenants', { name: 'cobbler' })

      expect([first.status, first.isOld]).toEqual([202, false])
      for (const one of [second, third]) expect(one).toEqual({ ...first, isOld: true })
    })

    it('gets it for what is in the trash, and another one for what has the name since', async () => {
      await once('/tenants', { name: 'tailor' })
      await once('/domains', { tenant: 'tailor', fqdn: 'tailor.example.com' })
      const gone = await once('/domains/tailor.example.com', null, 'DELETE')
      const repeated = await again('/domains/tailor.example.com', null, 'DELETE')
      const anew = await once('/domains', { tenant: 'tailor', fqdn: 'tailor.example.com' })
      const second = await once('/domains/tailor.example.com', null, 'DELETE')

      expect([gone.isOld, repeated.isOld, repeated.answer.jobId]).toEqual([false, true, gone.answer.jobId])
      expect([anew.isOld, anew.state, second.isOld, second.state]).toEqual([false, 'succeeded', false, 'succeeded'])
      expect(second.answer.id).toBe(anew.answer.id)
    })

    it.each([
      ['its job failed', async () => {}, 'failed'],
      ['a job has changed it since', async () => void (await once('/tenants/smith/unsuspend', {})), 'succeeded'],
      [
        'a hold came and went since',
        async () => {
          await test.root('POST', '/api/v1/tenants/smith/suspend', { reason: 'abuse' })
          await test.root('POST', '/api/v1/tenants/smith/unsuspend', { reason: 'other' })
        },
        'succeeded',
      ],
      [
        'an hour has passed',
        async () => {
          const created_at = new Date(Date.now() - 3_600_000 - 1000).toISOString()
          await test.panel.db.updateTable('kept_answers').set({ created_at }).execute()
        },
        'succeeded',
      ],
    ])('gets no old one after %s', async (_, happens, state) => {
      await test.root('POST', '/api/v1/tenants', { name: 'smith' })
      for (const reason of ['abuse', 'other']) await test.root('POST', '/api/v1/tenants/smith/unsuspend', { reason })
      await until(async () => (await test.root('GET', '/api/v1/tenants/smith')).json().status === 'active')
      test.machine.play = () => (state === 'failed' ? failure : 'succeed')
      const first = await once('/tenants/smith/suspend', {})
      test.machine.play = () => 'succeed'
      await happens()
      const second = await again('/tenants/smith/suspend', {})
      if (second.answer.jobId) await ended(second.answer.jobId)

      expect(first.state).toBe(state)
      expect(second.isOld).toBe(false)
    })

    it('is of its actor alone', async () => {
      const browser = await test.administrator('second@example.com')
      const headers = { 'x-csrf-token': await browser.token(), 'sec-fetch-site': 'same-origin', prefer: 'existing-job' }
      const body = { name: 'weaver' }
      const first = await again('/tenants', body)
      await ended(first.answer.jobId)
      const other = await browser.ask({ method: 'POST', path: '/api/v1/tenants', body, headers })

      expect([first.status, other.status]).toEqual([202, 409])
    })
  })

  it.each([['with blanks'], [''], ['x'.repeat(129)], ['"open']])('must have a well-formed key: %j', async (key) => {
    expect((await send(key, '/api/v1/packages', { name: 'odd' })).status).toBe(400)
  })
})
