/** Client certificates made by openssl, at the doors of the whole product. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { totpCode, totpStep } from '../../src/resources/totp/code.ts'
import { executable } from '../support/executable.ts'
import { freePorts } from '../support/free-ports.ts'
import { Product } from '../support/product.ts'
import { type KeyPair, resumedPage, TlsVisitor } from '../support/tls-visitor.ts'

const canRun = process.getuid?.() === 0 && existsSync('/usr/sbin/nginx')
const password = 'a long enough river'
const people = ['ann', 'bob', 'cat', 'dan', 'eve'] as const
type Person = (typeof people)[number]
const emailOf = (person: Person) => `${person}@example.com`

describe.skipIf(!canRun)('a client certificate', () => {
  let product: Product
  let folder: string
  let port: number
  const keys = new Map<string, KeyPair>()

  beforeAll(async () => {
    port = (await freePorts()).panel
    folder = mkdtempSync(join(tmpdir(), 'wcp-certificates-'))
    product = await Product.serving({ command: [executable()], config: `certificate_port: ${port}\n` })
    for (const person of people)
      await product.call('POST', '/users', { email: emailOf(person), password, role: 'system_admin' })
    for (const name of [...people, 'stranger']) keys.set(name, makeKeyPair(name))
  })

  afterAll(async () => {
    await product?.dispose()
    if (folder) rmSync(folder, { recursive: true })
  })

  function makeKeyPair(name: string): KeyPair {
    const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)]
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30']
    execFileSync('openssl', ['req', '-x509', ...kind, '-subj', `/CN=${name}`, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    })
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  }

  const keyOf = (name: string) => keys.get(name) ?? { cert: '', key: '' }
  const plain = () => new TlsVisitor(product.ports.panel)
  const with_ = (name: string | null) => new TlsVisitor(port, name === null ? undefined : keyOf(name))
  const signIn = (visitor: TlsVisitor, person: Person) => visitor.form('/login', { email: emailOf(person), password })

  async function registered(person: Person): Promise<void> {
    const visitor = with_(person)
    await signIn(visitor, person)
    const answer = await visitor.form('/account/certificates', {
      name: `key of ${person}`,
      certificate: keyOf(person).cert,
    })
    expect(answer.body).toContain('The certificate is registered')
    expect(answer.body, 'nobody is signed in any more').not.toContain('action="/logout"')
  }

  async function signedIn(person: Person): Promise<TlsVisitor> {
    const visitor = with_(person)
    expect((await signIn(visitor, person)).location).toBe('/')
    return visitor
  }

  /** The same cookie in other hands. */
  function stolen(from: TlsVisitor, thief: TlsVisitor): TlsVisitor {
    thief.cookie = from.cookie
    return thief
  }

  const isIn = async (visitor: TlsVisitor) => (await visitor.page('/')).status === 200
  const certificatesOf = async (person: Person) =>
    (
      (await product.call('GET', `/client-certificates?user=${emailOf(person)}`)) as {
        items: { id: string; lastUsedAt: string | null }[]
      }
    ).items // as the operation answers
  function inStore(statement: string): void {
    const store = new Database(join(product.places.panelState, 'state.db'), { timeout: 5000 })
    store.exec(statement)
    store.close()
  }

  it('is asked for on its own port and on no other', () => {
    const handshake = (at: number) =>
      execFileSync('openssl', ['s_client', '-connect', `127.0.0.1:${at}`], {
        input: '',
        stdio: ['pipe', 'pipe', 'ignore'],
      }).toString()

    expect(handshake(port)).toMatch(/^Requested Signature Algorithms:/m)
    expect(handshake(product.ports.panel)).not.toMatch(/^Requested Signature Algorithms:/m)
  })

  it('is offered for registering as the browser has shown it, and then asked for beside the password', async () => {
    const visitor = with_('ann')
    await signIn(visitor, 'ann')
    expect((await visitor.page('/account/certificates')).body).toContain(keyOf('ann').cert.split('\n')[1])
    const bystander = plain()
    await signIn(bystander, 'ann')
    await visitor.form('/account/certificates', { name: 'laptop', certificate: keyOf('ann').cert })

    expect([await isIn(visitor), await isIn(bystander)]).toEqual([false, false])
    for (const unproven of [plain(), with_(null), with_('stranger')]) {
      expect((await signIn(unproven, 'ann')).location).toBe('/login/code?next=%2F')
      expect((await unproven.form('/login/code', { code: '' }, '/login')).status).toBe(401)
      expect(await isIn(unproven)).toBe(false)
    }
    const visiting = await signedIn('ann')
    expect(await isIn(visiting)).toBe(true)
    expect((await visiting.call('GET', '/api/v1/sessions')).json().items).toMatchObject([{ factor: 'certificate' }])
    expect((await certificatesOf('ann'))[0]?.lastUsedAt).not.toBeNull()
  })

  it('ends a sign-in that began on the other port', async () => {
    const visitor = plain()
    await signIn(visitor, 'ann')
    const { body } = await visitor.page('/login/code?next=%2Ftenants')
    expect(body).toContain(`href="https://127.0.0.1:${port}/login/code?next=%2Ftenants"`)

    const there = stolen(visitor, with_('ann'))
    expect((await there.page('/login/code?next=%2Ftenants')).body).toContain('your browser has shown your certificate')
    expect((await there.form('/login/code', { next: '/tenants' }, '/login/code')).location).toBe('/tenants')

    expect(await isIn(there)).toBe(true)
  })

  it('makes the cookie worthless to who has not its key', async () => {
    const owner = await signedIn('ann')
    const thieves = [plain(), with_(null), with_('stranger')].map((thief) => stolen(owner, thief))

    for (const thief of thieves) {
      expect((await thief.page('/')).location).toBe('/login')
      expect((await thief.call('GET', '/api/v1/users')).status).toBe(401)
    }
    expect(await isIn(owner)).toBe(true)
  })

  it('binds access tokens of programs as well, and what renews them', async () => {
    const asked = { body: { email: emailOf('ann'), password } }
    const grant = (await with_('ann').program('POST', '/api/v1/tokens', asked)).json()
    const use = async (visitor: TlsVisitor) =>
      (await visitor.program('GET', '/api/v1/users', { token: String(grant.token) })).status
    const refresh = async (visitor: TlsVisitor) =>
      (await visitor.program('POST', '/api/v1/tokens/refresh', { body: { secret: grant.secret } })).status

    expect([await use(with_('ann')), await refresh(with_('ann'))]).toEqual([200, 201])
    for (const thief of [plain(), with_(null), with_('stranger')])
      expect([await use(thief), await refresh(thief)]).toEqual([401, 401])
    expect((await plain().program('POST', '/api/v1/tokens', asked)).json().code).toBe('second_factor_needed')
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is not carried on by a session of %s, nor by a connection kept open',
    async (version) => {
      const owner = await signedIn('ann')

      const { isReused, status } = await resumedPage(port, keyOf('ann'), version, owner.cookie)
      expect([isReused, status]).toEqual([false, 303])

      const kept = stolen(owner, new TlsVisitor(port, undefined, true))
      expect([await isIn(kept), await isIn(kept)]).toEqual([false, false])
      kept.close()
      expect(await isIn(owner)).toBe(true)
    },
  )

  it('alone is no fresh proof: that takes the password, on a connection that shows it', async () => {
    const owner = await signedIn('ann')
    inStore("update sessions set confirmed_at = '2020-01-01T00:00:00.000Z'")
    const { id } = (await product.call('POST', '/roles', {
      name: 'old',
      scope: 'global',
      permissions: ['user.list'],
    })) as { id: string } // as the operation answers
    const remove = () => owner.call('DELETE', `/api/v1/roles/${id}`)

    expect((await remove()).json().code).toBe('step_up_needed')
    expect((await owner.form('/confirm', { password: '', code: '' })).status).toBe(401)
    expect((await stolen(owner, with_(null)).page('/confirm')).location).toMatch(/^\/login/)
    expect((await owner.form('/confirm', { password, code: '', next: '/' })).status).toBe(303)
    expect((await remove()).status).toBe(200)
  })

  it('binds also the session in which its owner acts as another', async () => {
    await product.call('POST', '/resellers', { email: 'seller@example.com', password })
    const owner = await signedIn('ann')
    expect((await owner.call('POST', '/api/v1/users/seller@example.com/impersonate')).status).toBe(200)

    expect([await isIn(owner), await isIn(stolen(owner, with_(null)))]).toEqual([true, false])
    expect((await owner.form('/impersonation/end', {}, '/')).status).toBe(303)
    expect([await isIn(owner), await isIn(stolen(owner, plain()))]).toEqual([true, false])
  })

  it('ends with its date, and with the word of root, at the next request', async () => {
    await registered('bob')
    const owner = await signedIn('bob')
    const [{ id } = { id: '' }] = await certificatesOf('bob')
    inStore(`update client_certificates set expires_at = '2020-01-01T00:00:00.000Z' where id = '${id}'`)
    expect(await isIn(owner)).toBe(false)
    expect((await signIn(with_('bob'), 'bob')).location).toBe('/login/code?next=%2F')
    inStore(`update client_certificates set expires_at = '2099-01-01T00:00:00.000Z' where id = '${id}'`)
    const again = await signedIn('bob')

    await product.call('DELETE', `/client-certificates/${id}`)

    expect([await isIn(again), (await signIn(plain(), 'bob')).location]).toEqual([false, '/'])
  })

  it('is nobody else’s to see, to register or to take away', async () => {
    await product.call('POST', '/roles', { name: 'helper', scope: 'global', permissions: ['tenant.list', 'user.list'] })
    await product.call('POST', '/users', { email: 'help@example.com', password, role: 'helper' })
    const helper = plain()
    await helper.form('/login', { email: 'help@example.com', password })
    const [{ id } = { id: '' }] = await certificatesOf('ann')

    expect((await helper.call('GET', '/api/v1/client-certificates')).json().items).toEqual([])
    expect((await helper.call('GET', `/api/v1/client-certificates?user=${emailOf('ann')}`)).status).toBe(404)
    expect((await helper.call('DELETE', `/api/v1/client-certificates/${id}`)).status).toBe(404)
    const body = { name: 'mine', certificate: keyOf('stranger').cert }
    expect((await helper.call('POST', `/api/v1/users/${emailOf('ann')}/client-certificates`, body)).status).toBe(403)
  })

  it('is written into the trail: registered, used, taken away', async () => {
    const trail = async (action: string) =>
      (
        (await product.call('GET', `/audit?action=${action}&limit=200`)) as {
          items: { actor: string; metadata: Record<string, unknown> }[]
        }
      ).items // as the operation answers

    const ids = (await certificatesOf('ann')).map(({ id }) => id)
    expect(await trail('client-certificate.create')).toContainEqual(
      expect.objectContaining({ actor: emailOf('ann'), metadata: expect.objectContaining({ id: ids[0] }) }),
    )
    expect(await trail('client-certificate.delete')).toContainEqual(expect.objectContaining({ actor: 'root' }))
    expect(await trail('auth.login')).toContainEqual(
      expect.objectContaining({ metadata: { factor: 'certificate', certificate: ids[0] } }),
    )
  })

  describe('that a role asks for', () => {
    const rule = (secondFactor: string) => product.call('PATCH', '/policies/system_admin', { secondFactor })

    afterAll(async () => {
      await rule('optional')
    })

    it('is the one thing that its holder can register before anything else, once', async () => {
      const cat = with_('cat')
      await signIn(cat, 'cat')
      const ann = await signedIn('ann')
      await rule('certificate')

      expect(await isIn(ann)).toBe(true)
      expect((await cat.page('/')).location).toBe('/account/certificates')
      expect((await cat.call('GET', '/api/v1/users')).json().code).toBe('second_factor_needed')
      const body = { name: 'card', certificate: keyOf('cat').cert }
      expect((await cat.call('POST', `/api/v1/users/${emailOf('cat')}/client-certificates`, body)).status).toBe(201)
      expect((await (await signedIn('cat')).call('GET', '/api/v1/users')).status).toBe(200)
    })

    it('is not replaced by a code, nor by a certificate that who knows password and code brings', async () => {
      await rule('optional')
      await registered('dan')
      const dan = await signedIn('dan')
      const { secret } = (await dan.call('POST', `/api/v1/users/${emailOf('dan')}/totp`)).json()
      const bits = [...String(secret)].map((one) =>
        'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(one).toString(2).padStart(5, '0'),
      )
      const key = Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
      const code = (step: number) => totpCode(key, totpStep(Date.now()) + step)
      await dan.call('POST', `/api/v1/users/${emailOf('dan')}/totp/confirm`, { code: code(-1) })
      await rule('certificate')

      const phished = with_('stranger')
      await signIn(phished, 'dan')
      expect((await phished.form('/login/code', { code: code(0) })).status).toBe(303)
      expect((await phished.page('/')).location).toBe('/account/certificates')
      const body = { name: 'mine', certificate: keyOf('stranger').cert }
      const answer = await phished.call('POST', `/api/v1/users/${emailOf('dan')}/client-certificates`, body)

      expect([answer.status, answer.json().title]).toEqual([409, expect.stringContaining('you have one already')])
      const [{ id } = { id: '' }] = await certificatesOf('dan')
      expect((await phished.call('DELETE', `/api/v1/client-certificates/${id}`)).json().code).toBe(
        'second_factor_needed',
      )
    })
  })
})
