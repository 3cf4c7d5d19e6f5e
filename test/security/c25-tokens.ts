import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import type { Tried } from './attack-class.ts'
import { password } from './stage.ts'

type Json = Readonly<Record<string, unknown>>

export const signedTokens: Tried = {
  name: 'tokens that nobody signed, or another, or too late',
  holds: '401 for all of them; dead with the next request once the session is over',
  async attack(stage, tally) {
    await stage.root('POST', '/users', { email: 'tokens@example.com', password, role: 'user', tenant: 'butcher' })
    const nobody = stage.browser('127.25.1.1')
    const signIn = async () => {
      const answer = await nobody.ask({
        method: 'POST',
        path: '/api/v1/tokens',
        body: { email: 'tokens@example.com', password },
      })
      return { status: answer.status, token: String(answer.json().token), secret: String(answer.json().secret) }
    }
    const use = async (token: string) =>
      (await nobody.ask({ path: '/api/v1/domains', headers: { authorization: `Bearer ${token}` } })).status
    const { token, secret } = await signIn()
    tally.same(await use(token), 200, 'a good token')
    const [head = '', body = '', signature = ''] = token.split('.')
    const [header, claims] = [read(head), read(body)]
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const own = (made: Json, said: Json) => {
      const text = `${write(made)}.${write(said)}`
      return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`
    }
    const hmac = (made: Json, key: string) => {
      const text = `${write(made)}.${body}`
      return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
    }
    const jwk = publicKey.export({ format: 'jwk' })
    const forged: readonly (readonly [what: string, token: string])[] = [
      ['no algorithm', `${write({ ...header, alg: 'none' })}.${body}.`],
      ['no algorithm, with a signature', `${write({ ...header, alg: 'None' })}.${body}.${signature}`],
      ['another header', `${write({ ...header, x: 1 })}.${body}.${signature}`],
      ['another body', `${head}.${write({ ...claims, exp: 4_102_444_800 })}.${signature}`],
      ['another subject', `${head}.${write({ ...claims, sub: stage.ids.user })}.${signature}`],
      ['a symmetric algorithm', hmac({ ...header, alg: 'HS256' }, signature)],
      ['a symmetric algorithm, empty key', hmac({ ...header, alg: 'HS256' }, '')],
      ['an own key', own(header, claims)],
      ['an own key in the header', own({ ...header, jwk }, claims)],
      ['an own key at an address', own({ ...header, jku: 'https://evil.example/jwks.json' }, claims)],
      ['an own chain', own({ ...header, x5c: ['AAAA'] }, claims)],
      ['a key in the file system', own({ ...header, kid: '../../../../dev/null' }, claims)],
      ['a key of a query', own({ ...header, kid: "' or 1=1 --" }, claims)],
      ['a critical extension', own({ ...header, crit: ['b64'], b64: false }, claims)],
      ['a cut signature', token.slice(0, -4)],
      ['no signature', `${head}.${body}.`],
      ['padding behind it', `${token}==`],
      ['three tokens in one', `${token}.${token}`],
      ['the secret as a token', secret],
      ['the cookie as a token', stage.butcher.browser.cookie ?? ''],
    ]
    for (const [what, one] of forged) tally.same(await use(one), 401, what)
    for (const body of [
      { secret: token },
      { secret: 'x'.repeat(43) },
      { secret: '' },
      { secret: [secret] },
      { secret, extra: 1 },
    ]) {
      const { status } = await nobody.ask({ method: 'POST', path: '/api/v1/tokens/refresh', body })
      tally.held([401, 422].includes(status), `refreshed with ${JSON.stringify(body).slice(0, 30)}: ${status}`)
    }
    await nobody.ask({ method: 'DELETE', path: '/api/v1/tokens', headers: { authorization: `Bearer ${token}` } })
    tally.same(await use(token), 401, 'after signing out')
    for (const verb of ['suspend', 'unsuspend'] as const) {
      const second = verb === 'suspend' ? await signIn() : undefined
      await stage.root('POST', `/users/tokens@example.com/${verb}`)
      if (second !== undefined) tally.same(await use(second.token), 401, 'after the suspension of its person')
    }
  },
}

function read(part: string): Json {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
}

function write(value: Json): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
