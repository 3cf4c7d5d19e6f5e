/** The context of one call of an operation. Built by the panel; an operation never sees more than this. */
import type { Readable } from 'node:stream'
import type { z } from 'zod'
import type { JobContract } from '../contract/job.ts'
import { operationsFor, type Policy } from '../contract/operation.ts'
import type { SshSessions } from '../contract/ssh-session.ts'
import type { Id } from '../contract/values.ts'
import type {
  Change,
  DriftReport,
  HealthSnapshot,
  Inventory,
  MirrorReport,
  OwnFilesVerb,
  RunOutput,
} from '../contract/wire.ts'
import type { Actor } from './actor.ts'
import type { LogAccess } from './domain/log-access.ts'
import type { Shown, Visit } from './domain/visit.ts'
import type { FileAccess } from './file/access.ts'
import type { RowChange } from './job/queued-row.ts'
import type { KindNumbers } from './kind-numbers.ts'
import type { Stores } from './stores.ts'

export interface Context extends Stores {
  readonly actor: Actor
  /** ISO 8601, UTC, milliseconds: the moment of the call. */
  readonly now: string
  newId(): Id
  /** Of every operation by name: which permissions there are, and whose they can be. */
  readonly policies: ReadonlyMap<string, Policy>
  /** Host name under which the panel itself is reached: nobody's domain. */
  readonly panelHost: string
  /** Name of the machine itself: no customer's domain. */
  readonly machineHost: string
  /** Names of all that webhooks can be told. */
  readonly events: readonly string[]
  /** Of every kind. */
  readonly kinds: readonly KindNumbers[]
  /** The panel has a port that asks for certificates. */
  readonly hasCertificatePort: boolean
  /** The caller owes a second factor. */
  readonly mustEnrol: boolean
  /** A mail server is configured. */
  readonly canMail: boolean
  /** Where a one-time link leads, from the configured address of the panel alone (threats C18). */
  linkUrl(token: string): string
  /**
   * Queues a job in the transaction of the call; 409 `busy` naming the running job when its resource, or the tenant that
   * it belongs to, has one. In plan mode it is only collected. @param change of the row, made once what a failure leads
   * back to is kept
   */
  enqueue<T extends string, P extends z.ZodObject>(
    contract: JobContract<T, P>,
    payload: z.output<P>,
    change?: RowChange<T>,
  ): Promise<Id>
  /** The machine as the root side sees it; throws `unavailable` while the agent is away. */
  readonly machine: {
    health(): Promise<HealthSnapshot>
    drift(): Promise<DriftReport>
    /** The machine's inventory, by id. @param after id of the last one before them */
    inventory(of: string, after: Id | null): Promise<Inventory>
    /** The state of the root side's audit log, and its part of the trail. */
    audit(): Promise<MirrorReport>
    /** Installed PHP versions, newest first; null while the agent is away, also in the first moment after a start. */
    phpVersions(): readonly string[] | null
    /** Uid of a tenant's user; null while the agent is away, and before there is a user. */
    uid(tenant: Id): Promise<number | null>
    /** A page of what the command of a job has printed. */
    output(job: Id, after: number): Promise<RunOutput>
    /** A request for a certificate of the site's names, by the key that is there; PEM. */
    signingRequest(certificate: Id): Promise<string>
    /** Of sites. */
    readonly files: FileAccess
    /** Of the web server. */
    readonly logs: LogAccess
    /** The oldest first, with some that are over. */
    sshSessions(): Promise<SshSessions>
    /** Resolves when nothing of it runs any more. */
    endSshSession(session: Id): Promise<void>
    /** Tells it to end the command of a job; false while the agent is away. */
    stop(job: Id): boolean
    /** Has files that are no tenant's put back or adopted; false while the root side changes nothing. @param seen differences, for a plan */
    ownFiles(what: OwnFilesVerb, by: string, seen: readonly Change[]): boolean
  }
  /** This machine as visitors of sites meet it. */
  readonly web: {
    /** Addresses with or without ports; none: those of the system. */
    readonly nameServers: readonly string[]
    /** The first page of a site, by the web server of this machine. */
    visit(host: string, way: 'http' | 'https'): Promise<Visit>
    /** The certificate that it shows for a host. */
    shown(host: string): Promise<Shown>
  }
  /** The browser's session of the call; null for everybody who has none, such as root. */
  readonly session: {
    /** Ends it and starts one in which the actor acts as that user. */
    actAs(user: Id): Promise<void>
  } | null
  /** The bytes of a call that brings some; null for all others. In a plan there are none of them. */
  readonly body: Readable | null
  /** argon2id of a password as a PHC string. */
  hashPassword(password: string): Promise<string>
}

export const defineOperation = operationsFor<Context>()
