/** Webhooks, against a real HTTPS receiver on the loopback. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Received, type Receiver, startReceiver } from './support/receiver.ts'
import { type TestPanel, testPanel, until } from './support/test-panel.ts'

let receiver: Receiver
let test: TestPanel

beforeAll(async () => {
  receiver = await startReceiver()
  test = await testPanel({ config: 'webhook_targets: any', webhookCa: receiver.ca })
  await test.root('POST', '/api/v1/packages', { name: 'basic' })
})

afterAll(async () => {
  await test.stop()
  await receiver.stop()
})

beforeEach(async () => {
  receiver.answer = 204
  for (const { id } of (await test.root('GET', '/api/v1/webhooks')).json().items ?? [])
    await test.root('DELETE', `/api/v1/webhooks/${id}`)
  receiver.received.length = 0
})

async function hook(name: string, events: readonly string[]): Promise<Buffer> {
  const answer = await test.root('POST', '/api/v1/webhooks', { name, url: `${receiver.url}/${name}`, events })
  expect(answer.status).toBe(201)
  return Buffer.from(String(answer.json().secret).replace('whsec_', ''), 'base64')
}

const to = (name: string) => receiver.received.filter(({ path }) => path === `/${name}`)
const typesTo = (name: string) => to(name).map(({ body }) => JSON.parse(body).type)
const get = async (name: string) => (await test.root('GET', `/api/v1/webhooks/${name}`)).json()
const deliveries = async (name: string, state = '') =>
  (await test.root('GET', `/api/v1/webhooks/${name}/deliveries${state && `?state=${state}`}`)).json().items ?? []
/** As if the pause were over. */
const hurry = () =>
  test.panel.db
    .updateTable('webhook_deliveries')
    .set({ next_try_at: new Date().toISOString() })
    .where('state', '=', 'queued')
    .execute()

function isSigned({ headers, body }: Received, secret: Buffer): boolean {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  return headers['webhook-signature'] === `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`
}

