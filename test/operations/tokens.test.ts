/** Signing in without a browser: access tokens and the sessions behind them. */
import { createHmac, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { SignJWT } from 'jose/jwt/sign'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deriveKeys } from '../../src/panel/auth/keys.ts'
import { tokenKeys } from '../../src/panel/auth/token-keys.ts'
import { totpCode, totpStep } from '../../src/resources/totp/code.ts'
import { fromBase32 } from '../support/base32.ts'
import { type Answer, ask } from './support/client.ts'
import { password, type TestPanel, testPanel } from './support/test-panel.ts'

let test: TestPanel
/** As `testPanel` derives them. */
const keys = tokenKeys(deriveKeys('ab'.repeat(32)).tokens)
const email = 'ann@example.com'

beforeAll(async () => {
  test = await testPanel()
  await test.root('POST', '/api/v1/packages', { name: 'basic' })
  await test.root('POST', '/api/v1/users', { email, password, role: 'system_admin' })
})

afterAll(() => test.stop())

interface Grant {
  readonly secret: string
  readonly token: string
  readonly expiresAt: string
  readonly email: string
}

const post = (path: string, body: unknown, token?: string) =>
  ask(
    { port: test.panel.port },
    { method: 'POST', path: `/api/v1/tokens${path}`, body, ...(token && { headers: bearer(token) }) },
  )
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const call = (token: string, method = 'GET', path = '/api/v1/users', body?: unknown) =>
  ask({ port: test.panel.port }, { method, path, headers: bearer(token), ...(body !== undefined && { body }) })
const grantOf = (answer: Answer) => {
  expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('token')])
  return answer.json() as unknown as Grant
}
const signIn = async (address = email) => grantOf(await post('', { email: address, password }))
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
const refused = (answer: Answer) => `${answer.status} ${answer.text.replace(/urn:wcp360:request:[\w-]+/, '')}`

describe('an access token', () => {
  it('is given for address and password, and does what its person may', async () => {
    const { token, secret, expiresAt, email: whose } = await signIn()

    expect(whose).toBe(email)
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(15 * 60_000)
    expect((await call(token)).status).toBe(200)
    expect((await call(token, 'POST', '/api/v1/packages', { name: 'by-token' })).status).toBe(201)
    expect(JSON.stringify(test.log)).not.toContain(secret)
    expect(JSON.stringify(test.log)).not.toContain(token)
  })

  it('says who, for whom, by which key and until when, and nothing of what is allowed', async () => {
    const { token } = await signIn()

    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
    expect(header).toEqual({ alg: 'EdDSA', kid: keys.signing().kid, typ: 'at+jwt' })
    expect(Object.keys(claimsOf(token)).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'sid', 'sub'])
    expect(claimsOf(token)).toMatchObject({ aud: `${claimsOf(token).iss}/api/v1` })
  })

  it('is refused for a wrong password in the words of an unknown address', async () => {
    const wrong = await post('', { email, password: 'something else' })
    const unknown = await post('', { email: 'nobody@example.com', password })

    expect(wrong.status).toBe(401)
    expect(refused(wrong)).toBe(refused(unknown))
  })

  it.each([{}, { email }, { email, password, admin: true }, { email: 5, password }, []])(
    'is not given for %j',
    async (body) => {
      expect((await post('', body)).status).toBe(422)
    },
  )

  it('needs no form token and no cookie, and gives none', async () => {
    const { token } = await signIn()

    const answer = await call(token, 'POST', '/api/v1/packages', { name: 'plain' })

    expect([answer.status, answer.headers['set-cookie']]).toEqual([201, undefined])
  })
})

/** The same bytes, written otherwise: padded, and with bits behind the last that nobody reads. */
function otherSpellings(token: string): string[] {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const parts = token.split('.')
  const [head = '', claims = '', signature = ''] = parts
  const next = letters[letters.indexOf(signature.at(-1) ?? '') + 1]
  const bent = `${signature.slice(0, -1)}${next}`
  expect(Buffer.from(bent, 'base64url')).toEqual(Buffer.from(signature, 'base64url'))
  return [`${token}=`, `${token}==`, `${head}.${claims}.${bent}`]
}

