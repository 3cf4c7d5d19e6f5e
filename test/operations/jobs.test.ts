import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { wireVersion } from '../../src/contract/wire.ts'
import type { JobEvent } from '../../src/panel/jobs/job-events.ts'
import type { Answer } from './support/client.ts'
import { realPages } from './support/real-pages.ts'
import { failure, ScriptedAgent } from './support/scripted-agent.ts'
import { rootShell } from './support/shell.ts'
import { password, type TestPanel, type TestPanelOptions, testPanel, until } from './support/test-panel.ts'

let test: TestPanel

afterEach(() => test.stop())

async function start(options: TestPanelOptions = {}): Promise<void> {
  test = await testPanel(options)
  expect((await test.root('POST', '/api/v1/packages', { name: 'basic' })).status).toBe(201)
}

const createTenant = async (name: string) => {
  const answer = await test.root('POST', '/api/v1/tenants', { name })
  expect(answer.text).toContain('jobId')
  return answer.json() as { id: string; jobId: string }
}
const job = async (id: string) => (await test.root('GET', `/api/v1/jobs/${id}`)).json() as Record<string, unknown>
const ended = (id: string, state: string) => until(async () => ((await job(id)).state === state ? await job(id) : null))
const tenantStatus = async (id: string) => (await test.root('GET', `/api/v1/tenants/${id}`)).json().status
const sentJobs = () => test.machine.heard.flatMap((message) => (message.t === 'job' ? [message] : []))
const auditOf = async (action: string) => (await test.root('GET', `/api/v1/audit?action=${action}`)).json().items ?? []

