/** Speaks REST to a panel on another machine, as whoever is signed in there or by an API key, which it sends or signs with. */
import { randomUUID } from 'node:crypto'
import { WcpError } from '../../contract/errors.ts'
import { apiRoot, type HttpCall } from '../../lib/http-call.ts'
import { signatureHeaders } from '../../lib/http-signature.ts'
import { TokenGrant, tokensPath } from '../../lib/token-grant.ts'
import { version } from '../../program/version.ts'
import { keyIdOf } from '../../resources/api-key/token.ts'
import { type Ask, demand } from '../ask.ts'
import { type Answer, answerOrError, bodyOf, type CallPanel } from '../client.ts'
import type { ServerAddress } from './server-address.ts'
import type { KeptSession, ServerFile } from './server-file.ts'
import { trustedConnection } from './trusted-connection.ts'

/** A token is renewed when it has no more than this left. */
const marginMs = 30_000

/** The credentials of a request: an access token or API key itself, or what an API key has signed. */
export type Credential = { readonly bearer: string } | { readonly signWith: string }

/** One request; null: as nobody. */
export type Send = (call: HttpCall, credential: Credential | null) => Promise<Answer>

/** @param pin fingerprint of a certificate that nobody vouches for */
export function sender(server: ServerAddress, pin: () => string | null): Send {
  return async (call, credential) => {
    const socket = await trustedConnection(server, pin())
    const host = server.origin.slice('https://'.length)
    const headers = {
      host,
      'user-agent': `wcp/${version().trim()}`,
      ...(credential !== null && credentialHeaders(credential, host, call)),
    }
    try {
      return await answerOrError({ createConnection: () => socket }, call, headers)
    } catch (cause) {
      if (cause instanceof WcpError) throw cause
      throw new WcpError('unavailable', `Cannot read the answer of ${server.origin}`, {
        cause,
        help: 'Check that this is the address of a panel, and that it runs.',
      })
    }
  }
}

function credentialHeaders(
  credential: Credential,
  authority: string,
  call: HttpCall,
): Readonly<Record<string, string>> {
  if ('bearer' in credential) return { authorization: `Bearer ${credential.bearer}` }
  const { method, target } = call
  if (call.source !== undefined) throw unsigned()
  const made = { keyId: keyIdOf(credential.signWith), created: Math.floor(Date.now() / 1000), nonce: randomUUID() }
  return signatureHeaders(credential.signWith, { method, authority, target, body: bodyOf(call) }, made)
}

/** A signature is over a digest of the body, which is known when all of it is there. */
function unsigned(): WcpError {
  return new WcpError('bad_input', 'Cannot sign what comes from standard input', {
    help: 'Use a key that is sent (WCP_API_KEY), or "wcp login".',
  })
}

/** As a program, by an API key. */
export function keyClient(send: Send, key: Credential): CallPanel {
  return (call) => send(call, key)
}

/**
 * As the person who is signed in; asks for the password where the panel wants to see it again. Where nobody is signed in
 * the panel says what that means: before it is set up, nobody can.
 */
export function sessionClient(server: ServerAddress, file: ServerFile, send: Send, ask: Ask): CallPanel {
  async function token(): Promise<string | null> {
    const { session } = file.read()
    if (session === null) return null
    if (Date.parse(session.expiresAt) - Date.now() > marginMs) return session.token
    return (await grant(file, send, '/refresh', { secret: session.secret }, null)).token
  }

  return async (call) => {
    const first = await token()
    try {
      return await send(call, bearer(first))
    } catch (error) {
      if (!(error instanceof WcpError)) throw error
      if (first === null) throw error.code === 'not_signed_in' ? nobody(server) : error
      if (error.code !== 'step_up_needed') throw error
      const proof = await demand(ask.secret, 'password, or code of your app: ')
      const body = /^\d{6}$/.test(proof) ? { code: proof } : { password: proof }
      return await send(call, bearer((await grant(file, send, '/confirm', body, first)).token))
    }
  }
}

export function bearer(token: string | null): Credential | null {
  return token === null ? null : { bearer: token }
}

function nobody({ origin }: ServerAddress): WcpError {
  return new WcpError('not_signed_in', `Cannot call ${origin}: nobody is signed in there`, {
    help: `Run "wcp login --server ${origin}".`,
  })
}

/** Signs in, renews or confirms, and keeps what comes of it. @param path below `/tokens` */
export async function grant(
  file: ServerFile,
  send: Send,
  path: '' | '/code' | '/refresh' | '/confirm',
  body: Readonly<Record<string, string>>,
  token: string | null,
): Promise<KeptSession> {
  const answer = await send({ method: 'POST', target: `${apiRoot}${tokensPath}${path}`, body }, bearer(token))
  const session = TokenGrant.parse(answer.body)
  file.write({ ...file.read(), session, key: null })
  return session
}