describe('a forged token', () => {
  it('gets one answer, however it was made', async () => {
    const { token } = await signIn()
    const good = claimsOf(token)
    const { kid, privateKey, publicKey } = keys.signing()
    const stranger = generateKeyPairSync('ed25519').privateKey
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const raw = (header: object, claims: object, seal: (text: string) => Buffer) => {
      const text = `${encode(header)}.${encode(claims)}`
      return `${text}.${seal(text).toString('base64url')}`
    }
    const own = (text: string) => signBytes(null, Buffer.from(text), privateKey)
    const header = { alg: 'EdDSA', kid, typ: 'at+jwt' }
    const pem = publicKey.export({ format: 'pem', type: 'spki' })
    const der = publicKey.export({ format: 'der', type: 'spki' })
    const now = Math.floor(Date.now() / 1000)
    const forged = [
      raw({ ...header, alg: 'none' }, good, () => Buffer.alloc(0)),
      raw({ ...header, alg: 'None' }, good, own),
      raw({ ...header, alg: 'HS256' }, good, (text) => createHmac('sha256', pem).update(text).digest()),
      raw({ ...header, alg: 'HS256' }, good, (text) => createHmac('sha256', der).update(text).digest()),
      raw({ ...header, alg: 'RS256' }, good, (text) => signBytes('sha256', Buffer.from(text), rsa)),
      raw(header, good, (text) => signBytes(null, Buffer.from(text), stranger)),
      raw({ ...header, jwk: publicKey.export({ format: 'jwk' }) }, { ...good, sub: good.sid }, own),
      raw({ ...header, jku: 'https://example.com/keys' }, { ...good, iss: 'https://example.com' }, own),
      raw({ ...header, kid: '../../panel.key' }, good, own),
      raw({ ...header, kid: '0' }, good, own),
      raw({ alg: 'EdDSA', typ: 'at+jwt' }, good, own),
      raw({ ...header, typ: 'JWT' }, good, own),
      raw({ ...header, crit: ['x'], x: 1 }, good, own),
      raw(header, { ...good, iss: 'https://other.example' }, own),
      raw(header, { ...good, aud: 'https://other.example/api/v1' }, own),
      raw(header, { ...good, exp: now - 1 }, own),
      raw(header, { ...good, exp: undefined }, own),
      raw(header, { ...good, nbf: now + 600 }, own),
      raw(header, { ...good, sid: undefined }, own),
      raw(header, { ...good, sid: '00000000-0000-4000-8000-000000000000' }, own),
      raw(header, { ...good, sub: '00000000-0000-4000-8000-000000000000' }, own),
      `${token.split('.').slice(0, 2).join('.')}.`,
      token.split('.').slice(0, 2).join('.'),
      `${token}.${token}`,
      ...otherSpellings(token),
      '..',
      'a.b.c',
    ]

    const answers: Answer[] = []
    for (const one of forged) answers.push(await call(one))

    expect(new Set(answers.map(refused)).size).toBe(1)
    expect(answers[0]?.status).toBe(401)
    // The same made by the same hands from the right parts is taken: so it is the wrong parts that were refused.
    expect((await call(raw(header, good, own))).status).toBe(200)
    const byLibrary = await new SignJWT({ sid: good.sid }).setProtectedHeader(header).setSubject(good.sub)
    const signed = await byLibrary.setIssuer(good.iss).setAudience(good.aud).setIssuedAt().setExpirationTime('5m')
    expect((await call(await signed.sign(privateKey))).status).toBe(200)
  })
})