describe('the life of a job', () => {
  it('answers 202 with the address of the job, and runs it to its end', async () => {
    await start()

    const answer: Answer = await test.root('POST', '/api/v1/tenants', { name: 'bakery' })

    const { id, jobId } = answer.json()
    expect(answer.status).toBe(202)
    expect(answer.headers.location).toBe(`/api/v1/jobs/${jobId}`)
    const done = await ended(String(jobId), 'succeeded')
    expect(done.steps).toMatchObject([
      { name: 'linux user', state: 'done' },
      { name: 'php pool', state: 'done' },
    ])
    expect(done.log).toEqual(['working'])
    expect(await tenantStatus(String(id))).toBe('active')
    expect(sentJobs()).toMatchObject([{ job: jobId, type: 'tenant.create', payload: { tenant: id, name: 'bakery' } }])
    await until(() => test.machine.heard.some((message) => message.t === 'ack' && message.job === jobId))
  })

  it('shows what failed, and leaves the tenant in error', async () => {
    await start({ machine: { play: () => failure } })

    const { id, jobId } = await createTenant('bakery')

    expect((await ended(jobId, 'failed')).failure).toEqual(failure)
    expect(await tenantStatus(id)).toBe('error')
    expect(test.log).toContainEqual(expect.objectContaining({ msg: 'a job failed', job: jobId, step: 'php pool' }))
  })

  it('tells listeners of each step in order', async () => {
    await start()
    const events: JobEvent[] = []
    test.panel.deps.jobEvents.followAll((event) => events.push(event))

    const { jobId } = await createTenant('bakery')
    await ended(jobId, 'succeeded')

    expect(events.map((event) => [event.kind, 'state' in event ? event.state : ''].join(' ').trim())).toEqual([
      'steps',
      'state running',
      'step done',
      'log',
      'step done',
      'state succeeded',
    ])
  })

  it('refuses a second change of the same tenant, naming the job that runs', async () => {
    await start({ machine: { play: () => 'hold' } })
    const { id, jobId } = await createTenant('bakery')

    const refused = await test.root('POST', `/api/v1/tenants/${id}/suspend`, {})

    expect(refused.status).toBe(409)
    expect(refused.text).toContain(jobId)
    expect((await auditOf('tenant.suspend')).map(({ outcome }) => outcome)).toEqual(['refused'])
  })

  it('keeps what belongs to its tenant from being changed: 409 in the API, a link on the page, 6 from wcp', async () => {
    await start({
      registerPages: realPages,
      machine: { play: ({ type }) => (type === 'tenant.suspend' ? 'hold' : 'succeed') },
    })
    const made = await test.root('POST', '/api/v1/tenants', { name: 'bakery', domain: 'shop.example.com' })
    await ended((made.json().domain as { jobId: string }).jobId, 'succeeded')
    const admin = await test.administrator('admin@example.com')
    const { jobId } = (await test.root('POST', '/api/v1/tenants/bakery/suspend', {})).json()
    await ended(String(jobId), 'running')

    const api = await test.root('PATCH', '/api/v1/domains/shop.example.com', { php: 'none' })
    const change = { domain: 'shop.example.com', aliases: 'www.shop.example.com', _do: 'run' }
    const page = await admin.form('/do/domain.update', change)
    const cli = await rootShell(test.panel.cliSocket).wcp(['domain', 'update', 'shop.example.com', '--php', 'none'])
    const read = await test.root('GET', '/api/v1/domains/shop.example.com')

    expect(api.json()).toMatchObject({ status: 409, code: 'busy', details: { job: jobId, type: 'tenant.suspend' } })
    expect(page.text).toContain(`href="/jobs/${jobId}"`)
    expect(cli).toMatchObject({ exit: 6, err: expect.stringContaining(`"wcp job watch ${jobId}"`) })
    expect([read.status, read.json().status]).toEqual([200, 'active'])
  })

  it('is tried again on its page, and on that of what it left in error, with what was sent', async () => {
    let play: 'succeed' | typeof failure = failure
    await start({ registerPages: realPages, machine: { play: () => play } })
    await test.root('POST', '/api/v1/packages', { name: 'large' })
    await test.root('POST', '/api/v1/users', { email: 'staff@example.com', password, role: 'system_admin' })
    await test.root('POST', '/api/v1/roles', { name: 'reader', scope: 'global', permissions: ['job.list', 'job.get'] })
    await test.root('POST', '/api/v1/users', { email: 'reader@example.com', password, role: 'reader' })
    const wish = { name: 'bakery', package: 'large', displayName: 'Müller & Söhne' }
    const { jobId } = (await test.root('POST', '/api/v1/tenants', wish)).json()
    const job = await ended(String(jobId), 'failed')
    const [admin, reader] = [test.browser(), test.browser()]
    await admin.signIn('staff@example.com', password)
    await reader.signIn('reader@example.com', password)
    const again = async (path: string) => /href="(\/do\/[^"]*)">Try again</.exec((await admin.ask({ path })).text)?.[1]

    const [ofJob, ofTenant] = [await again(`/jobs/${jobId}`), await again('/tenants/bakery')]
    const form = await admin.ask({ path: String(ofJob).replaceAll('&amp;', '&') })
    play = 'succeed'
    const sent = await admin.form('/do/tenant.create', { ...wish, _do: 'run' })

    expect(job.request).toEqual({ operation: 'tenant.create', input: wish })
    expect(ofTenant).toBe(ofJob)
    for (const value of ['bakery', 'Müller &amp; Söhne']) expect(form.text).toContain(`value="${value}"`)
    expect(form.text).toMatch(/<option value="large" selected>/)
    await ended(String(sent.headers.location?.split('/').at(-1)), 'succeeded')
    expect(await again('/tenants/bakery')).toBeUndefined()
    expect((await reader.call('GET', `/api/v1/jobs/${jobId}`)).json().request).toBeNull()
    expect((await reader.ask({ path: `/jobs/${jobId}` })).text).not.toContain('Try again')
  })

  it('runs tenants side by side up to the limit, and one tenant in order', async () => {
    await start({ machine: { play: () => 'hold' }, config: 'jobs_at_once: 2' })
    const first = await test.root('POST', '/api/v1/tenants', { name: 'one', domain: 'one.example.com' })
    expect(first.status).toBe(202)
    await createTenant('two')
    await createTenant('three')
    await until(() => sentJobs().length === 2)
    await sleep(200)
    expect(sentJobs().map(({ payload }) => payload.name)).toEqual(['one', 'two'])

    test.agent.finish(sentJobs()[0] as never, null)

    await until(() => sentJobs().length === 3)
    expect(sentJobs()[2]).toMatchObject({ type: 'domain.create', payload: { fqdn: 'one.example.com' } })
  })
})

