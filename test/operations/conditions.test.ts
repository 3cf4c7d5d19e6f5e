/** Conditions from the machine to the people: mail, webhook, overview; once when they begin and once when they are over. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { realPages } from './support/real-pages.ts'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { type TestPanel, testPanel, until } from './support/test-panel.ts'

let test: TestPanel
let smtp: SMTPServer
let receiver: Receiver
const received: { to: string; raw: string }[] = []
const gib = 1024 ** 3
const quick = { everyMs: 20, raisedForMs: 0, clearedForMs: 0, mailEveryMs: 0 }
const services = (names: readonly string[]) =>
  names.map((name) => ({ name, state: 'failed', detail: 'it answers nobody' }) as const)

beforeEach(async () => {
  received.length = 0
  receiver = await startReceiver()
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    async onData(stream, { envelope }, callback) {
      const raw = await text(stream)
      for (const { address } of envelope.rcptTo) received.push({ to: address, raw })
      callback()
    },
  })
  smtp.listen(0, '127.0.0.1')
  await once(smtp.server, 'listening')
})

afterEach(async () => {
  await test.stop()
  await receiver.stop()
  await new Promise<void>((resolve) => smtp.close(() => resolve()))
})

async function start() {
  const { port } = smtp.server.address() as AddressInfo
  test = await testPanel({
    config: `smtp: smtp://127.0.0.1:${port}\nwebhook_targets: any\n`,
    webhookCa: receiver.ca,
    watcherPace: quick,
    registerPages: realPages,
  })
  const { url } = receiver
  await test.root('POST', '/api/v1/webhooks', { name: 'ops', url: `${url}/ops`, events: ['condition.*'] })
}

const standing = async () => (await test.root('GET', '/api/v1/conditions?state=standing')).json().items ?? []
/** Of conditions of the test's own: the panel may have told that the agent was away before it dialled. */
const events = () => receiver.received.map(({ body }) => JSON.parse(body)).filter((one) => isOwn(JSON.stringify(one)))
const mails = () => received.filter(({ raw }) => isOwn(raw))
const isOwn = (text: string) => /nginx|service-/.test(text)
const mailTo = (to: string, words: string) =>
  until(() => received.find((one) => one.to === to && one.raw.includes(words)))

describe('a condition', () => {
  it('reaches administrators by mail and webhook and stands on the overview, and its end reaches them too', async () => {
    await start()
    const browser = await test.administrator('ann@example.com')
    test.machine.health = {
      services: services(['nginx']),
      disks: [{ mount: '/srv', total: 100 * gib, free: 2 * gib, inodesFreePct: 90 }],
    }

    const begun = await mailTo('ann@example.com', 'critical: Service nginx has failed (it answers nobody)')
    expect(begun.raw).toContain('critical: Disk /srv has less than 3 % of its room left')
    const raised = await until(() => events().find(({ type }) => type === 'condition.raised'))
    expect(raised.data).toMatchObject({
      conditions: [
        { source: 'services', subject: 'nginx' },
        { source: 'disks', subject: '/srv' },
      ],
      more: 0,
    })
    const page = (await browser.ask({ path: '/' })).text
    expect(page).toMatch(/Needs attention[\s\S]*Service nginx has failed[\s\S]*critical/)
    expect((await browser.ask({ path: '/conditions?severity=critical' })).text).toContain('Disk /srv')

    test.machine.health = {}
    await mailTo('ann@example.com', 'over: Service nginx has failed')
    await until(() => events().find(({ type }) => type === 'condition.cleared'))
    await until(async () => (await standing()).length === 0)
    expect((await browser.ask({ path: '/' })).text).toContain('Nothing needs attention.')
    expect([mails().length, events().length]).toEqual([2, 2])
  })

  it('in a storm is one mail and one event, with the rest counted', async () => {
    await start()
    await test.root('PATCH', '/api/v1/settings/conditions.mail_critical', { value: 'night@example.com' })
    const many = Array.from({ length: 1000 }, (_, index) => `service-${index}`)
    test.machine.health = { services: services(many) }

    const mail = await mailTo('night@example.com', 'critical: Service service-0 has failed')
    expect(mail.raw).toContain('and 171 more') // 201 are stored: 200 and the count of the others
    const raised = await until(() => events().find(({ type }) => type === 'condition.raised'))
    expect([raised.data.conditions.length, raised.data.more]).toEqual([50, 151])
    test.machine.health = {}
    await mailTo('night@example.com', 'over: Service service-')
    await until(() => events().find(({ type }) => type === 'condition.cleared'))
    expect([mails().length, events().length]).toEqual([2, 2])
  })

  it('is heard by those whom the settings name, and by nobody else', async () => {
    await start()
    await test.administrator('ann@example.com')
    const set = (key: string, value: string) => test.root('PATCH', `/api/v1/settings/${key}`, { value })
    expect((await set('conditions.mail_critical', 'night@example.com,Ops@example.com')).status).toBe(200)
    expect((await set('conditions.mail_warning', 'nobody')).status).toBe(200)
    expect((await set('conditions.mail_warning', 'somebody')).status).toBe(422)
    test.machine.health = {
      services: services(['nginx']),
      disks: [{ mount: '/srv', total: 100, free: 9, inodesFreePct: 90 }],
    }

    await mailTo('night@example.com', 'nginx')
    await mailTo('ops@example.com', 'nginx')
    await until(async () => (await standing()).some(({ severity }) => severity === 'warning'))
    test.machine.health = {}
    await mailTo('night@example.com', 'over: Service nginx')
    expect(new Set(mails().map(({ to }) => to))).toEqual(new Set(['night@example.com', 'ops@example.com']))
    expect(received.some(({ raw }) => raw.includes('/srv'))).toBe(false)
  })

  it('stands while the agent is away and cannot be asked, beside the one that says so', async () => {
    await start()
    test.machine.health = { services: services(['nginx']) }
    await until(async () => (await standing()).length === 1)
    await test.agent.hangUp()
    const both = await until(async () => {
      const items = await standing()
      return items.length === 2 ? items : undefined
    })
    expect(both.map(({ source }) => source).sort()).toEqual(['agent', 'services'])
    await test.dial()
    await until(async () => (await standing()).length === 1)
  })

  it('is a stalled job, until it has its end', async () => {
    await start()
    test.machine.play = () => 'hold'
    await test.root('POST', '/api/v1/packages', { name: 'basic' })
    const { jobId } = (await test.root('POST', '/api/v1/tenants', { name: 'bakery' })).json()
    await until(async () => (await test.root('GET', `/api/v1/jobs/${jobId}`)).json().state === 'running')
    await test.panel.db.updateTable('jobs').set({ state: 'stalled' }).where('id', '=', String(jobId)).execute()
    const [found] = await until(async () => {
      const items = await standing()
      return items.length === 1 ? items : undefined
    })
    expect(found).toMatchObject({ source: 'jobs', severity: 'critical', page: `/jobs/${jobId}` })
    await test.panel.db.updateTable('jobs').set({ state: 'succeeded' }).where('id', '=', String(jobId)).execute()
    await until(async () => (await standing()).length === 0)
  })
})
