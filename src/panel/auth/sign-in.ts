/**
 * Signing in and out. An unknown address and a wrong password get the same answer after the same work, so that nobody
 * learns from here who has an account. Only who has shown all that the account asks for reads that it is suspended.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import type { Id } from '../../contract/values.ts'
import type { SecondFactor } from '../../resources/session/schema.ts'
import type { Stores } from '../../resources/stores.ts'
import { Email, type User } from '../../resources/user/schema.ts'
import type { Db } from '../../store/database.ts'
import type { Repeats } from '../audit/repeats.ts'
import { shownKey } from '../http/certificate-port.ts'
import { clientAddress } from '../http/client-address.ts'
import type { OwedFactor, Session } from '../http/types.ts'
import { type Acquaintance, type Known, placeOf } from './acquaintance.ts'
import { type AuthEvent, recordAuth } from './auth-log.ts'
import type { ChallengeTable } from './challenges.ts'
import { closedAccount } from './closed-account.ts'
import type { Path } from './fair-line.ts'
import { knownPlace, networkOf } from './network.ts'
import type { PasswordHasher } from './password.ts'
import type { NewSession, SessionTable } from './sessions.ts'
import type { Throttle } from './throttle.ts'
import type { Visitors } from './visitors.ts'

export const longestPassword = 1024

type LiveSession = Pick<Session, 'id' | 'actor'>

interface Reproof {
  readonly password: string
  readonly code: string
}

/** The second factor that was shown. */
type Shown = Pick<NewSession, 'factor' | 'certificateId'>

type BegunSession = Omit<NewSession, 'ip' | 'userAgent'>

export interface SignInOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly sessions: SessionTable
  readonly challenges: ChallengeTable
  readonly visitors: Visitors
  readonly hasher: PasswordHasher
  readonly throttle: Throttle
  readonly acquaintance: Acquaintance
  readonly repeats: Pick<Repeats, 'isInFull'>
}