describe('a job that a frozen agent does not take', () => {
  it('is told as stalled unsent, can be cancelled, and is taken up when the agent answers', async () => {
    await start({ machine: { isFrozen: true }, stallAfterMs: 200 })
    const hook = { name: 'ops', url: 'https://hooks.example.com/', events: ['job.stalled'] }
    expect((await test.root('POST', '/api/v1/webhooks', hook)).status).toBe(201)
    const taken = await createTenant('bakery')
    const cancelled = await createTenant('butcher')

    for (const { jobId } of [taken, cancelled])
      expect(await ended(jobId, 'stalled')).toMatchObject({ attempts: 0, startedAt: null })
    const told = (await test.root('GET', '/api/v1/webhooks/ops/deliveries')).json().items
    const answer = await test.root('POST', `/api/v1/jobs/${cancelled.jobId}/cancel`)
    test.machine.isFrozen = false

    await ended(taken.jobId, 'succeeded')
    expect(told).toMatchObject([{ event: 'job.stalled' }, { event: 'job.stalled' }])
    expect([answer.status, (await job(cancelled.jobId)).state]).toEqual([200, 'cancelled'])
    expect([await tenantStatus(taken.id), await tenantStatus(cancelled.id)]).toEqual(['active', 'error'])
    expect(sentJobs().map((sent) => sent.job)).toEqual([taken.jobId])
  })

  it('has a page that says so, with a button that cancels it, unless it was sent', async () => {
    await start({ machine: { isFrozen: true }, stallAfterMs: 200, registerPages: realPages })
    const browser = await test.administrator('ann@example.com')
    const { jobId } = await createTenant('bakery')
    await ended(jobId, 'stalled')
    const page = async (id: string) => (await browser.ask({ path: `/jobs/${id}` })).text
    const form = `/do/job.cancel?job=${jobId}`

    const stalled = await page(jobId)
    expect(stalled).toContain('The job has stalled: the root side does not take it.')
    expect(stalled).toContain('It is taken up when the root side answers again')
    expect(stalled).toContain(`href="${form}"`)
    expect((await browser.ask({ path: form })).text).toMatch(/Cancel[\s\S]*name="job"/)
    expect((await browser.form('/do/job.cancel', { job: jobId, _do: 'run' })).status).toBe(303)

    expect((await job(jobId)).state).toBe('cancelled')
    const cancelled = await page(jobId)
    expect(cancelled).toContain('The job was cancelled before it began.')
    expect(cancelled).not.toContain('/do/job.cancel')
  })

  it('has no such button once it was sent', async () => {
    await start({ machine: { play: () => 'ignore' }, stallAfterMs: 200, registerPages: realPages })
    const browser = await test.administrator('ann@example.com')
    const { jobId } = await createTenant('bakery')
    await ended(jobId, 'stalled')

    const page = (await browser.ask({ path: `/jobs/${jobId}` })).text

    expect(page).toContain('The job has stalled: the root side does not take it.')
    expect(page).not.toContain('/do/job.cancel')
  })

  it('has printed nothing while it is on its way to the root side', async () => {
    await start({
      machine: { play: ({ type }) => (type === 'domain.run' ? 'ignore' : 'succeed'), hasJob: () => false },
    })
    const { jobId } = (await test.root('POST', '/api/v1/tenants', { name: 'bakery', domain: 'bakery.test' })).json()
    await ended(String(jobId), 'succeeded')
    const site = '/api/v1/domains/bakery.test'
    await until(async () => (await test.root('GET', site)).json().status === 'active')
    const { jobId: run } = (await test.root('POST', `${site}/run`, { command: ['true'] })).json()

    const output = await test.root('GET', `/api/v1/jobs/${run}/output`)

    expect([output.status, output.json()]).toEqual([200, { text: '', from: 0, next: 0, state: 'queued' }])
  })

  it('cannot be cancelled once it was sent', async () => {
    await start({ machine: { play: () => 'ignore' }, stallAfterMs: 200 })
    const { jobId } = await createTenant('bakery')
    await ended(jobId, 'stalled')

    const answer = await test.root('POST', `/api/v1/jobs/${jobId}/cancel`)

    expect([answer.status, answer.text]).toEqual([409, expect.stringContaining('handed over')])
  })
})

describe('a job whose agent is silent', () => {
  it('stalls with an alert, and goes on when the agent is heard again', async () => {
    await start({ machine: { play: () => 'hold' }, stallAfterMs: 1500 })
    const { id, jobId } = await createTenant('bakery')

    await ended(jobId, 'stalled')
    expect(test.log).toContainEqual(expect.objectContaining({ level: 50, msg: 'a job has stalled', job: jobId }))

    test.agent.tell({ t: 'heartbeat', job: jobId as never })
    await ended(jobId, 'running')
    test.agent.finish(sentJobs()[0] as never, null)
    await ended(jobId, 'succeeded')
    expect(await tenantStatus(id)).toBe('active')
  })

  it('does not stall while heartbeats come', async () => {
    await start({ machine: { play: () => 'hold' }, stallAfterMs: 3000 })
    const { jobId } = await createTenant('bakery')
    for (let beat = 0; beat < 16; beat++) {
      test.agent.tell({ t: 'heartbeat', job: jobId as never })
      await sleep(250)
    }

    expect((await job(jobId)).state).toBe('running')
    expect(test.log.filter(({ msg }) => msg === 'a job has stalled')).toEqual([])
  })

  it('is not sent again by itself', async () => {
    await start({ machine: { play: () => 'hold' }, stallAfterMs: 200 })
    const { jobId } = await createTenant('bakery')

    await ended(jobId, 'stalled')
    await sleep(300)

    expect(sentJobs()).toHaveLength(1)
  })
})

