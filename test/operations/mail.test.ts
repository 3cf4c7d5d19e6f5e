/** Mails and one-time links, with a real SMTP server on the loopback. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { password, type TestPanel, testPanel, until } from './support/test-panel.ts'

let test: TestPanel
let server: SMTPServer
let port = 0
/** Set: what the server says instead of taking a mail. */
let refusal: string | null
const received: { to: string[]; raw: string }[] = []
const people = { ann: 'ann@example.com', bob: 'bob@example.com' }

beforeEach(async () => {
  received.length = 0
  refusal = null
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    async onData(stream, session, callback) {
      const raw = await text(stream)
      if (refusal !== null) return callback(new Error(refusal))
      received.push({ to: session.envelope.rcptTo.map(({ address }) => address), raw })
      callback()
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  port = (server.server.address() as AddressInfo).port
})

afterEach(async () => {
  await test.stop()
  await new Promise<void>((resolve) => server.close(() => resolve()))
})

async function start(config = `smtp: smtp://127.0.0.1:${port}\nbase_url: https://panel.example.com:8360\n`) {
  test = await testPanel({ config })
  await test.root('POST', '/api/v1/users', { email: people.ann, password, role: 'system_admin' })
}

const linkIn = (raw: string) => /https:\/\/[^\s"<]*\/link\/([\w-]{43})/.exec(raw.replaceAll('=\r\n', ''))
const mails = async () => (await test.root('GET', '/api/v1/mails')).json().items ?? []
const tokenFor = async (user: string) =>
  linkIn(String((await test.root('POST', `/api/v1/users/${user}/reset-link`)).json().link))?.[1] ?? ''
const set = (token: string, chosen = 'an entirely new password') =>
  test.browser().form('/link', { token, password: chosen })

describe('a mail', () => {
  it('invites somebody, who chooses a password by its link and signs in', async () => {
    await start()

    const answer = await test.root('POST', '/api/v1/users/invite', { email: people.bob, role: 'system_admin' })
    const [mail] = await until(() => (received.length > 0 ? received : null))

    expect([answer.status, answer.json().link]).toEqual([200, null])
    expect(mail?.to).toEqual([people.bob])
    expect(mail?.raw).toContain('From: WCP360 <wcp360@panel.example.com>')
    expect(mail?.raw).toMatch(/multipart\/alternative/)
    const [url, token = ''] = linkIn(mail?.raw ?? '') ?? []
    expect(url).toBe(`https://panel.example.com:8360/link/${token}`)
    expect((await test.browser().signIn(people.bob, '!')).status).toBe(401)
    expect((await set(token)).status).toBe(200)
    expect((await test.browser().signIn(people.bob, 'an entirely new password')).status).toBe(303)
    await until(async () => (await mails())[0]?.state === 'sent')
  })

  it('is tried again when the server does not take it, with another link, and its failure is seen', async () => {
    await start()
    refusal = 'mailbox full'
    await test.root('POST', '/api/v1/users/invite', { email: people.bob, role: 'system_admin' })
    await until(async () => (await mails())[0]?.attempts === 1)
    expect((await mails())[0]).toMatchObject({ state: 'queued', error: expect.stringContaining('mailbox full') })
    const soon = () => test.panel.db.updateTable('mails').set({ next_try_at: new Date().toISOString() }).execute()
    for (let attempts = 2; attempts <= 7; attempts++) {
      await soon()
      await until(async () => (await mails())[0]?.attempts === attempts)
    }
    const [failed] = await mails()
    expect(failed).toMatchObject({ state: 'failed', to: people.bob })

    refusal = null
    expect((await test.root('POST', `/api/v1/mails/${failed?.id}/retry`)).status).toBe(200)
    await until(() => received.length === 1)
    expect((await set(linkIn(received[0]?.raw ?? '')?.[1] ?? '')).status).toBe(200)
  })

  it('keeps the secret of its link out of the store and the log', async () => {
    await start()
    await test.root('POST', '/api/v1/users/invite', { email: people.bob, role: 'system_admin' })
    await until(() => received.length > 0)
    const token = linkIn(received[0]?.raw ?? '')?.[1] ?? ''
    await test.browser().ask({ path: `/link/${token}`, headers: { accept: 'text/html' } })
    const { db } = test.panel
    const kept = JSON.stringify([
      await db.selectFrom('mails').selectAll().execute(),
      await db.selectFrom('one_time_links').selectAll().execute(),
      await db.selectFrom('audit_logs').selectAll().execute(),
      test.log,
    ])

    expect(token).toHaveLength(43)
    expect(kept).not.toContain(token)
  })

  it('goes to nobody else by what stands in an address', async () => {
    await start()
    const hostile = ['a@example.com, b@example.com', 'a@example.com\r\nBcc: b@example.com', '"a\nb"@example.com']

    for (const email of hostile)
      expect((await test.root('POST', '/api/v1/users/invite', { email, role: 'system_admin' })).status).toBe(422)
  })
})

describe('a forgotten password', () => {
  const ask = (email: string) => test.browser().form('/forgot', { email })

  it('is answered alike for an address that somebody has and one that nobody has', async () => {
    await start()

    const [known, unknown] = [await ask(people.ann), await ask('nobody@example.com')]
    await until(() => received.length > 0)
    await until(async () => (await mails()).every(({ state }) => state === 'sent'))

    expect([known.status, known.text]).toEqual([unknown.status, unknown.text])
    expect(received.map(({ to }) => to)).toEqual([[people.ann]])
    expect(await mails()).toHaveLength(1)
  })

  it('is mailed about three times an hour, whether or not somebody has the address', async () => {
    await start()
    const statuses = async (email: string) => {
      const all = []
      for (let times = 0; times < 4; times++) all.push((await ask(email)).status)
      return all
    }

    expect(await statuses(people.ann)).toEqual([200, 200, 200, 429])
    expect(await statuses('nobody@example.com')).toEqual([200, 200, 200, 429])
  })

  it('ends all sessions when the new one is set, and leaves the second factor as it is', async () => {
    await start()
    const browser = test.browser()
    await browser.signIn(people.ann, password)
    await ask(people.ann)
    await until(() => received.length > 0)

    expect((await set(linkIn(received[0]?.raw ?? '')?.[1] ?? '')).status).toBe(200)

    expect((await browser.ask({ path: '/' })).status).toBe(303)
    expect((await test.browser().signIn(people.ann, password)).status).toBe(401)
    expect((await test.root('GET', '/api/v1/audit?action=auth.password')).json().items).toHaveLength(1)
  })
})

describe('a link', () => {
  it('lets one of twenty in who spend it at once', async () => {
    await start()
    const token = await tokenFor(people.ann)

    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => set(token, `chosen password ${at}`)))

    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(404)])
  })

  it('is dead once it is old, replaced, or the password was changed otherwise', async () => {
    await start()
    const first = await tokenFor(people.ann)
    const second = await tokenFor(people.ann)
    expect((await set(first)).status).toBe(404)
    await test.root('PATCH', `/api/v1/users/${people.ann}`, { password: 'set by the administrator' })
    expect((await set(second)).status).toBe(404)
    const third = await tokenFor(people.ann)
    await test.panel.db.updateTable('one_time_links').set({ expires_at: new Date().toISOString() }).execute()

    expect((await set(third)).status).toBe(404)
  })

  it('takes no weak password, and is still good after one', async () => {
    await start()
    const token = await tokenFor(people.ann)

    expect((await set(token, 'short')).status).toBe(422)
    expect((await set(token, people.ann)).status).toBe(422)
    expect((await set(token, 'a quiet river at night, '.repeat(4))).status).toBe(200)
  })

  it('gives a user the address that it was mailed to', async () => {
    await start()
    const browser = test.browser()
    await browser.signIn(people.ann, password)
    const path = `/api/v1/users/${people.ann}/email`

    expect((await browser.call('POST', path, { email: 'new@example.com' })).status).toBe(200)
    const [mail] = await until(() => (received.length > 0 ? received : null))
    expect((await test.root('GET', `/api/v1/users/new@example.com`)).status).toBe(404)
    const answer = await test.browser().form('/link', { token: linkIn(mail?.raw ?? '')?.[1] ?? '' })

    expect([mail?.to, answer.status]).toEqual([['new@example.com'], 200])
    expect((await test.root('GET', `/api/v1/users/new@example.com`)).status).toBe(200)
    for (let times = 0; times < 2; times++)
      await browser.call('POST', `/api/v1/users/new@example.com/email`, { email: `x${times}@example.com` })
    const late = await browser.call('POST', `/api/v1/users/new@example.com/email`, { email: 'x9@example.com' })
    expect(late.status).toBe(429)
  })
})