describe('an event', () => {
  it('is sent signed to those who want it: changes as they are accepted, and the ends of jobs', async () => {
    const secret = await hook('all', ['*'])
    await hook('jobs', ['job.*'])
    await hook('other', ['domain.create'])
    const made = (await test.root('POST', '/api/v1/tenants', { name: 'bakery' })).json()
    await until(() => typesTo('jobs').includes('job.succeeded'))
    await until(() => typesTo('all').length >= 5)

    const created = ['webhook.create', 'webhook.create', 'webhook.create']
    expect(typesTo('all').sort()).toEqual(['job.succeeded', 'tenant.create', ...created])
    expect(typesTo('jobs')).toEqual(['job.succeeded'])
    expect(typesTo('other')).toEqual([])
    for (const one of to('all')) {
      expect(isSigned(one, secret)).toBe(true)
      expect(Math.abs(Number(one.headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(600)
    }
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(receiver.received.length)
    const news = to('all')
      .map(({ body }) => JSON.parse(body))
      .find(({ type }) => type === 'tenant.create')
    expect(news.data).toMatchObject({ actor: 'root', id: made.id, jobs: [made.jobId], tenant: made.id })
    const ended = JSON.parse(to('jobs')[0]?.body ?? '{}')
    expect(ended.data).toMatchObject({
      job: { id: made.jobId, type: 'tenant.create' },
      resource: { kind: 'tenant', name: 'bakery' },
      failure: null,
    })
  })

  it('is not told of what was refused or only planned', async () => {
    await hook('all', ['tenant.*'])
    expect((await test.root('POST', '/api/v1/tenants', { name: '!' })).status).toBe(422)
    expect((await test.root('POST', '/api/v1/tenants?plan=1', { name: 'planned' })).status).toBe(200)
    expect(await deliveries('all')).toEqual([])
  })

  it('never holds a secret of the input', async () => {
    await hook('users', ['user.*'])
    const body = { email: 'ann@example.com', password: 'a quiet river 7', role: 'system_admin' }
    expect((await test.root('POST', '/api/v1/users', body)).status).toBe(201)
    await until(() => to('users').length > 0)

    expect(to('users')[0]?.body).not.toContain('river')
  })
})

describe('an address that does not take it', () => {
  it.each([500, 302, 404])('is asked again later, with the same id, and each try is seen: %i', async (status) => {
    receiver.answer = status
    await hook('flaky', ['package.create'])
    await test.root('POST', '/api/v1/packages', { name: `p${status}` })
    const [first] = await until(async () => {
      const all = await deliveries('flaky')
      return all[0]?.attempts === 1 ? all : null
    })
    expect(first).toMatchObject({ state: 'queued', tries: [{ status, problem: `it answered ${status}` }] })
    expect((await get('flaky')).failingSince).not.toBeNull()
    receiver.answer = 200
    await hurry()
    const [second] = await until(async () => {
      const all = await deliveries('flaky', 'delivered')
      return all.length === 1 ? all : null
    })

    expect(second).toMatchObject({ id: first?.id, attempts: 2, tries: [{ status }, { status: 200, problem: null }] })
    expect(new Set(to('flaky').map(({ headers }) => headers['webhook-id']))).toEqual(new Set([first?.id]))
    expect((await get('flaky')).failingSince).toBeNull()
  })

  it('is given up after ten tries, and can be sent again by hand', async () => {
    receiver.answer = 500
    await hook('dead', ['package.create'])
    await test.root('POST', '/api/v1/packages', { name: 'dead' })
    await until(async () => (await deliveries('dead'))[0]?.attempts === 1)
    for (let attempts = 2; attempts <= 10; attempts++) {
      await hurry()
      await until(async () => (await deliveries('dead'))[0]?.attempts === attempts)
    }
    const [given] = await deliveries('dead')
    expect(given?.state).toBe('failed')
    receiver.answer = 200
    expect((await test.root('POST', `/api/v1/webhooks/dead/deliveries/${given?.id}/redeliver`)).status).toBe(200)
    await until(async () => (await deliveries('dead', 'delivered')).length === 1)

    expect(to('dead')).toHaveLength(11)
    expect((await test.root('POST', `/api/v1/webhooks/flaky/deliveries/${given?.id}/redeliver`)).status).toBe(404)
  })

  it('is switched off when it says 410, and after five days; switched on it gets what waited', async () => {
    receiver.answer = 410
    await hook('gone', ['package.create'])
    await test.root('POST', '/api/v1/packages', { name: 'gone1' })
    await until(async () => (await get('gone')).isActive === false)
    expect((await get('gone')).disabledReason).toContain('410')
    await test.root('POST', '/api/v1/packages', { name: 'gone2' })
    expect(await deliveries('gone')).toHaveLength(1)

    receiver.answer = 500
    expect((await test.root('PATCH', '/api/v1/webhooks/gone', { isActive: true })).status).toBe(200)
    const longAgo = new Date(Date.now() - 6 * 86_400_000).toISOString()
    await test.panel.db.updateTable('webhooks').set({ failing_since: longAgo }).execute()
    await hurry()
    await until(async () => (await get('gone')).isActive === false)
    expect((await get('gone')).disabledReason).toContain('five days')

    receiver.answer = 200
    await test.root('PATCH', '/api/v1/webhooks/gone', { isActive: true })
    await hurry()
    await until(async () => (await deliveries('gone', 'delivered')).length === 1)
    expect(await get('gone')).toMatchObject({ isActive: true, disabledReason: null, failingSince: null })
  })
})

describe('the outbox', () => {
  it('survives the end of the panel: what waited is sent by the next one', async () => {
    receiver.answer = 500
    await hook('patient', ['package.create'])
    await test.root('POST', '/api/v1/packages', { name: 'patient' })
    await until(async () => (await deliveries('patient'))[0]?.attempts === 1)
    await hurry()
    await test.restart()
    receiver.answer = 200
    await hurry()
    await until(async () => (await deliveries('patient', 'delivered')).length === 1)

    expect(new Set(to('patient').map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  })

  it('is in the transaction of the change: without the change there is no event', async () => {
    await hook('all', ['*'])
    const before = (await deliveries('all')).length
    expect((await test.root('POST', '/api/v1/packages', { name: 'basic' })).status).toBe(409)
    expect(await deliveries('all')).toHaveLength(before)
  })

  it('has nothing to send for a webhook that goes to the trash', async () => {
    receiver.answer = 500
    await hook('short', ['package.create'])
    await test.root('POST', '/api/v1/packages', { name: 'short' })
    await until(async () => (await deliveries('short'))[0]?.attempts === 1)
    expect((await test.root('DELETE', '/api/v1/webhooks/short')).status).toBe(200)
    const rows = test.panel.db.selectFrom('webhook_deliveries').selectAll()
    expect(await rows.where('state', '=', 'queued').execute()).toEqual([])
  })
})

describe('a webhook', () => {
  it('shows its secret once, keeps it sealed, and can be tried', async () => {
    const secret = await hook('once', ['job.failed'])
    const [row] = await test.panel.db.selectFrom('webhooks').selectAll().where('name', '=', 'once').execute()
    expect(row).toBeDefined()
    expect(JSON.stringify(row)).not.toContain(secret.toString('base64'))
    expect(JSON.stringify(await get('once'))).not.toContain('whsec')
    expect((await test.root('POST', '/api/v1/webhooks/once/test')).status).toBe(200)
    const [sent] = await until(() => (to('once').length > 0 ? to('once') : null))

    expect(sent && isSigned(sent, secret)).toBe(true)
    expect(typesTo('once')).toEqual(['webhook.test'])
  })

  it.each([
    ['url', { url: 'http://hooks.example.com/' }],
    ['url', { url: 'https://user:pw@hooks.example.com/' }],
    ['url', { url: 'https://hooks.example.com/#part' }],
    ['url', { url: 'file:///etc/passwd' }],
    ['url', { url: 'https://hooks.example.com/\r\nX: y' }],
    ['url', { url: 'https:127.0.0.1' }],
    ['events.0', { events: ['nothing.here'] }],
    ['events.0', { events: ['tenant.list'] }],
    ['events', { events: [] }],
    ['name', { name: 'Ünï' }],
  ])('refuses a wrong %s', async (field, wrong) => {
    const body = { name: 'odd', url: receiver.url, events: ['*'], ...wrong }
    const answer = await test.root('POST', '/api/v1/webhooks', body)

    expect(answer.status).toBe(422)
    expect(answer.json().fields).toMatchObject([{ field }])
  })

  it('leads to no address inside unless the configuration lets it', async () => {
    const strict = await testPanel({ webhookCa: receiver.ca, withoutAgent: true })
    try {
      await strict.root('POST', '/api/v1/webhooks', { name: 'inside', url: receiver.url, events: ['*'] })
      await strict.root('POST', '/api/v1/webhooks/inside/test')
      const [one] = await until(async () => {
        const all = (await strict.root('GET', '/api/v1/webhooks/inside/deliveries')).json().items ?? []
        const tried = all.filter(({ attempts }) => attempts === 1)
        return tried.length > 0 ? tried : null
      })
      expect(one?.tries).toMatchObject([{ status: null, problem: expect.stringContaining('no address of the public') }])
      expect(receiver.received).toEqual([])
    } finally {
      await strict.stop()
    }
  })
})
