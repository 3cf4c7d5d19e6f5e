/**
 * The interface between the pages and the rest of the panel: `registerPages(app, deps): Pages`.
 *
 * The server has done before a page's handler runs: host, limits, session, access policy, setup redirect and, for
 * every unsafe method, both CSRF checks. A form needs one hidden field, `_csrf` with `deps.auth.formToken(…)`; the
 * server takes it out of the body again, so `request.body` holds the form's own fields only.
 */

import type { X509Certificate } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { WcpError } from '../../contract/errors.ts'
import type { AnyOperation, Operation } from '../../contract/operation.ts'
import type { Id } from '../../contract/values.ts'
import type { Change } from '../../contract/wire.ts'
import type { Display } from '../../lib/formats.ts'
import type { Actor } from '../../resources/actor.ts'
import type { Context } from '../../resources/context.ts'
import type { Links } from '../auth/links.ts'
import type { AgentStatus } from '../jobs/agent-status.ts'
import type { JobEvents } from '../jobs/job-events.ts'
import type { Addressed } from './rest-table.ts'

/** Every route says who may come; a route without `config.access` stops the start (threats C15). */
export type Access =
  /** Anybody. */
  | 'public'
  /** Signed-in people; others are led to `/login?next=…`. */
  | 'session'
  /** Only while setup is open (404 afterwards, for ever). */
  | 'bootstrap'
  /** The REST interface: answers nobody with 401 instead of leading to a page. */
  | 'api'

/** The signed-in visitor of a request. */
export interface Session {
  readonly id: Id
  readonly actor: Extract<Actor, { kind: 'user' }>
  readonly createdAt: string
  readonly expiresAt: string
  /** When the person last showed a password or a code. */
  readonly confirmedAt: string
  /** How the actor reads numbers and moments. */
  readonly display: Display
  /**
   * The proof that a role of theirs requires and this session has not shown: any second factor, or a certificate. They can set one
   * up, and nothing else.
   */
  readonly mustEnrol: false | 'factor' | 'certificate'
}

/** `session`: the one behind an access token; null for an API key. */
export interface Proof extends Pick<Session, 'confirmedAt' | 'mustEnrol'> {
  readonly session: Id | null
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** Of a route that stands for many addresses: those that a decoded path has; none when there is no such address. */
    methodsOf?(path: string): readonly string[]
    /** Checks a secret of somebody who is not known yet: of these, so many a second are looked at. */
    isSignIn?: true
    /** A call of the API for the first boot: `only` while setup is open (404 afterwards, for ever), or then `too`. */
    duringSetup?: 'only' | 'too'
    /** Its form brings files. */
    takesFiles?: true
    /** A page for those who must set up a second factor before anything else. */
    whileEnrolling?: true
  }
  interface FastifyRequest {
    /** null: nobody is signed in. */
    session: Session | null
    /** The proof of a program in place of a browser's session: an API key or an access token. null for everybody else. */
    proof: Proof | null
    /** The actor: the session's user, a program's owner, root on the private socket, or nobody. */
    actor: Actor | null
    /** The operation that a call of the REST interface is about. */
    addressed: Addressed | null
    /** Value of the panel's cookie, which a visitor without a session has too; null for none. */
    cookie: string | null
  }
}

export type RegisterPages = (app: FastifyInstance, deps: PanelDeps) => Promise<Pages>

export interface Pages {
  /** The whole document of an error page; the server sets status and headers. `request.session` may be null. */
  errorPage(error: WcpError, request: FastifyRequest, reply: FastifyReply): string | Promise<string>
}

/** The changes of one job, or those of the `store`. */
export interface JobPlan {
  readonly type: string
  readonly changes: readonly Change[]
}

/** The terms of a call beside the operation. */
export interface Terms {
  /** Condition on the answer of the thing's `get`; the change is `precondition_failed` without it. */
  readonly precondition?: (present: unknown) => boolean
  /** Of an operation that takes bytes. */
  readonly body?: Readable
  /** Of the calls of one actor with the same key one is made, and all get its answer. */
  readonly idempotencyKey?: string
  /** One of those that `countBatch` has counted. */
  readonly ofBatch?: true
  /** The same words within an hour are answered with the job that is there, while it is open or what it made is unchanged. */
  readonly prefersExistingJob?: true
}

export interface Outcome<T> {
  readonly value: T
  /** Jobs that the call queued, in order. */
  readonly jobIds: readonly Id[]
  /** The answer to an earlier call with the same key. */
  readonly isRepeated?: true
}