describe('after a lost connection', () => {
  it('takes the end that the agent kept, without a second run', async () => {
    await start({ machine: { play: () => 'hold' } })
    const { id, jobId } = await createTenant('bakery')
    await ended(jobId, 'running')
    await test.agent.hangUp()
    const [sent] = sentJobs()
    test.machine.results.set(`${jobId} ${sent?.token}`, null)

    await test.dial()

    await ended(jobId, 'succeeded')
    expect(await tenantStatus(id)).toBe('active')
    expect(sentJobs().map(({ token }) => token)).toEqual([sent?.token, sent?.token])
  })

  it('sends what was queued meanwhile', async () => {
    await start({ withoutAgent: true })
    const { jobId } = await createTenant('bakery')
    expect((await job(jobId)).state).toBe('queued')

    await test.dial()

    await ended(jobId, 'succeeded')
  })

  it('does not send a job that the agent says it is running', async () => {
    await start({ machine: { play: () => 'hold' } })
    const { jobId } = await createTenant('bakery')
    await ended(jobId, 'running')
    await test.agent.hangUp()
    test.machine.running = [jobId as never]

    await test.dial()
    await sleep(200)

    expect(sentJobs()).toHaveLength(1)
    test.agent.finish(sentJobs()[0] as never, null)
    await ended(jobId, 'succeeded')
  })

  it('goes on after a restart of the panel', async () => {
    await start({ machine: { play: () => 'hold' } })
    const { id, jobId } = await createTenant('bakery')
    await ended(jobId, 'running')
    const [sent] = sentJobs()
    test.machine.results.set(`${jobId} ${sent?.token}`, null)

    await test.restart()

    await ended(jobId, 'succeeded')
    expect(await tenantStatus(id)).toBe('active')
  })

  it('acknowledges an end that is told twice, and stores it once', async () => {
    await start()
    const { jobId } = await createTenant('bakery')
    const before = await ended(jobId, 'succeeded')
    const [sent] = sentJobs()

    test.agent.finish(sent as never, failure)

    await until(() => test.machine.heard.filter((message) => message.t === 'ack').length === 2)
    expect(await job(jobId)).toEqual(before)
  })

  it('lets nothing happen for an end with a foreign token', async () => {
    await start({ machine: { play: () => 'hold' } })
    const { jobId } = await createTenant('bakery')
    await ended(jobId, 'running')

    test.agent.tell({ t: 'finished', job: jobId as never, token: 99, failure: null })

    await until(() => test.machine.heard.some((message) => message.t === 'ack'))
    expect((await job(jobId)).state).toBe('running')
  })
})

describe('the line to the agent', () => {
  it('keeps the connection and drops the news of a job that the store does not know', async () => {
    await start()

    test.agent.tell({
      t: 'step',
      job: '3f0c1d9e-8a52-4d5b-9f5e-0d1a2b3c4d5e' as never,
      index: 0,
      name: 'x',
      state: 'done',
      note: null,
    })

    await until(() => test.log.some(({ msg }) => msg === 'the agent tells of an unknown job'))
    expect(test.panel.deps.agent.connected).toBe(true)
  })

  it('turns a second agent away and keeps the first', async () => {
    await start()

    const second = await ScriptedAgent.dial(test.panel.agentSocket, test.machine)

    await second.closed
    const { jobId } = await createTenant('bakery')
    await ended(jobId, 'succeeded')
  })

  it.each([
    ['another wire version', { wire: wireVersion + 1 }],
    ['a wire version of the past', { wire: 0 }],
  ])('refuses %s', async (_, hello) => {
    await start({ withoutAgent: true })

    const agent = await ScriptedAgent.dial(test.panel.agentSocket, test.machine, hello)

    await agent.closed
    expect(test.panel.deps.agent.connected).toBe(false)
    expect(test.log).toContainEqual(expect.objectContaining({ level: 50, msg: 'the line to the agent was closed' }))
  })

  it.each([
    ['an unknown message', frame('{"t":"shell","command":"id"}')],
    ['an extra key', frame('{"t":"heartbeat","job":"3f0c1d9e-8a52-4d5b-9f5e-0d1a2b3c4d5e","x":1}')],
    ['a second hello', frame(JSON.stringify(hello()))],
    ['white space', frame('{ "t":"heartbeat"}')],
    ['a frame of 4 GiB', Buffer.from([255, 255, 255, 255])],
    ['an empty frame', Buffer.from([0, 0, 0, 0])],
  ])('closes at %s', async (_, bytes) => {
    await start()

    test.agent.write(bytes)

    await test.agent.closed
    await until(() => !test.panel.deps.agent.connected)
    await test.dial()
    const { jobId } = await createTenant('bakery')
    await ended(jobId, 'succeeded')
  })

  it('answers 503 to what needs the machine while the agent is away', async () => {
    await start({ withoutAgent: true })

    const answer = await test.root('GET', '/api/v1/health')

    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('5')
    expect(answer.json().code).toBe('unavailable')
  })
})

