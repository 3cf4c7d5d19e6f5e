/** Browser sessions: opaque cookie values, of which the store holds the digest; ended ones are dead at the next request. */
import { randomUUID } from 'node:crypto'
import { Id } from '../../contract/values.ts'
import { type SecondFactor, secondFactors } from '../../resources/session/schema.ts'
import type { Db } from '../../store/database.ts'
import { cookieDigest, newCookieValue } from './cookie.ts'

export interface SessionLimits {
  readonly idleMinutes: number
  /** For who may do everything. */
  readonly adminIdleMinutes: number
  readonly hours: number
}

/** `bootstrap` has shown root's password and may create the first administrator, nothing else. */
export type SessionKind = 'user' | 'bootstrap'

export interface StoredSession {
  readonly id: Id
  readonly userId: Id | null
  readonly kind: SessionKind
  readonly ip: string
  readonly userAgent: string
  readonly createdAt: string
  readonly seenAt: string
  readonly expiresAt: string
  /** When the person last proved who they are. */
  readonly confirmedAt: string
  readonly factor: SecondFactor
  /** Worth nothing on a connection that does not show this one. */
  readonly certificateId: Id | null
  /** The person who really acts; null: the user. */
  readonly impersonator: Impersonation | null
}

export interface Impersonation {
  readonly id: Id
  /** So long that one's own session would have lasted. */
  readonly resumeUntil: string
}

/** The last use is written at most so often, so that reading pages does not become writing. */
const touchEveryMs = 60_000
const bootstrapMinutes = 15
const impersonationMinutes = 30

export interface NewSession {
  readonly kind: SessionKind
  readonly userId: Id | null
  readonly ip: string
  readonly userAgent: string
  readonly factor: SecondFactor
  readonly isAdmin: boolean
  readonly certificateId?: Id | null
  /** Where it goes on with another one: when the person behind it proved who they are; else now. */
  readonly confirmedAt?: string
  readonly impersonator?: Impersonation
  /** Ends then at the latest. */
  readonly until?: string
}

export function sessionTable(limits: () => SessionLimits, now: () => number = Date.now) {
  const iso = (ms: number) => new Date(ms).toISOString()
  const alive = (db: Db) =>
    db
      .selectFrom('sessions')
      .selectAll()
      .where('deleted_at', 'is', null)
      .where('expires_at', '>', iso(now()))
      .where('idle_until', '>', iso(now()))
  const idleUntil = (isAdmin: boolean) =>
    iso(now() + (isAdmin ? Math.min(limits().adminIdleMinutes, limits().idleMinutes) : limits().idleMinutes) * 60_000)

  /** No session lasts longer than the one that it goes on with. */
  const endOf = ({ kind, impersonator, until }: NewSession, from: number): string => {
    const short = impersonator ? impersonationMinutes : bootstrapMinutes
    const minutes = kind === 'bootstrap' || impersonator ? short : limits().hours * 60
    const bound = until ?? impersonator?.resumeUntil
    const latest = from + minutes * 60_000
    return iso(bound === undefined ? latest : Math.min(Date.parse(bound), latest))
  }

  return {
    /** @returns the value for the cookie, which is never to be seen again. */
    async start(db: Db, session: NewSession): Promise<string> {
      const value = newCookieValue()
      const from = now()
      const moment = iso(from)
      const { impersonator = null } = session
      await db
        .insertInto('sessions')
        .values({
          id: randomUUID(),
          token_hash: cookieDigest(value),
          user_id: session.userId,
          kind: session.kind,
          ip: session.ip,
          user_agent: session.userAgent.slice(0, 200),
          last_seen_at: moment,
          idle_until: idleUntil(session.isAdmin),
          confirmed_at: session.confirmedAt ?? moment,
          factor: session.factor,
          expires_at: endOf(session, from),
          certificate_id: session.certificateId ?? null,
          impersonator_id: impersonator?.id ?? null,
          resume_until: impersonator?.resumeUntil ?? null,
          created_at: moment,
          updated_at: moment,
          deleted_at: null,
        })
        .execute()
      return value
    },

    /** The living session of a cookie; undefined for an unknown, idle, expired or ended one. */
    async find(db: Db, cookie: string): Promise<StoredSession | undefined> {
      const row = await alive(db).where('token_hash', '=', cookieDigest(cookie)).executeTakeFirst()
      return row && toSession(row)
    },

    /** The same by its id, for who has shown otherwise that it is theirs. */
    async findById(db: Db, id: Id): Promise<StoredSession | undefined> {
      const row = await alive(db).where('id', '=', id).executeTakeFirst()
      return row && toSession(row)
    },

    /** Whether anybody has a living session of this kind. */
    async isThere(db: Db, kind: SessionKind): Promise<boolean> {
      return (await alive(db).where('kind', '=', kind).limit(1).executeTakeFirst()) !== undefined
    },

    async touch(db: Db, { id, seenAt }: StoredSession, isAdmin: boolean): Promise<void> {
      if (now() - Date.parse(seenAt) < touchEveryMs) return
      const moment = iso(now())
      await db
        .updateTable('sessions')
        .set({ last_seen_at: moment, idle_until: idleUntil(isAdmin), updated_at: moment })
        .where('id', '=', id)
        .execute()
    },

    /** The person has shown again who they are. @returns the new value for the cookie; the old one is dead. */
    async renew(db: Db, id: Id): Promise<string> {
      const value = newCookieValue()
      const moment = iso(now())
      await db
        .updateTable('sessions')
        .set({ token_hash: cookieDigest(value), confirmed_at: moment, updated_at: moment })
        .where('id', '=', id)
        .execute()
      return value
    },

    /** @param user whose session it must be; false when it is not. */
    async end(db: Db, id: Id, user: Id | null): Promise<boolean> {
      const moment = iso(now())
      const ended = await db
        .updateTable('sessions')
        .set({ deleted_at: moment, updated_at: moment })
        .where('id', '=', id)
        .where('user_id', user === null ? 'is' : '=', user)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      return ended.numUpdatedRows > 0n
    },

    /** Removes what ended or expired more than a day ago. */
    async purge(db: Db): Promise<void> {
      const yesterday = iso(now() - 86_400_000)
      await db
        .deleteFrom('sessions')
        .where((or) => or.or([or('expires_at', '<', yesterday), or('deleted_at', '<', yesterday)]))
        .execute()
    },
  }
}

export type SessionTable = ReturnType<typeof sessionTable>

interface Row {
  id: string
  user_id: string | null
  kind: string
  ip: string
  user_agent: string
  created_at: string
  last_seen_at: string
  expires_at: string
  impersonator_id: string | null
  resume_until: string | null
  confirmed_at: string
  factor: string
  certificate_id: string | null
}

function toSession(row: Row): StoredSession {
  return {
    id: Id.parse(row.id),
    userId: row.user_id === null ? null : Id.parse(row.user_id),
    kind: row.kind === 'bootstrap' ? 'bootstrap' : 'user',
    ip: row.ip,
    userAgent: row.user_agent,
    createdAt: row.created_at,
    seenAt: row.last_seen_at,
    expiresAt: row.expires_at,
    impersonator:
      row.impersonator_id === null
        ? null
        : { id: Id.parse(row.impersonator_id), resumeUntil: row.resume_until ?? row.expires_at },
    confirmedAt: row.confirmed_at,
    certificateId: row.certificate_id === null ? null : Id.parse(row.certificate_id),
    factor: secondFactors.find((one) => one === row.factor) ?? 'none',
  }
}