export interface PanelDeps {
  /** https://host[:port] people use, without a slash at the end. */
  readonly baseUrl: string
  readonly version: string
  readonly log: Logger
  readonly operations: readonly AnyOperation<Context>[]
  /** Runs an operation as the request's actor: parse, permission, transaction, audit. Throws `WcpError` only. */
  run<I extends z.ZodObject, O extends z.ZodType, N extends string>(
    request: FastifyRequest,
    operation: Operation<Context, I, O, N>,
    input: unknown,
    terms?: Terms,
  ): Promise<Outcome<z.output<O>>>
  /** The same without any effect: what each job would change on the machine, and what the store. */
  plan(
    request: FastifyRequest,
    operation: AnyOperation<Context>,
    input: unknown,
    terms?: Pick<Terms, 'ofBatch'>,
  ): Promise<readonly JobPlan[]>
  /** Changes of so many things that one form asks for, or their plans: ten count as one change of the person. */
  countBatch(request: FastifyRequest, things: number): void
  /** Whether this actor may call it at all: for leaving out buttons; `run` decides. */
  mayCall(actor: Actor | null, operation: Pick<AnyOperation, 'name' | 'policy' | 'isForEveryone'>): boolean
  /** Whether the visitor has shown a password or a code just before, so that dangerous operations are let through. */
  isFresh(request: FastifyRequest): boolean
  readonly auth: Auth
  readonly jobEvents: JobEvents
  readonly agent: AgentStatus
  /** One message for the next page of this visitor, kept on the server. */
  readonly flash: Flash
}

export interface Auth {
  /** The `_csrf` value for a form of this visitor; gives a visitor without a cookie one, so call it before sending. */
  formToken(request: FastifyRequest, reply: FastifyReply): string
  /**
   * Starts a session (new cookie), or asks for the second factor first. Throws `not_signed_in` with the same words for an
   * unknown address and a wrong password, with others for a suspended user whose password is right, or `too_many_requests` with `details.retryAfterSeconds`.
   */
  login(
    request: FastifyRequest,
    reply: FastifyReply,
    credentials: { email: string; password: string },
  ): Promise<'signed in' | 'second factor'>
  /** The accepted second factors, for a visitor who has shown a password and owes one; null for everybody else. */
  owesSecondFactor(request: FastifyRequest): Promise<OwedFactor | null>
  /**
   * A code of the app, or a recovery code; the certificate of the connection does without. Throws `not_signed_in` for a wrong
   * one and when the sign-in is over.
   */
  secondFactor(request: FastifyRequest, reply: FastifyReply, code: string): Promise<void>
  /** The certificate that this connection has shown. */
  shownCertificate(request: FastifyRequest): X509Certificate | undefined
  /** Address of the port that asks for a certificate, under the name by which the visitor came; null where there is none. */
  certificateUrl(request: FastifyRequest): string | null
  /** Step-up: a password or a code of the signed-in person makes dangerous operations possible for some minutes (new cookie). */
  confirm(request: FastifyRequest, reply: FastifyReply, proof: { password: string; code: string }): Promise<void>
  /** Ends the session and has the browser forget everything of this site. */
  logout(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** Back from acting as another person, with a new cookie. */
  endImpersonation(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** A path of this panel to go to after login, `/` for anything else that is asked for. */
  safeNext(next: unknown): string
  readonly bootstrap: Bootstrap
  readonly links: Links
  /** A mail server is configured. */
  readonly canMail: boolean
}

export interface OwedFactor {
  readonly app: boolean
  /** `shown`: by this very connection. */
  readonly certificate: 'none' | 'registered' | 'shown'
}

/** Where first boot stands: root is awaited, root has come and an administrator is awaited, or it is over. */
export type BootState = 'not_initialized' | 'bootstrap' | 'done' | 'lost' | 'unknown'

/** The once-only setup. Its pages carry `config: { access: 'bootstrap' }`, its calls `duringSetup`. */
export interface Bootstrap {
  /**
   * `open`: nobody has set the panel up; `closed`: the normal life; `lost`: setup is closed but there is no
   * administrator (page `setup_closed` tells of `wcp emergency`); `unknown`: the agent has not told yet.
   */
  state(): Promise<'open' | 'closed' | 'lost' | 'unknown'>
  bootState(): Promise<BootState>
  /** Whether this visitor has shown root's password in the last 15 minutes. */
  isRoot(request: FastifyRequest): boolean
  /** Asks the agent. @returns the secret that may create the first administrator, once, until then. `code`: of the address. */
  proveRoot(
    request: FastifyRequest,
    input: { password: string; code: string },
  ): Promise<{ secret: string; expiresAt: string }>
  /**
   * First administrator and default package in one transaction; closes setup.
   * @param secret of `proveRoot`
   * @returns the secret of the administrator's session
   */
  makeAdmin(request: FastifyRequest, secret: string | null, input: unknown): Promise<string>
  /** `proveRoot` for a browser, which gets the secret as its cookie. */
  verifyRoot(request: FastifyRequest, reply: FastifyReply, input: { password: string; code: string }): Promise<void>
  /** `makeAdmin` for a browser, which is signed in with it. */
  createAdmin(request: FastifyRequest, reply: FastifyReply, input: unknown): Promise<void>
}

export interface Flash {
  put(request: FastifyRequest, kind: 'good' | 'bad', message: string): void
  /** Reads and forgets. */
  take(request: FastifyRequest): { readonly kind: 'good' | 'bad'; readonly message: string } | null
}