export function signIn(options: SignInOptions) {
  const { db, storesOf, sessions, challenges, visitors, hasher, throttle, acquaintance } = options

  /** Ends the visitor's present session, if any, so that the value of its cookie is worth nothing any more. */
  async function startSession(tx: Db, request: FastifyRequest, session: BegunSession): Promise<string> {
    const before = visitors.storedSession(request)
    if (before) await sessions.end(tx, before.id, before.userId)
    return await sessions.start(tx, {
      ...session,
      ip: clientAddress(request),
      userAgent: request.headers['user-agent'] ?? '',
    })
  }

  const record = (tx: Db, request: FastifyRequest, event: AuthEvent) => recordAuth(storesOf, tx, request, event)

  async function startFor(tx: Db, request: FastifyRequest, user: User, shown: Shown): Promise<string> {
    const { users, clientCertificates } = storesOf(tx)
    const isAdmin = (await users.permissions(user.id)) === 'all'
    if (shown.certificateId) await clientCertificates.used(shown.certificateId)
    await acquaintance.meet(tx, request, user.id)
    const value = await startSession(tx, request, { kind: 'user', userId: user.id, ...shown, isAdmin })
    const metadata = { factor: shown.factor, ...(shown.certificateId && { certificate: shown.certificateId }) }
    await record(tx, request, { action: 'auth.login', outcome: 'ok', user: userOf(user), metadata })
    return value
  }

  /** By the certificate that the connection has shown; undefined without one that is registered for the user. */
  async function certified(tx: Db, request: FastifyRequest, user: Id): Promise<Shown | undefined> {
    const key = shownKey(request)
    const certificateId = key === null ? undefined : await storesOf(tx).clientCertificates.usable(user, key)
    return certificateId && { factor: 'certificate', certificateId }
  }

  /** A try for which there is no room stays counted: else a flood that fills the line would cost nothing. */
  function checked(place: Path, password: string, hash: string | null) {
    const usable = password.length <= longestPassword
    return hasher.verify(place, usable ? password : '', usable ? hash : null)
  }

  /** Strangers have one share of the trail: when it is used up their guesses are counted, by network. */
  async function recordGuess(request: FastifyRequest, event: AuthEvent): Promise<void> {
    const { action } = event
    const network = networkOf(clientAddress(request))
    const write = (metadata: AuthEvent['metadata'], who: AuthEvent['user']) =>
      db.transaction().execute((tx) => record(tx, request, { ...event, user: who, metadata }))
    const sum = (refusals: number) => write({ network, refusals }, null)
    if (options.repeats.isInFull('strangers', `${action} ${network}`, sum)) await write(event.metadata, event.user)
  }

  /** @returns the secret of a new session, or of a challenge where the second factor is still to come */
  async function provePassword(
    request: FastifyRequest,
    { email, password }: { email: string; password: string },
  ): Promise<{ value: string; owesMore: boolean }> {
    const address = Email.safeParse(email).data ?? null
    const account = address ?? 'not an address'
    const known = address === null ? undefined : await storesOf(db).users.credentials(address)
    const person = known?.user.id ?? null
    const acquainted = await acquaintance.of(request, person)
    const attempt = throttle.enter({ account, address: clientAddress(request), known: acquainted })
    const place = placeOf(request, person, acquainted)
    const check = await checked(place, password, known?.passwordHash ?? null)
    if (!check.ok || known === undefined) {
      const user = known ? userOf(known.user) : null
      await recordGuess(request, { action: 'auth.login', outcome: 'refused', user, metadata: { email: account } })
      throw new WcpError('not_signed_in', 'Cannot sign in: the e-mail address or the password is wrong', {
        help: 'Check both and try again; an administrator can set a new password.',
      })
    }
    attempt.succeeded()
    const renewed = check.outdated ? await hasher.hash(place, password) : null
    const { user } = known
    const proven = await db.transaction().execute(async (tx) => {
      const { users, totp, clientCertificates } = storesOf(tx)
      if (renewed !== null) await users.setPasswordHash(user.id, renewed)
      const shown = await certified(tx, request, user.id)
      const owesMore = !shown && ((await totp.isOn(user.id)) || (await clientCertificates.isOn(user.id)))
      if (!owesMore && !known.maySignIn) return await closedAccount(storesOf(tx), known)
      return {
        owesMore,
        value: owesMore
          ? await challenges.start(tx, user.id)
          : await startFor(tx, request, user, shown ?? { factor: 'none' }),
      }
    })
    if (!(proven instanceof WcpError)) return proven
    const metadata = { email: account, closed: known.closed }
    await recordGuess(request, { action: 'auth.login', outcome: 'refused', user: userOf(user), metadata })
    throw proven
  }

  async function login(
    request: FastifyRequest,
    reply: FastifyReply,
    credentials: { email: string; password: string },
  ): Promise<'signed in' | 'second factor'> {
    const { value, owesMore } = await provePassword(request, credentials)
    visitors.giveCookie(request, reply, value)
    acquaintance.greet(request, reply)
    return owesMore ? 'second factor' : 'signed in'
  }

  async function owesSecondFactor(request: FastifyRequest): Promise<OwedFactor | null> {
    const owner = request.cookie === null ? undefined : await challenges.find(db, request.cookie)
    if (owner === undefined) return null
    const { totp, clientCertificates } = storesOf(db)
    const isShown = (await certified(db, request, owner)) !== undefined
    const certificate = isShown ? 'shown' : (await clientCertificates.isOn(owner)) ? 'registered' : 'none'
    return { app: await totp.isOn(owner), certificate }
  }

  /**
   * The try is counted before the code is looked at, the code is spent and the challenge ended in one transaction: of many
   * who come with the same code at once, one gets in.
   * @returns the secret of a new session
   */
  async function proveCode(request: FastifyRequest, challenge: string | null, code: string): Promise<string> {
    const owner = challenge === null ? undefined : await challenges.find(db, challenge)
    if (challenge === null || owner === undefined) throw signInAgain()
    const known = await acquaintance.of(request, owner)
    const attempt = throttle.enter({ account: `code ${owner}`, address: clientAddress(request), known, isBegun: true })
    if ((await challenges.enter(db, challenge)) === undefined) throw signInAgain()
    const value = await db.transaction().execute(async (tx) => {
      const known = await storesOf(tx).users.credentials(owner)
      const shown = known ? await shownBy(tx, request, owner, code) : null
      const isProven = known !== undefined && shown !== null && (await challenges.end(tx, challenge))
      if (isProven && known.maySignIn) return await startFor(tx, request, known.user, shown)
      const user = known ? userOf(known.user) : null
      const metadata = isProven ? { closed: known.closed } : {}
      await record(tx, request, { action: 'auth.code', outcome: 'refused', user, metadata })
      return isProven ? await closedAccount(storesOf(tx), known) : null
    })
    if (value === null) throw wrongCode()
    attempt.succeeded()
    if (value instanceof WcpError) throw value
    return value
  }

  async function secondFactor(request: FastifyRequest, reply: FastifyReply, code: string): Promise<void> {
    visitors.giveCookie(request, reply, await proveCode(request, request.cookie, code))
    acquaintance.greet(request, reply)
  }

  async function shownBy(tx: Db, request: FastifyRequest, user: Id, code: string): Promise<Shown | null> {
    const shown = await certified(tx, request, user)
    if (shown) return shown
    const factor = await spent(tx, user, code)
    return factor && { factor }
  }

  async function spent(tx: Db, user: Id, code: string): Promise<SecondFactor | null> {
    const { totp } = storesOf(tx)
    if (await totp.spend(user, code.replaceAll(' ', ''))) return 'totp'
    return (await totp.spendRecoveryCode(user, code)) ? 'recovery' : null
  }

  /** @returns the new secret of the session */
  async function proveAgain(
    request: FastifyRequest,
    session: LiveSession,
    { password, code }: Reproof,
  ): Promise<string> {
    const { actor } = session
    // While acting as another person, one shows one's own proof.
    const { id } = actor.impersonator ?? actor
    const known: Known = { kind: 'session', id: session.id }
    const attempt = throttle.enter({ account: `confirm ${id}`, address: clientAddress(request), known })
    const person = await storesOf(db).users.credentials(id)
    const isRight = code === '' && (await checked(knownPlace(id), password, person?.passwordHash ?? null)).ok
    const value = await db.transaction().execute(async (tx) => {
      const isProven = isRight || (code !== '' && (await spent(tx, id, code)) !== null)
      const outcome = isProven ? 'ok' : 'refused'
      await record(tx, request, { action: 'auth.confirm', outcome, user: personOf(actor), metadata: {} })
      return isProven ? await sessions.renew(tx, session.id) : null
    })
    if (value === null) throw wrongProof()
    attempt.succeeded()
    return value
  }

  async function confirm(request: FastifyRequest, reply: FastifyReply, proof: Reproof): Promise<void> {
    visitors.giveCookie(request, reply, await proveAgain(request, demandSession(request), proof))
  }

  async function end(tx: Db, request: FastifyRequest, { id, actor }: LiveSession): Promise<void> {
    await sessions.end(tx, id, actor.id)
    const metadata = actingAs(actor)
    await record(tx, request, { action: 'auth.logout', outcome: 'ok', user: personOf(actor), metadata })
  }

  async function logout(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { session, cookie } = request
    await db.transaction().execute(async (tx) => {
      if (cookie !== null) await challenges.end(tx, cookie)
      if (session !== null) await end(tx, request, session)
    })
    visitors.takeCookie(request, reply)
  }

  /** @returns the new cookie, to be given once the transaction has ended well */
  async function actAs(tx: Db, request: FastifyRequest, user: Id): Promise<string> {
    const { actor, expiresAt } = demandSession(request)
    return await goOnAs(tx, request, user, { impersonator: { id: actor.id, resumeUntil: expiresAt } })
  }

  /** Back to one's own session, if it would still last; else nobody is signed in any more. */
  async function endImpersonation(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { actor } = demandSession(request)
    const before = visitors.storedSession(request)?.impersonator
    if (!before) throw new WcpError('conflict', 'Cannot end acting as another person: nobody does here')
    const value = await db.transaction().execute(async (tx) => {
      await record(tx, request, {
        action: 'auth.end_impersonation',
        outcome: 'ok',
        user: personOf(actor),
        metadata: actingAs(actor),
      })
      return await goOnAs(tx, request, before.id, { until: before.resumeUntil })
    })
    visitors.giveCookie(request, reply, value)
  }

  /** The same person behind it: what was shown at the sign-in, and when, stays as it was. */
  async function goOnAs(
    tx: Db,
    request: FastifyRequest,
    userId: Id,
    more: Pick<NewSession, 'impersonator'> | Pick<NewSession, 'until'>,
  ): Promise<string> {
    const { confirmedAt } = demandSession(request)
    const { factor = 'none', certificateId = null } = visitors.storedSession(request) ?? {}
    const isAdmin = (await storesOf(tx).users.permissions(userId)) === 'all'
    return await startSession(tx, request, {
      kind: 'user',
      userId,
      factor,
      certificateId,
      isAdmin,
      confirmedAt,
      ...more,
    })
  }

  return {
    startSession,
    provePassword,
    proveCode,
    proveAgain,
    end,
    login,
    owesSecondFactor,
    secondFactor,
    confirm,
    logout,
    actAs,
    endImpersonation,
  }
}

export type SignIn = ReturnType<typeof signIn>

function demandSession({ session }: FastifyRequest) {
  if (session === null) throw new WcpError('not_signed_in', 'Cannot go on: nobody is signed in')
  return session
}

function signInAgain(): WcpError {
  return new WcpError('not_signed_in', 'Cannot accept the code: this sign-in is over', {
    help: 'Begin again with address and password.',
  })
}

function wrongProof(): WcpError {
  return new WcpError('not_signed_in', 'Cannot confirm: the password or the code is wrong', {
    help: 'Type your password, or the next code of your app, and confirm again.',
  })
}

function wrongCode(): WcpError {
  return new WcpError('not_signed_in', 'Cannot sign in: the code is wrong', {
    help: 'Each code works once: wait for the next one of the app, or take a recovery code.',
  })
}

/** The person who answers for it. */
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
