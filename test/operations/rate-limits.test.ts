/** How often somebody may come to the network's door. Few a minute, so that no slow machine gives one back meanwhile. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, type Browser } from './support/client.ts'
import { type TestPanel, testPanel, until } from './support/test-panel.ts'

let test: TestPanel
let admin: Browser
let other: Browser

beforeAll(async () => {
  test = await testPanel({
    isRateLimited: true,
    config: 'requests_per_minute: 400\nreads_per_minute: 6\nwrites_per_minute: 6',
  })
  admin = await test.administrator('admin@example.com')
  other = await test.administrator('other@example.com')
  for (const name of ['bakery', 'butcher']) await test.root('POST', '/api/v1/tenants', { name })
})

afterAll(() => test.stop())

describe('the limit of reads', () => {
  it('is told with each answer, and refuses with the seconds to wait; another person is not touched', async () => {
    const answers = []
    do answers.push(await admin.call('GET', '/api/v1/tenants'))
    while (answers.at(-1)?.status === 200 && answers.length < 1000)
    const last = answers.at(-1)

    expect(answers[0]?.headers['ratelimit-policy']).toBe('"reads";q=6;w=60')
    expect(answers[0]?.headers.ratelimit).toBe('"reads";r=1;t=10')
    expect(answers.length).toBeGreaterThan(2)
    expect(last?.status).toBe(429)
    expect(last?.headers['retry-after']).toMatch(/^\d+$/)
    expect(last?.headers.ratelimit).toMatch(/^"reads";r=0;t=\d+$/)
    expect(last?.json()).toMatchObject({
      code: 'too_many_requests',
      details: { retryAfterSeconds: expect.any(Number) },
    })
    expect((await other.call('GET', '/api/v1/tenants')).status).toBe(200)
    expect((await admin.ask({ path: '/' })).status).toBe(200)
  })
})

describe('the limit of changes', () => {
  it('counts plans and refused ones, too, in every view', async () => {
    for (let times = 0; times < 3; times++) {
      expect((await other.call('POST', '/api/v1/packages', { name: `p${times}` })).status).toBe(201)
      expect((await other.call('POST', '/api/v1/packages', { name: '' })).status).toBe(422)
    }
    const answers = []
    do answers.push(await other.call('POST', '/api/v1/packages', { name: '' }))
    while (answers.at(-1)?.status === 422 && answers.length < 1000)

    expect(answers.at(-1)?.status).toBe(429)
    expect(answers.at(-1)?.headers['ratelimit-policy']).toBe('"writes";q=6;w=60')
    // One may be given back between the two on a slow machine, but not each time.
    const plan = () => other.call('POST', '/api/v1/tenants/bakery/suspend?plan=1')
    const plans = [await plan()]
    while (plans.at(-1)?.status === 200 && plans.length < 10) plans.push(await plan())
    expect(plans.at(-1)?.status).toBe(429)
  })

  it('does not hold for root', async () => {
    for (let times = 0; times < 12; times++)
      expect((await test.root('POST', '/api/v1/packages', { name: `root-${times}` })).status).toBe(201)
  })
})

describe('the limit of sign-ins', () => {
  it('holds for an address', async () => {
    const guess = async () => (await test.browser().signIn('admin@example.com', 'something else')).status
    const statuses = []
    do statuses.push(await guess())
    while (statuses.at(-1) !== 429 && statuses.length < 100)

    expect(await guess()).toBe(429)
  })
})

describe('the limit of an address', () => {
  it('holds before anybody is known', async () => {
    const where = { port: test.panel.port }
    const statuses: number[] = []
    for (let round = 0; round < 100 && !statuses.includes(429); round++) {
      const answers = Array.from({ length: 40 }, () => ask(where, { path: '/healthz' }))
      statuses.push(...(await Promise.all(answers)).map(({ status }) => status))
    }
    const refused = await ask(where, { path: '/login', headers: { accept: 'text/html' } })

    expect(statuses).toContain(429)
    expect(refused.status).toBe(429)
    expect(refused.text).toContain('too_many_requests')
    expect(refused.headers['ratelimit-policy']).toBe('"requests";q=400;w=60')
    expect((await test.root('GET', '/api/v1/tenants')).status).toBe(200)
  })
})

describe('the audit trail', () => {
  const entries = async () => {
    const { items = [] } = (await test.root('GET', '/api/v1/audit?search=limit.&limit=100')).json()
    return items.map(({ action, actor, ip, outcome, metadata }) => ({ action, actor, ip, outcome, metadata }))
  }
  const from = { ip: '127.0.0.1', outcome: 'refused' }

  it('says once that a limit begins to refuse somebody, and later how often it did', async () => {
    const before = await until(async () => {
      const written = await entries()
      return written.length >= 4 && written
    })
    await test.restart()
    const after = await entries()

    const code = 'too_many_requests'
    const begun = [
      { action: 'limit.requests', actor: 'nobody', ...from, metadata: { code } },
      { action: 'limit.sign-ins', actor: 'nobody', ...from, metadata: { code } },
      { action: 'limit.writes', actor: 'other@example.com', ...from, metadata: { code } },
      { action: 'limit.reads', actor: 'admin@example.com', ...from, metadata: { code } },
    ]
    expect(before).toEqual(begun)
    const counted = after.slice(0, after.length - begun.length)
    expect(counted.map(({ action, actor, metadata }) => [action, actor, metadata])).toEqual(
      expect.arrayContaining([
        ['limit.writes', 'other@example.com', { code, refusals: expect.any(Number) }],
        ['limit.sign-ins', 'nobody', { code, refusals: expect.any(Number) }],
      ]),
    )
    expect((await test.root('GET', '/api/v1/audit/verify')).json()).toMatchObject({ ok: true })
  })
})