describe('a link that verifies an address', () => {
  it('gives it once to twenty who spend it at once', async () => {
    await start()
    const browser = test.browser()
    await browser.signIn(people.ann, password)
    await browser.call('POST', `/api/v1/users/${people.ann}/email`, { email: 'new@example.com' })
    const [mail] = await until(() => (received.length > 0 ? received : null))
    const token = linkIn(mail?.raw ?? '')?.[1] ?? ''

    const answers = await Promise.all(Array.from({ length: 20 }, () => test.browser().form('/link', { token })))

    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(404)])
    expect((await test.root('GET', '/api/v1/audit?action=auth.email')).json().items).toHaveLength(1)
  })
})

describe('without a mail server', () => {
  it('an administrator gets the link to hand it over', async () => {
    await start('')

    const { link } = (
      await test.root('POST', '/api/v1/users/invite', { email: people.bob, role: 'system_admin' })
    ).json()
    const token = linkIn(String(link))?.[1] ?? ''

    expect((await set(token)).status).toBe(200)
    expect((await test.browser().signIn(people.bob, 'an entirely new password')).status).toBe(303)
    expect((await test.browser().form('/forgot', { email: people.ann })).status).toBe(409)
    expect((await test.root('POST', '/api/v1/mails/test', { to: people.ann })).status).toBe(409)
  })
})