describe('the trash', () => {
  it('is emptied after thirty days by a job of the panel itself', async () => {
    await start()
    const { id, jobId } = await createTenant('bakery')
    await ended(jobId, 'succeeded')
    const deleted = (await test.root('DELETE', `/api/v1/tenants/${id}`)).json()
    await ended(String(deleted.jobId), 'succeeded')
    const long = new Date(Date.now() - 31 * 86_400_000).toISOString()
    await test.panel.housekeeping.purge()
    expect(sentJobs().map(({ type }) => type)).toEqual(['tenant.create', 'tenant.delete'])
    await test.panel.db.updateTable('tenants').set({ deleted_at: long }).where('id', '=', id).execute()

    // a clock that has just jumped may be the only reason why it is old
    await test.panel.housekeeping.purge()
    expect(sentJobs().map(({ type }) => type)).toEqual(['tenant.create', 'tenant.delete'])
    const steady = JSON.stringify({ since: Date.now() - 86_400_000, last: Date.now() })
    await test.panel.db.updateTable('settings').set({ value: steady }).where('key', '=', 'housekeeping.clock').execute()
    await test.panel.housekeeping.purge()

    await until(() => sentJobs().some(({ type }) => type === 'tenant.purge'))
    await until(async () => (await test.root('GET', `/api/v1/tenants/${id}`)).status === 404)
  })
})

function frame(text: string): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(Buffer.byteLength(text))
  return Buffer.concat([length, Buffer.from(text)])
}

function hello() {
  return {
    t: 'hello',
    wire: 1,
    version: 'x',
    setupOpen: true,
    readOnly: null,
    running: [],
    php: [],
    unenforced: [],
    epoch: 0,
    trail: null,
  }
}

describe('a job that the brake of the root side holds', () => {
  const deleteTenant = async (name: string) => {
    const { id } = await createTenant(name)
    await until(async () => (await tenantStatus(id)) === 'active')
    const { jobId } = (await test.root('DELETE', `/api/v1/tenants/${name}`)).json()
    return { id, jobId: String(jobId) }
  }

  it('waits, says why once, lets others pass, and goes when it may', async () => {
    let isHeld = true
    const play = ({ type }: { type: string }) => (isHeld && type === 'tenant.delete' ? 'brake' : 'succeed')
    await start({ holdMs: 50, machine: { play } })
    const { id, jobId } = await deleteTenant('bakery')
    await until(() => sentJobs().filter((sent) => sent.job === jobId).length > 2)

    const waiting = await job(jobId)
    await ended((await createTenant('butcher')).jobId, 'succeeded')
    isHeld = false
    await ended(jobId, 'succeeded')

    expect(waiting).toMatchObject({ state: 'queued', log: ['waits for root'] })
    expect((await test.root('GET', `/api/v1/tenants/${id}`)).json().status).toBe('deleted')
  })

  it('can be cancelled', async () => {
    await start({ machine: { play: ({ type }) => (type === 'tenant.delete' ? 'brake' : 'succeed') } })
    const { id, jobId } = await deleteTenant('bakery')
    await until(async () => JSON.stringify(await job(jobId)).includes('waits for root'))

    expect((await test.root('POST', `/api/v1/jobs/${jobId}/cancel`)).status).toBe(200)
    expect(await tenantStatus(id)).toBe('active')
  })
})
