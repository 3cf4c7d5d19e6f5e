/**
 * Signing in without a browser: password, and code where there is an app, for the secret of a session and an access
 * token; later the secret alone for a new token. The checks are those of the pages.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { apiRoot } from '../../lib/http-call.ts'
import { type TokenGrant, tokensPath } from '../../lib/token-grant.ts'
import type { Db } from '../../store/database.ts'
import type { AccessTokens } from '../auth/access-tokens.ts'
import type { SignIn } from '../auth/sign-in.ts'
import { readBody, sendJson } from './json-body.ts'
import type { Session } from './types.ts'

export interface TokenRoutesOptions {
  readonly db: Db
  readonly signIn: Pick<SignIn, 'provePassword' | 'proveCode' | 'proveAgain' | 'end'>
  readonly accessTokens: AccessTokens
}

const word = z.string().max(1024)

export const tokenBodies = {
  password: z.strictObject({ email: word, password: word }),
  code: z.strictObject({ challenge: word, code: word }),
  refresh: z.strictObject({ secret: word }),
  confirm: z.strictObject({ password: word.default(''), code: word.default('') }),
}

const signIn = { config: { access: 'api', isSignIn: true } } as const
const plain = { config: { access: 'api' } } as const

export function registerTokens(app: FastifyInstance, options: TokenRoutesOptions): void {
  const { db, signIn: signing, accessTokens } = options
  const at = (path: string) => `${apiRoot}${tokensPath}${path}`

  async function grant(request: FastifyRequest, reply: FastifyReply, secret: string): Promise<FastifyReply> {
    const body: TokenGrant = { secret, ...(await accessTokens.issue(secret, request)) }
    return sendJson(reply.code(201), body)
  }

  app.post(at(''), signIn, async (request, reply) => {
    const { value, owesMore } = await signing.provePassword(request, readBody(tokenBodies.password, request))
    if (owesMore)
      throw new WcpError('second_factor_needed', 'Cannot sign in yet: a code of your app is still to come', {
        help: `Send it with the challenge to ${at('/code')}; a recovery code does, too.`,
        details: { challenge: value },
      })
    return await grant(request, reply, value)
  })

  app.post(at('/code'), signIn, async (request, reply) => {
    const { challenge, code } = readBody(tokenBodies.code, request)
    return await grant(request, reply, await signing.proveCode(request, challenge, code))
  })

  app.post(at('/refresh'), plain, async (request, reply) =>
    grant(request, reply, readBody(tokenBodies.refresh, request).secret),
  )

  app.post(at('/confirm'), signIn, async (request, reply) => {
    const session = demandSession(request)
    return await grant(
      request,
      reply,
      await signing.proveAgain(request, session, readBody(tokenBodies.confirm, request)),
    )
  })

  app.delete(at(''), plain, async (request, reply) => {
    const session = demandSession(request)
    await db.transaction().execute((tx) => signing.end(tx, request, session))
    return sendJson(reply, { id: session.id })
  })
}

/** Of an access token: browsers and API keys have no business here. */
function demandSession({ actor, proof }: FastifyRequest): Pick<Session, 'id' | 'actor'> {
  if (actor?.kind !== 'user' || !proof?.session)
    throw new WcpError('not_signed_in', 'Cannot go on: send the access token of a sign-in')
  return { id: proof.session, actor }
}
