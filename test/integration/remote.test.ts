/** `wcp` on another machine: the real command against the real daemon over TLS. As root, without systemd. */
import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { totpCode, totpStep } from '../../src/resources/totp/code.ts'
import { ask } from '../operations/support/client.ts'
import { fromBase32 } from '../support/base32.ts'
import { executable } from '../support/executable.ts'
import { Product } from '../support/product.ts'

const canRun = process.getuid?.() === 0 && existsSync('/usr/sbin/nginx')
const email = 'ann@example.com'
const password = 'correct horse battery'

describe.skipIf(!canRun)('wcp on another machine', () => {
  let program: string
  let machine: Product
  let fingerprint: string
  let server: string
  let home: string

  beforeAll(async () => {
    program = executable()
    machine = await Product.serving({ command: [program] })
    await machine.call('POST', '/packages', { name: 'basic' })
    await machine.call('POST', '/users', { email, password, role: 'system_admin' })
    const certificate = readFileSync(join(machine.root, 'etc/wcp360/ssl/panel.crt'))
    fingerprint = new X509Certificate(certificate).fingerprint256
    server = `https://127.0.0.1:${machine.ports.panel}`
  })

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'wcp-home-'))
    return () => rmSync(home, { recursive: true })
  })

  afterAll(async () => {
    await machine?.dispose()
  })

  interface Ended {
    readonly code: number | null
    readonly out: string
    readonly err: string
  }

  const environment = (more: Readonly<Record<string, string>> = {}) => ({
    PATH: '/usr/bin:/bin',
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    ...more,
  })

  /** @param lines of standard input */
  async function wcp(words: readonly string[], lines: readonly string[] = [], env = {}): Promise<Ended> {
    const child = spawn(program, ['cli', ...words], { env: environment(env), stdio: 'pipe' })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (err += chunk))
    child.stdin.on('error', () => {}) // it may well end without having read
    child.stdin.end(lines.map((line) => `${line}\n`).join(''))
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { code, out, err }
  }

  const there = (...words: string[]) => wcp(['--server', server, ...words])
  const trusting = () => ({ WCP_SERVER: server, WCP_FINGERPRINT: fingerprint })
  const logIn = (...lines: string[]) => wcp(['login', email, '--server', server, '--fingerprint', fingerprint], lines)
  const kept = () => join(home, 'config/wcp360/servers', readdirSync(join(home, 'config/wcp360/servers'))[0] ?? '')

  it('signs in, does what it does at home, and signs out', async () => {
    expect(await logIn(password)).toMatchObject({ code: 0, out: `signed in to ${server} as ${email}\n` })

    const atHome = await machine.call('GET', '/packages')
    const listed = await there('package', 'list', '--json')
    const created = await there('tenant', 'create', 'bakery')
    const shown = await wcp(['tenant', 'get', 'bakery'], [], { WCP_SERVER: server })
    const out = await there('logout')
    const after = await there('package', 'list')

    expect(JSON.parse(listed.out)).toEqual(atHome)
    expect([created.code, created.err]).toEqual([0, expect.stringContaining('tenant.create succeeded')])
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining('bakery')])
    expect([out.code, after.code, after.err]).toEqual([0, 3, expect.stringContaining('nobody is signed in there')])
  })

  it('keeps what it knows where its owner alone reads it, and never the password', async () => {
    await logIn(password)

    expect(statSync(kept()).mode & 0o7777).toBe(0o600)
    expect(readFileSync(kept(), 'utf8')).not.toContain(password)
  })

  it('is signed out at once when the session is ended on the server', async () => {
    await logIn(password)
    const { token } = JSON.parse(readFileSync(kept(), 'utf8')).session
    const { sid } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
    expect((await there('package', 'list')).code).toBe(0)

    await machine.call('DELETE', `/sessions/${sid}`)

    expect(await there('package', 'list')).toMatchObject({ code: 3, err: expect.stringContaining('wcp login') })
  })

  it('gives a wrong password the answer of the pages, and keeps nothing', async () => {
    const answer = await logIn('something else')

    expect([answer.code, answer.err]).toEqual([3, expect.stringContaining('address or the password is wrong')])
    expect(JSON.parse(readFileSync(kept(), 'utf8')).session).toBeNull()
  })

  it('asks for the code of an app', async () => {
    const careful = 'careful@example.com'
    await machine.call('POST', '/users', { email: careful, password, role: 'system_admin' })
    await wcp(['login', careful, '--server', server, '--fingerprint', fingerprint], [password])
    const begun = await there('totp', 'create', careful, '--json')
    const secret = fromBase32(JSON.parse(begun.out).secret)
    const code = (steps: number) => totpCode(secret, totpStep(Date.now()) + steps)
    expect((await there('totp', 'confirm', careful, '--code', code(-1))).code).toBe(2) // others could read it
    expect((await wcp(['--server', server, 'totp', 'confirm', careful], [code(-1)])).code).toBe(0)

    const half = await wcp(['login', careful, '--server', server], [password])
    const whole = await wcp(['login', careful, '--server', server], [password, code(0)])

    expect([half.code, half.err]).toEqual([2, expect.stringContaining('without a code')])
    expect([whole.code, (await there('package', 'list')).code]).toEqual([0, 0])
  })

  it('believes no certificate that nobody vouches for, before anything is sent', async () => {
    const strange = fingerprint.replace(/^../, (byte) => (byte === '00' ? '11' : '00'))

    const unasked = await wcp(['login', email, '--server', server], [password])
    const wrong = await wcp(['login', email, '--server', server, '--fingerprint', strange], [password])
    const byKey = await wcp(['--server', server, 'package', 'list'], [], {
      WCP_API_KEY: 'wcp_x',
      WCP_FINGERPRINT: strange,
    })

    for (const { code, err } of [unasked, wrong, byKey])
      expect([code, err]).toEqual([4, expect.stringContaining('Cannot trust the certificate')])
    expect(existsSync(join(home, 'config'))).toBe(false)
  })

  it('does with an API key what the key is for', async () => {
    const body = {
      name: `key${home
        .slice(-6)
        .toLowerCase()
        .replaceAll(/[^a-z0-9]/g, 'x')}`,
      scopes: ['package.list'],
    }
    const made = (await machine.call('POST', `/users/${email}/api-keys`, body)) as { id: string; token: string }
    const env = { WCP_API_KEY: made.token, WCP_SERVER: server, WCP_FINGERPRINT: fingerprint }

    expect((await wcp(['package', 'list'], [], env)).code).toBe(0)
    expect((await wcp(['tenant', 'list'], [], env)).code).toBe(4)
    await machine.call('DELETE', `/api-keys/${made.id}`)
    expect((await wcp(['package', 'list'], [], env)).code).toBe(3)
  })

  it('answers each person, and nobody, what REST answers them', async () => {
    const [seller, customer] = ['seller@example.com', 'customer@example.com']
    await machine.call('POST', '/resellers', { email: seller, password })
    await machine.call('POST', '/packages', { name: 'small', reseller: seller })
    await logIn(password)
    expect((await there('tenant', 'create', 'kiosk', '--reseller', seller)).code).toBe(0)
    await machine.call('POST', '/users', { email: customer, password, role: 'user', tenant: 'kiosk' })

    const codes: string[] = []
    for (const person of [email, seller, customer, null]) {
      if (person === null) await wcp(['logout'], [], trusting())
      else expect((await wcp(['login', person], [password], trusting())).code).toBe(0)
      const { session } = JSON.parse(readFileSync(kept(), 'utf8'))
      for (const path of ['/packages', '/tenants/kiosk', '/tenants/elsewhere', '/resellers']) {
        const [, kind = '', ref] = path.split('/')
        const words = [kind.slice(0, -1), ...(ref === undefined ? ['list'] : ['get', ref]), '--json']
        const { code, out } = await wcp(words, [], trusting())
        const headers = session === null ? {} : { authorization: `Bearer ${session.token}` }
        const rest = await ask({ port: machine.ports.panel, tls: true }, { path: `/api/v1${path}`, headers })
        const body = rest.json()
        codes.push(`${body.code ?? 'ok'} ${code}`)
        if (rest.status < 400) expect(JSON.parse(out)).toEqual(body)
        else expect(JSON.parse(out)).toMatchObject({ status: rest.status, code: body.code })
      }
    }
    expect(codes).toEqual([
      ...['ok 0', 'ok 0', 'not_found 5', 'ok 0'],
      ...['ok 0', 'ok 0', 'not_found 5', 'forbidden 4'],
      ...['forbidden 4', 'ok 0', 'not_found 5', 'forbidden 4'],
      ...Array(4).fill('not_signed_in 3'),
    ])
  })

  it('looks at no other machine than its own where that is what a command is for', async () => {
    for (const words of [
      ['doctor'],
      ['logs'],
      ['config', 'show'],
      ['approve', 'deletes', '--count', '1', '--minutes', '1'],
    ])
      expect([words, (await there(...words)).code]).toEqual([words, 2])
    expect((await wcp(['status'], [], trusting())).err).toContain('nobody is signed in there')
  })

  it('asks a person, shows what is compared, and never what is secret', async () => {
    const command = [program, 'cli', 'login', '--server', server].join(' ')
    const child = spawn('script', ['-qfec', command, '/dev/null'], { env: environment(), stdio: 'pipe' })
    let shown = ''
    const until = (text: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!shown.includes(text)) return
          child.stdout.off('data', look)
          resolve()
        }
        child.stdout.on('data', look)
        look()
      })
    child.stdout.on('data', (chunk) => (shown += chunk))
    const ended = new Promise((resolve) => child.on('close', resolve))
    const answer = async (prompt: string, text: string) => {
      await until(prompt)
      child.stdin.write(`${text}\n`)
    }

    await answer('[y/N]', 'y')
    await answer('e-mail: ', email)
    await answer('password: ', password)

    expect([await ended, shown]).toEqual([0, expect.stringContaining(`signed in to ${server} as ${email}`)])
    expect(shown).toContain(fingerprint)
    expect(shown).not.toContain(password)
    expect((await there('package', 'list')).code).toBe(0)
  })
})
