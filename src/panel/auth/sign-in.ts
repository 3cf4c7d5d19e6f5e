/**
 * Signing in and out. Unknown address, wrong password and suspended account get the same answer after the same work, so
 * that nobody learns from here who has an account.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import type { Id } from '../../contract/values.ts'
import type { Stores } from '../../resources/index.ts'
import { Email } from '../../resources/user/schema.ts'
import type { Db } from '../db/database.ts'
import { clientAddress } from '../http/client-address.ts'
import type { Session, SessionInfo } from '../http/types.ts'
import { recordAuth } from './auth-log.ts'
import type { PasswordHasher } from './password.ts'
import type { NewSession, SessionTable } from './sessions.ts'
import type { Throttle } from './throttle.ts'
import type { Visitors } from './visitors.ts'

export const longestPassword = 1024

export interface SignInOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly sessions: SessionTable
  readonly visitors: Visitors
  readonly hasher: PasswordHasher
  readonly throttle: Throttle
}

export function signIn({ db, storesOf, sessions, visitors, hasher, throttle }: SignInOptions) {
  /** Ends the visitor's present session, if any, so that the value of its cookie is worth nothing any more. */
  async function startSession(
    tx: Db,
    request: FastifyRequest,
    session: Pick<NewSession, 'kind' | 'userId' | 'impersonator' | 'until'>,
  ): Promise<string> {
    const before = visitors.storedSession(request)
    if (before) await sessions.end(tx, before.id, before.userId)
    return await sessions.start(tx, {
      ...session,
      ip: clientAddress(request),
      userAgent: request.headers['user-agent'] ?? '',
    })
  }

  async function login(
    request: FastifyRequest,
    reply: FastifyReply,
    { email, password }: { email: string; password: string },
  ): Promise<void> {
    const from = clientAddress(request)
    const address = Email.safeParse(email).data ?? null
    const account = address ?? 'not an address'
    throttle.enter(account, from)
    const known = address === null ? undefined : await storesOf(db).users.credentials(address)
    const usable = password.length <= longestPassword
    const check = await hasher.verify(usable ? password : '', usable ? (known?.passwordHash ?? null) : null)
    if (!check.ok || !known?.maySignIn) {
      throttle.failed(account, from)
      const user = known ? userOf(known.user) : null
      await db.transaction().execute((tx) =>
        recordAuth(storesOf, tx, request, {
          action: 'auth.login',
          outcome: 'refused',
          user,
          metadata: { email: account },
        }),
      )
      throw new WcpError('not_signed_in', 'Cannot sign in: the e-mail address or the password is wrong', {
        help: 'Check both and try again; an administrator can set a new password.',
      })
    }
    throttle.succeeded(account, from)
    const renewed = check.outdated ? await hasher.hash(password) : null
    const value = await db.transaction().execute(async (tx) => {
      if (renewed !== null) await storesOf(tx).users.setPasswordHash(known.user.id, renewed)
      const started = await startSession(tx, request, { kind: 'user', userId: known.user.id })
      await recordAuth(storesOf, tx, request, {
        action: 'auth.login',
        outcome: 'ok',
        user: userOf(known.user),
        metadata: {},
      })
      return started
    })
    visitors.giveCookie(request, reply, value)
  }

  async function logout(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { session } = request
    if (session)
      await db.transaction().execute(async (tx) => {
        await sessions.end(tx, session.id, session.actor.id)
        await recordAuth(storesOf, tx, request, {
          action: 'auth.logout',
          outcome: 'ok',
          user: personOf(session.actor),
          metadata: actingAs(session.actor),
        })
      })
    visitors.takeCookie(request, reply)
  }

  async function list(request: FastifyRequest): Promise<readonly SessionInfo[]> {
    const { id: current, actor } = demandSession(request)
    const all = await sessions.ofUser(db, actor.id)
    return all.map(({ id, createdAt, seenAt, ip, userAgent }) => ({
      id,
      createdAt,
      seenAt,
      ip,
      agent: userAgent,
      current: id === current,
    }))
  }

  async function revoke(request: FastifyRequest, id: Id): Promise<void> {
    const { actor } = demandSession(request)
    if (actor.impersonator)
      throw new WcpError('forbidden', 'Cannot end sessions while acting as another person', {
        help: 'End acting as this person first.',
      })
    await db.transaction().execute(async (tx) => {
      if (!(await sessions.end(tx, id, actor.id))) throw new WcpError('not_found', `Cannot find the session "${id}"`)
      await recordAuth(storesOf, tx, request, {
        action: 'auth.revoke',
        outcome: 'ok',
        user: personOf(actor),
        metadata: { session: id },
      })
    })
  }

  /** @returns the new cookie, to be given once the transaction has ended well */
  async function actAs(tx: Db, request: FastifyRequest, user: Id): Promise<string> {
    const { actor, expiresAt } = demandSession(request)
    const impersonator = { id: actor.id, resumeUntil: expiresAt }
    return startSession(tx, request, { kind: 'user', userId: user, impersonator })
  }

  /** Back to one's own session, if it would still last; else nobody is signed in any more. */
  async function endImpersonation(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { actor } = demandSession(request)
    const before = visitors.storedSession(request)?.impersonator
    if (!before) throw new WcpError('conflict', 'Cannot end acting as another person: nobody does here')
    const value = await db.transaction().execute(async (tx) => {
      await recordAuth(storesOf, tx, request, {
        action: 'auth.end_impersonation',
        outcome: 'ok',
        user: personOf(actor),
        metadata: actingAs(actor),
      })
      return startSession(tx, request, { kind: 'user', userId: before.id, until: before.resumeUntil })
    })
    visitors.giveCookie(request, reply, value)
  }

  return { startSession, login, logout, sessions: list, revoke, actAs, endImpersonation }
}

export type SignIn = ReturnType<typeof signIn>

function demandSession({ session }: FastifyRequest) {
  if (session === null) throw new WcpError('not_signed_in', 'Cannot look at sessions: nobody is signed in')
  return session
}

/** Who answers for it. */
const personOf = ({ scope, impersonator, ...user }: Session['actor']) => ({
  id: (impersonator ?? user).id,
  email: (impersonator ?? user).email,
  tenant: scope.kind === 'local' ? scope.tenant : null,
})

const actingAs = ({ email, impersonator }: Session['actor']) => (impersonator ? { as: email } : {})

const userOf = ({ id, email, tenantId }: { id: Id; email: string; tenantId: Id | null }) => ({
  id,
  email,
  tenant: tenantId,
})
