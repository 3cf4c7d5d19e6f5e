/** The visitor of a request, and the one cookie that identifies them. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Id } from '../../contract/values.ts'
import type { SecondFactor } from '../../resources/session/schema.ts'
import type { Stores } from '../../resources/stores.ts'
import { mayGoOnAs } from '../../resources/user/impersonation.ts'
import type { Db } from '../../store/database.ts'
import { storeTrouble } from '../../store/store-trouble.ts'
import { shownKey } from '../http/certificate-port.ts'
import type { Session } from '../http/types.ts'
import { cookieHeader, expiredCookieHeader, newCookieValue, readCookie } from './cookie.ts'
import { csrfToken } from './csrf.ts'
import type { SessionKind, SessionTable, StoredSession } from './sessions.ts'

export interface VisitorOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly sessions: SessionTable
  readonly csrfKey: Buffer
}

export type Visitors = ReturnType<typeof visitors>

export function visitors({ db, storesOf, sessions, csrfKey }: VisitorOptions) {
  /** The stored session behind a request, of either kind. */
  const stored = new WeakMap<FastifyRequest, StoredSession>()
  /** Requests whose answer has a new cookie to bring. */
  const renewed = new WeakSet<FastifyRequest>()

  /** A session that began with a certificate goes on with it alone: its cookie is worth nothing without the key. */
  async function showsItsCertificate(request: FastifyRequest, { certificateId }: StoredSession, person: Id) {
    if (certificateId === null) return true
    const key = shownKey(request)
    return key !== null && (await storesOf(db).clientCertificates.usable(person, key)) === certificateId
  }

  return {
    /** Rights are read anew each time: what an administrator changes holds from the next request on. */
    async identify(request: FastifyRequest): Promise<{ session: Session | null; cookie: string | null }> {
      const cookie = readCookie(request.headers.cookie)
      const found = cookie === null ? undefined : await sessions.find(db, cookie)
      if (found === undefined) return { session: null, cookie }
      if (found.userId === null) await sessions.touch(db, found, false).catch(unlessStoreTrouble)
      const session = await this.sessionOf(request, found)
      if (session !== null || found.userId === null) stored.set(request, found)
      return { session, cookie }
    },

    /** Whom a stored session signs in now, on the connection of this request; null when it does nobody any more. */
    async sessionOf(request: FastifyRequest, found: StoredSession): Promise<Session | null> {
      if (found.userId === null) return null
      const stores = storesOf(db)
      const { users } = stores
      const person = found.impersonator?.id ?? found.userId
      if (!(await showsItsCertificate(request, found, person))) return null
      const known = await users.credentials(found.userId)
      if (!known?.maySignIn) return null
      const { id, email } = known.user
      const { impersonator: by } = found
      const impersonator = by && (await mayGoOnAs(users, by.id, id))
      if (by && !impersonator) return null
      const { permissions, scope, display } = known
      await sessions.touch(db, found, permissions === 'all').catch(unlessStoreTrouble)
      const actor = {
        ...({ kind: 'user', id, email, permissions, scope } as const),
        ...(impersonator && { impersonator: { id: impersonator.id, email: impersonator.email } }),
      }
      const { createdAt, expiresAt, confirmedAt } = found
      const owes = await mustEnrol(stores, person, found.factor)
      return { id: found.id, actor, createdAt, expiresAt, confirmedAt, display, mustEnrol: owes }
    },

    storedSession(request: FastifyRequest): StoredSession | undefined {
      return stored.get(request)
    },

    hasSession(request: FastifyRequest, kind: SessionKind): boolean {
      return stored.get(request)?.kind === kind
    },

    /** For a visitor who has none yet, a cookie that means nothing but "the same browser as before". */
    formToken(request: FastifyRequest, reply: FastifyReply): string {
      request.cookie ??= this.giveCookie(request, reply, newCookieValue())
      return csrfToken(csrfKey, request.cookie)
    },

    /** For a session that was changed where the reply is not at hand; `sendCookie` sends it. */
    renewCookie(request: FastifyRequest, value: string): void {
      request.cookie = value
      renewed.add(request)
    },

    sendCookie(request: FastifyRequest, reply: FastifyReply): void {
      if (request.cookie !== null && renewed.delete(request)) this.giveCookie(request, reply, request.cookie)
    },

    giveCookie(request: FastifyRequest, reply: FastifyReply, value: string): string {
      request.cookie = value
      reply.removeHeader('set-cookie').header('set-cookie', cookieHeader(value))
      return value
    },

    takeCookie(request: FastifyRequest, reply: FastifyReply): void {
      request.cookie = null
      request.session = null
      request.actor = null
      stored.delete(request)
      reply
        .removeHeader('set-cookie')
        .header('set-cookie', expiredCookieHeader)
        .header('clear-site-data', '"cache", "storage"')
    },
  }
}

/**
 * The proof that the policies of a person's roles require and that they have not shown.
 * @param factor of the session; null for a program, which shows none itself
 */
export async function mustEnrol(
  { loginPolicies, totp, clientCertificates }: Stores,
  person: Id,
  factor: SecondFactor | null,
): Promise<Session['mustEnrol']> {
  const rule = await loginPolicies.ofUser(person)
  if (rule === 'optional') return false
  const hasCertificate = await clientCertificates.isOn(person)
  if (rule === 'certificate')
    return factor === 'certificate' || (factor === null && hasCertificate) ? false : 'certificate'
  // Setting up a second factor leads to a new sign-in, so a session without one belongs to somebody who has none.
  return hasCertificate || (await totp.isOn(person)) ? false : 'factor'
}

/** A store that cannot be written now is read on: the moment of the last use is not worth a page. */
export function unlessStoreTrouble(error: unknown): void {
  if (storeTrouble(error) === undefined) throw error
}
