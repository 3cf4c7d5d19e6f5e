/** Mail servers elsewhere: TLS from the beginning or by STARTTLS, certificates that are checked, and a login. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { password, type TestPanel, testPanel, until } from './support/test-panel.ts'

/** Loopback, and still not "this machine" to the configuration: so nothing goes there without TLS. */
const host = '127.0.0.2'
const login = { user: 'panel', pass: 'a river of secrets' }

interface KeyPair {
  readonly cert: string
  readonly key: string
}

let folder: string
const pairs: Record<'ours' | 'untrusted' | 'misnamed', KeyPair> = {
  ours: { cert: '', key: '' },
  untrusted: { cert: '', key: '' },
  misnamed: { cert: '', key: '' },
}
const trusted = getCACertificates('default')

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wcp-mail-'))
  pairs.ours = keyPair('ours', `IP:${host}`)
  pairs.untrusted = keyPair('untrusted', `IP:${host}`)
  pairs.misnamed = keyPair('misnamed', 'DNS:mail.example.net')
  // As an administrator has the machine trust an authority of their own.
  setDefaultCACertificates([...trusted, pairs.ours.cert, pairs.misnamed.cert])
})

afterAll(() => {
  setDefaultCACertificates(trusted)
  rmSync(folder, { recursive: true })
})

function keyPair(name: string, subjectAltName: string): KeyPair {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`]
  const argv = ['req', '-x509', ...kind, '-addext', `subjectAltName=${subjectAltName}`, '-keyout', key, '-out', cert]
  execFileSync('openssl', argv, { stdio: 'ignore' })
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

interface Seen {
  readonly logins: string[]
  readonly mails: { readonly to: string[]; readonly raw: string; readonly isSecure: boolean }[]
}

let server: SMTPServer
let test: TestPanel

afterEach(async () => {
  await test.stop()
  await new Promise<void>((resolve) => server.close(() => resolve()))
})

/** A panel that sends by this server; what the server gets to see. */
async function start(scheme: 'smtp' | 'smtps', options: SMTPServerOptions, pass = login.pass): Promise<Seen> {
  const seen: Seen = { logins: [], mails: [] }
  server = new SMTPServer({
    secure: scheme === 'smtps',
    authMethods: ['PLAIN'],
    onAuth({ username = '', password: given }, _, callback) {
      seen.logins.push(username)
      const isRight = username === login.user && given === login.pass
      callback(isRight ? null : new Error('who are you'), isRight ? { user: username } : undefined)
    },
    async onData(stream, { envelope, secure }, callback) {
      const to = envelope.rcptTo.map(({ address }) => address)
      seen.mails.push({ to, raw: await text(stream), isSecure: secure })
      callback()
    },
    ...options,
  })
  server.on('error', () => {}) // a client that hangs up at the handshake is what is wanted
  server.listen(0, host)
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  test = await testPanel({
    config: `smtp: ${scheme}://${login.user}:${encodeURIComponent(pass)}@${host}:${port}\nbase_url: https://panel.example.com:8360\n`,
  })
  expect((await test.root('POST', '/api/v1/mails/test', { to: 'ann@example.com' })).status).toBe(200)
  return seen
}

const mail = async () => (await test.root('GET', '/api/v1/mails')).json().items?.[0] ?? {}

/** What the panel says of the mail once it was tried. */
async function tried(): Promise<string> {
  const { state, error } = await until(async () => ((await mail()).attempts === 1 ? await mail() : null))
  return `${state}: ${error}`
}

describe.each(['smtps', 'smtp'] as const)('a mail server at %s://', (scheme) => {
  it('gets the mail, over TLS and after the login', async () => {
    const seen = await start(scheme, pairs.ours)

    expect(await tried()).toBe('sent: null')
    expect(seen.logins).toEqual([login.user])
    expect(seen.mails).toMatchObject([{ to: ['ann@example.com'], isSecure: true }])
    expect(seen.mails[0]?.raw).toContain('Subject: Mail works (panel.example.com)')
  })

  it.each([
    ['that nobody vouches for', 'untrusted', /^queued: self-signed certificate/],
    ['of another name', 'misnamed', /^queued: .*does not match certificate's altnames/],
  ] as const)('gets nothing with a certificate %s, not even the login', async (_, pair, problem) => {
    const seen = await start(scheme, pairs[pair])

    expect(await tried()).toMatch(problem)
    expect(seen).toEqual({ logins: [], mails: [] })
  })

  it('that does not take the login is quoted, without the password', async () => {
    const seen = await start(scheme, pairs.ours, 'a wrong river')

    expect(await tried()).toMatch(/^queued: Invalid login: .*who are you/)
    expect(seen.mails).toEqual([])
    expect(JSON.stringify([test.log, await mail()])).not.toMatch(/a wrong river|a%20wrong/)
  })
})

describe('a mail server elsewhere without TLS', () => {
  it('gets nothing, not even the login', async () => {
    const seen = await start('smtp', { disabledCommands: ['STARTTLS'], allowInsecureAuth: true })

    expect(await tried()).toMatch(/^queued: .*STARTTLS/)
    expect(seen).toEqual({ logins: [], mails: [] })
  })
})

describe('an address of one’s own', () => {
  const [old, next] = ['bob@example.com', 'new@example.com']
  const linkOf = (raw: string) => /\/link\/([\w-]{43})/.exec(raw.replaceAll('=\r\n', ''))?.[1] ?? ''

  it('changes by the answer to a mail and not by the form, and the old one is told', async () => {
    const seen = await start('smtps', pairs.ours)
    await test.root('POST', '/api/v1/users', { email: old, password, role: 'system_admin' })
    const browser = test.browser()
    await browser.signIn(old, password)

    expect((await browser.call('PATCH', `/api/v1/users/${old}`, { email: next })).status).toBe(200)
    const asked = await until(() => seen.mails.find(({ to }) => to.includes(next)))
    expect((await test.root('GET', `/api/v1/users/${next}`)).status).toBe(404)
    await test.browser().form('/link', { token: linkOf(asked.raw) })

    expect((await test.root('GET', `/api/v1/users/${next}`)).status).toBe(200)
    const told = await until(() => seen.mails.find(({ to }) => to.includes(old)))
    expect(told.raw).toContain('Subject: Your address was changed (panel.example.com)')
    expect(linkOf(told.raw)).toBe('')
  })

  it('takes a fresh proof', async () => {
    await start('smtps', pairs.ours)
    await test.root('POST', '/api/v1/users', { email: old, password, role: 'system_admin' })
    const browser = test.browser()
    await browser.signIn(old, password)
    await test.panel.db.updateTable('sessions').set({ confirmed_at: '2020-01-01T00:00:00.000Z' }).execute()

    const answer = await browser.call('PATCH', `/api/v1/users/${old}`, { email: next })

    expect([answer.status, answer.json().code]).toEqual([403, 'step_up_needed'])
  })

  it('is told, too, when an administrator changes it', async () => {
    const seen = await start('smtps', pairs.ours)
    await test.root('POST', '/api/v1/users', { email: old, password, role: 'system_admin' })

    await test.root('PATCH', `/api/v1/users/${old}`, { email: next })

    expect((await test.root('GET', `/api/v1/users/${next}`)).status).toBe(200)
    await until(() => seen.mails.find(({ to }) => to.includes(old)))
    expect(seen.mails.some(({ to }) => to.includes(next))).toBe(false)
  })
})
