/**
 * Access tokens: what programs on other machines show for a person's session, signed, good for fifteen minutes, and only
 * as long as the session behind them lives. A token says which session; what its person may is read anew at each use.
 */
import type { FastifyRequest } from 'fastify'
import { SignJWT } from 'jose/jwt/sign'
import { jwtVerify } from 'jose/jwt/verify'
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { Id } from '../../contract/values.ts'
import { apiRoot } from '../../lib/http-call.ts'
import type { Db } from '../../store/database.ts'
import type { Session } from '../http/types.ts'
import type { Program } from './api-keys.ts'
import type { SessionTable } from './sessions.ts'
import type { TokenKeys } from './token-keys.ts'
import type { Visitors } from './visitors.ts'

const lifeSeconds = 15 * 60
/** RFC 9068: a token of another kind is none. */
const type = 'at+jwt'

export interface AccessTokensOptions {
  readonly db: Db
  readonly sessions: SessionTable
  readonly visitors: Pick<Visitors, 'sessionOf'>
  readonly keys: TokenKeys
  /** Address of the panel, without a slash at the end: who issues, and with the API's path for whom. */
  readonly baseUrl: () => string
  readonly now?: () => number
}

export interface AccessToken {
  readonly token: string
  readonly expiresAt: string
  readonly email: string
}

const Claims = z.object({ sub: Id, sid: Id })

export function accessTokens({ db, sessions, visitors, keys, baseUrl, now = Date.now }: AccessTokensOptions) {
  const audience = () => `${baseUrl()}${apiRoot}`

  async function sign({ id, actor, expiresAt }: Session): Promise<AccessToken> {
    const { kid, privateKey } = keys.signing()
    const from = Math.floor(now() / 1000)
    const until = Math.min(from + lifeSeconds, Math.floor(Date.parse(expiresAt) / 1000))
    const token = await new SignJWT({ sid: id })
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: type })
      .setIssuer(baseUrl())
      .setAudience(audience())
      .setSubject(actor.id)
      .setIssuedAt(from)
      .setExpirationTime(until)
      .sign(privateKey)
    return { token, expiresAt: new Date(until * 1000).toISOString(), email: actor.email }
  }

  /** Which session it is for; undefined for what this panel has not signed, for here and for now. */
  async function claims(token: string): Promise<z.output<typeof Claims> | undefined> {
    if (!isCanonical(token)) return undefined
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          const key = keys.verifying(kid)
          if (key === undefined) throw new Error('no such key')
          return key.publicKey
        },
        {
          algorithms: ['EdDSA'],
          typ: type,
          issuer: baseUrl(),
          audience: audience(),
          requiredClaims: ['exp', 'iat', 'sub', 'sid'],
          currentDate: new Date(now()),
        },
      )
      return Claims.safeParse(payload).data
    } catch {
      return undefined // whatever is wrong with it, the answer is the same
    }
  }

  return {
    /** @param value secret of a session, as the one who signed in got it. @throws `not_signed_in` when it is over */
    async issue(value: string, request: FastifyRequest): Promise<AccessToken> {
      const found = await sessions.find(db, value)
      const session = found && (await visitors.sessionOf(request, found))
      if (!session) throw over()
      return await sign(session)
    },

    /** @throws `not_signed_in`, in the same words whatever is wrong with the token or its session */
    async identify(token: string, request: FastifyRequest): Promise<Program> {
      const said = await claims(token)
      const found = said && (await sessions.findById(db, said.sid))
      const session = found?.userId === said?.sub && found ? await visitors.sessionOf(request, found) : null
      if (session === null) throw over()
      const { id, actor, confirmedAt, mustEnrol } = session
      return { actor, proof: { session: id, confirmedAt, mustEnrol } }
    },
  }
}

/** Of all ways to write the same bytes the one of RFC 7515 §2: without padding, and without bits that say nothing. */
function isCanonical(token: string): boolean {
  return token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
}

export type AccessTokens = ReturnType<typeof accessTokens>

function over(): WcpError {
  return new WcpError('not_signed_in', 'Cannot go on: this sign-in is over', {
    help: 'Sign in again; with wcp: "wcp login".',
  })
}