describe('the session behind a token', () => {
  it('is listed, and its end is that of the token, at once', async () => {
    const { token, secret } = await signIn()
    const { sid } = claimsOf(token)
    const listed = (await call(token, 'GET', '/api/v1/sessions')).json().items?.map(({ id }) => id)
    expect(listed).toContain(sid)

    await test.root('DELETE', `/api/v1/sessions/${sid}`)

    expect((await call(token)).status).toBe(401)
    expect((await post('/refresh', { secret })).status).toBe(401)
  })

  it('ends with a new password and with the suspension of its person', async () => {
    const address = 'short@example.com'
    await test.root('POST', '/api/v1/users', { email: address, password, role: 'system_admin' })
    const first = await signIn(address)
    await test.root('PATCH', `/api/v1/users/${address}`, { password: 'quite another password' })
    expect((await call(first.token)).status).toBe(401)

    const second = grantOf(await post('', { email: address, password: 'quite another password' }))
    await test.root('POST', `/api/v1/users/${address}/suspend`)
    expect((await call(second.token)).status).toBe(401)
    expect((await post('/refresh', { secret: second.secret })).status).toBe(401)
  })

  it('gives a new token for its secret, which no other secret does', async () => {
    const { secret, token } = await signIn()

    const next = grantOf(await post('/refresh', { secret }))

    expect([next.secret, claimsOf(next.token).sid]).toEqual([secret, claimsOf(token).sid])
    expect((await call(next.token)).status).toBe(200)
    expect((await post('/refresh', { secret: `${secret.slice(0, -1)}-` })).status).toBe(401)
    expect((await post('/refresh', { secret: token })).status).toBe(401)
  })

  it('never outlives its hours', async () => {
    const { secret, token } = await signIn()
    const soon = new Date(Date.now() + 60_000).toISOString()
    const { sid } = claimsOf(token)
    await test.panel.db.updateTable('sessions').set({ expires_at: soon }).where('id', '=', sid).execute()

    const { expiresAt } = grantOf(await post('/refresh', { secret }))

    expect(Date.parse(expiresAt)).toBeLessThanOrEqual(Date.parse(soon))
  })

  it('is ended by its person', async () => {
    const { token } = await signIn()

    expect(
      (await ask({ port: test.panel.port }, { method: 'DELETE', path: '/api/v1/tokens', headers: bearer(token) }))
        .status,
    ).toBe(200)

    expect((await call(token)).status).toBe(401)
    expect((await test.root('GET', '/api/v1/audit?action=auth.logout')).json().items?.[0]).toMatchObject({
      actor: email,
    })
  })

  it('confirms that it is still the same person, for what is dangerous', async () => {
    const { token, secret } = await signIn()
    const { sid } = claimsOf(token)
    const longAgo = '2020-01-01T00:00:00.000Z'
    await test.panel.db.updateTable('sessions').set({ confirmed_at: longAgo }).where('id', '=', sid).execute()
    const create = () =>
      call(token, 'POST', '/api/v1/users', { email: `${sid}@example.com`, password, role: 'system_admin' })
    expect((await create()).json().code).toBe('step_up_needed')

    expect((await post('/confirm', { password: 'something else' }, token)).status).toBe(401)
    expect((await create()).json().code).toBe('step_up_needed')
    const next = grantOf(await post('/confirm', { password }, token))

    expect((await create()).status).toBe(201)
    expect(next.secret).not.toBe(secret)
    expect((await post('/refresh', { secret })).status).toBe(401)
    expect((await post('/refresh', { secret: next.secret })).status).toBe(201)
  })

  it('is nothing that an API key can confirm or end', async () => {
    const made = await test.root('POST', `/api/v1/users/${email}/api-keys`, { name: 'deploy', scopes: ['user.list'] })
    const key = String(made.json().token)

    expect((await call(key)).status).toBe(200)
    expect((await post('/confirm', { password }, key)).status).toBe(401)
    expect((await call(key, 'DELETE', '/api/v1/tokens')).status).toBe(401)
  })

  it('acts as nobody else', async () => {
    await test.root('POST', '/api/v1/resellers', { email: 'seller@example.com', password })
    const { token } = await signIn()

    const answer = await call(token, 'POST', '/api/v1/users/seller@example.com/impersonate')

    expect([answer.status, claimsOf(token).sid]).toEqual([expect.any(Number), expect.any(String)])
    expect(answer.status).toBeGreaterThanOrEqual(400)
  })
})

describe('somebody with an authenticator app', () => {
  it('gets a token for password and code, each once', async () => {
    const address = 'careful@example.com'
    await test.root('POST', '/api/v1/users', { email: address, password, role: 'system_admin' })
    const before = await signIn(address)
    const totp = `/api/v1/users/${address}/totp`
    const { secret: text } = (await call(before.token, 'POST', totp)).json()
    const secret = fromBase32(String(text))
    const code = (steps: number) => totpCode(secret, totpStep(Date.now()) + steps)
    expect((await call(before.token, 'POST', `${totp}/confirm`, { code: code(-1) })).status).toBe(200)
    expect((await call(before.token)).status).toBe(401)

    const half = await post('', { email: address, password })
    const { code: kind, details } = half.json()
    const { challenge } = details as { challenge: string }
    expect([half.status, kind]).toEqual([403, 'second_factor_needed'])
    expect((await call(challenge)).status).toBe(401)
    expect((await post('/refresh', { secret: challenge })).status).toBe(401)
    expect((await post('/code', { challenge, code: '000000' })).status).toBe(401)
    const { token } = grantOf(await post('/code', { challenge, code: code(0) }))

    expect((await call(token)).status).toBe(200)
    expect((await post('/code', { challenge, code: code(1) })).status).toBe(401)
  })
})
