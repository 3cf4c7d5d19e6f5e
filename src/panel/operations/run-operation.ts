/**
 * The one door to every operation: who asks, may they, is the input right, run it in one transaction, write the audit
 * entry into the same transaction, and tell people what went wrong in the words of the error table.
 */
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import type { z } from 'zod'
import { asWcpError, type ErrorCode, WcpError } from '../../contract/errors.ts'
import {
  type AnyOperation,
  httpBinding,
  kindOf,
  type Operation,
  type Policy,
  verbOf,
} from '../../contract/operation.ts'
import type { Id } from '../../contract/values.ts'
import { PlanReport } from '../../contract/wire.ts'
import type { Actor } from '../../resources/actor.ts'
import type { Context } from '../../resources/context.ts'
import { eventsOf, kinds } from '../../resources/index.ts'
import type { QueuedJob } from '../../resources/job/store.ts'
import { holds } from '../../resources/rights.ts'
import type { Stores } from '../../resources/stores.ts'
import type { Db } from '../../store/database.ts'
import { storeLock, storeLockShared } from '../../store/dialect.ts'
import { newId } from '../../store/new-id.ts'
import { storeTrouble } from '../../store/store-trouble.ts'
import type { Repeats } from '../audit/repeats.ts'
import { knownPlace } from '../auth/network.ts'
import type { PasswordHasher } from '../auth/password.ts'
import type { JobPlan, Outcome, Session, Terms } from '../http/types.ts'
import type { AgentLink } from '../jobs/agent-link.ts'
import { badInput } from './field-errors.ts'
import type { Existing, KeptAnswers } from './kept-answers.ts'
import { actorId, actorName, machineView, operationContext } from './operation-context.ts'
import { getterOf } from './versions.ts'

/** Verbs that are tried on a full disk, too. */
const makesRoom: ReadonlySet<string> = new Set(['delete', 'suspend'])

export interface OperationRunnerOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  /** Every operation. */
  readonly registry: readonly AnyOperation<Context>[]
  readonly kept: KeptAnswers
  readonly link: Pick<AgentLink, 'ask' | 'phpVersions' | 'setupOpen' | 'send'>
  readonly hasher: PasswordHasher
  readonly repeats: Pick<Repeats, 'isInFull'>
  /** Host name of the panel itself. */
  readonly panelHost: () => string
  readonly canMail: () => boolean
  readonly hasCertificatePort: boolean
  readonly linkUrl: Context['linkUrl']
  readonly log: Logger
  /** Throws while the disk of the store is almost full: what is left is for signing in and for reading. */
  readonly demandRoom?: () => void
  /** Throws when too many jobs of a tenant are asked for. */
  readonly countJob?: (actor: Actor, tenant: Id) => void
  /** A change is stored, whatever it changed. */
  readonly onChanged: () => void
  /** Jobs were queued and are stored. */
  readonly onQueued: () => void
  /** Ends setup on the root side when there is an administrator, who may have been made by "wcp user create". */
  readonly closeSetupIfDone: () => Promise<void>
}

export interface Caller {
  readonly actor: Actor | null
  /** null for the private socket. */
  readonly ip: string | null
  readonly requestId: string
  /** For a caller with a browser session: `Context.session`, in the transaction of the call. */
  readonly actAs?: (tx: Db, user: Id) => Promise<void>
  /** Of the browser's session or of the program that acts; null for root. */
  readonly session: Pick<Session, 'confirmedAt' | 'mustEnrol'> | null
}

/** `requestId`: null for what several requests have brought about. */
type AuditedCaller = Pick<Caller, 'actor' | 'ip'> & { readonly requestId: string | null }

/** For so long a password or code that was shown lets dangerous operations through (threats §4, step-up). */
const stepUpMs = 10 * 60_000

/**
 * By permission, by the scope that the operation is made for, and neither as another person nor by an API key where that
 * could lead on. What everyone may do with their own account is for a key only where it is a permission of its owner.
 */
export function mayCall(
  actor: Actor | null,
  { name, policy, isForEveryone }: Pick<AnyOperation, 'name' | 'policy' | 'isForEveryone'>,
): boolean {
  if (actor === null) return false
  if (actor.kind === 'root') return true
  const isPermitted = holds(actor, name) || (isForEveryone === true && actor.key === undefined)
  return isPermitted && policy.scopes.includes(actor.scope.kind) && !isBarred(actor, policy)
}

type Who = Pick<Context, 'actor' | 'mustEnrol'>

function isBarred(actor: Actor, policy: Policy): boolean {
  return policy.isSensitive === true && actor.kind === 'user' && (actor.impersonator ?? actor.key) !== undefined
}

export function operationRunner(options: OperationRunnerOptions) {
  const { db, storesOf, log } = options
  const machine = machineView(options.link)
  const { kept } = options
  const events = eventsOf(options.registry)
  const byName = new Map(options.registry.map((operation) => [operation.name, operation]))
  const policies: ReadonlyMap<string, Policy> = new Map(options.registry.map(({ name, policy }) => [name, policy]))

  /** @throws WcpError */
  async function run<I extends z.ZodObject, O extends z.ZodType, N extends string>(
    caller: Caller,
    operation: Operation<Context, I, O, N>,
    input: unknown,
    { precondition, idempotencyKey, prefersExistingJob }: Terms = {},
  ): Promise<Outcome<z.output<O>>> {
    try {
      const { who, parsed } = admit(caller, operation, input)
      if (operation.effect === 'machine') await demandSetup()
      if (operation.effect === 'read') return await call(db, operation, who, parsed, noHashes)
      if (!makesRoom.has(verbOf(operation))) options.demandRoom?.()
      const claim = idempotencyKey === undefined ? null : kept.claim(who.actor, operation, parsed, idempotencyKey)
      const words =
        prefersExistingJob && operation.effect === 'machine' ? kept.sameWords(who.actor, operation, parsed) : null
      const again = ({ value, jobIds }: Outcome<unknown>) =>
        ({ value: operation.output.parse(value), jobIds, isRepeated: true }) as const
      const change = (hashes: Hashes) =>
        db.transaction().execute(async (tx): Promise<Outcome<z.output<O>>> => {
          const before = claim && (await kept.find(tx, claim))
          if (before) return again(before)
          const existing = words && (await kept.findExisting(tx, words))
          if (existing?.standing === 'stands') return again(existing.outcome)
          await demandVersion(tx, operation, who, parsed, precondition)
          const made = call(tx, operation, who, parsed, hashes, sessionOf(caller, tx))
          const result = await made.catch((error: unknown) => goneAlready(existing, error))
          if ('outcome' in result) return again(result.outcome)
          for (const tenant of tenantsOf(result.queued)) options.countJob?.(who.actor, tenant)
          await audit(
            storesOf(tx),
            caller,
            operation,
            'ok',
            { input: withoutSecrets(operation, parsed), ...idsOf(result) },
            result.queued,
          )
          await storesOf(tx).webhooks.emit(newsOf(operation, who.actor, result))
          for (const one of [claim, result.jobIds.length > 0 ? words : null]) if (one) await kept.keep(tx, one, result)
          return result
        })
      const outcome = await kept.alone(claim, () => withHashes(who.actor, change))
      options.onChanged()
      if (outcome.jobIds.length > 0) options.onQueued()
      return outcome
    } catch (error) {
      throw await refuse(caller, operation, error)
    }
  }

  /** The same without any effect; nothing is stored, the machine is only looked at. */
  async function plan(caller: Caller, operation: AnyOperation<Context>, input: unknown): Promise<readonly JobPlan[]> {
    try {
      const { who, parsed } = admit(caller, operation, input)
      if (operation.effect !== 'machine')
        throw new WcpError('bad_input', `Cannot plan ${operation.name}: it does not change the machine`)
      await demandSetup()
      const queued = await rolledBack(async (tx) => (await call(tx, operation, who, parsed, noHashes)).queued)
      if (queued.length === 0) return []
      const jobs = queued.map(({ type, payload }) => ({ type, payload }))
      const changes = await options.link.ask({ t: 'plan', jobs }, PlanReport, 30_000)
      return queued.map(({ type }, index) => ({ type, changes: changes[index] ?? [] }))
    } catch (error) {
      throw shown(caller, operation, error)
    }
  }

  /** The root side refuses every job until setup is closed: so none is stored before. */
  async function demandSetup(): Promise<void> {
    if (options.link.setupOpen) await options.closeSetupIfDone()
    if (options.link.setupOpen)
      throw new WcpError('setup_needed', 'Cannot change the machine before the panel is set up')
  }

  /** In the transaction of the change: nobody else changes it in between. */
  async function demandVersion(
    tx: Db,
    operation: AnyOperation<Context>,
    who: Who,
    parsed: Readonly<Record<string, unknown>>,
    isMet: Terms['precondition'],
  ): Promise<void> {
    const get = getterOf(operation, byName)
    const lock = `version of ${kindOf(operation)}`
    if (isMet === undefined) return await storeLockShared(tx, lock)
    if (get === undefined)
      throw new WcpError('bad_input', `Cannot run ${operation.name} against a version: it is not about one thing`, {
        fields: [
          { field: 'If-Match', problem: 'cannot be used here', accepted: 'calls about one thing that can be read' },
        ],
      })
    await storeLock(tx, lock)
    const about = get.input.parse(Object.fromEntries(httpBinding(get).pathKeys.map((key) => [key, parsed[key]])))
    const { value } = await call(tx, get, who, about, noHashes)
    if (!isMet(value))
      throw new WcpError('precondition_failed', `Cannot run ${operation.name}: it was changed after you read it`)
  }

  async function call<I extends z.ZodObject, O extends z.ZodType>(
    on: Db,
    operation: Operation<Context, I, O>,
    who: Who,
    parsed: z.output<I>,
    hashes: Hashes,
    session: Context['session'] = null,
  ) {
    const queued: QueuedJob[] = []
    const now = new Date().toISOString()
    const hashPassword = async (password: string) => hashes.of(password)
    const context = operationContext({
      ...who,
      now,
      stores: storesOf(on),
      policies,
      events,
      kinds,
      machine,
      hashPassword,
      panelHost: options.panelHost(),
      machineHost: hostname(),
      canMail: options.canMail(),
      hasCertificatePort: options.hasCertificatePort,
      linkUrl: options.linkUrl,
      session,
      queued,
    })
    const value = operation.output.parse(await operation.run(context, parsed))
    return { value, queued, jobIds: queued.map(({ id }) => id) }
  }

  /** Hashing takes a quarter of a second, and a transaction holds up all others: so it is done between two runs of it. */
  async function withHashes<T>(actor: Actor, work: (hashes: Hashes) => Promise<T>): Promise<T> {
    const place = knownPlace(actor.kind === 'root' ? 'root' : (actor.impersonator ?? actor).id)
    const known = new Map<string, string>()
    const hashes: Hashes = {
      of(password) {
        const hash = known.get(password)
        if (hash === undefined) throw new HashWanted(password)
        return hash
      },
    }
    for (;;) {
      try {
        return await work(hashes)
      } catch (error) {
        if (!(error instanceof HashWanted) || known.has(error.password)) throw error
        known.set(error.password, await options.hasher.hash(place, error.password))
      }
    }
  }

  async function rolledBack<T>(work: (tx: Db) => Promise<T>): Promise<T> {
    let result: { readonly value: T } | undefined
    try {
      await db.transaction().execute(async (tx) => {
        result = { value: await work(tx) }
        throw new RolledBack()
      })
    } catch (error) {
      if (!(error instanceof RolledBack)) throw error
    }
    if (result === undefined) throw new Error('a plan ended without a result')
    return result.value
  }

  /**
   * Every refused or failed change leaves one entry, and so does reading without the permission, until there are too many of
   * one tenant or person; strangers without a session do not get to fill the trail.
   */
  async function refuse(caller: Caller, operation: AnyOperation<Context>, error: unknown): Promise<WcpError> {
    const answer = shown(caller, operation, error)
    if (caller.actor === null || (operation.effect === 'read' && answer.code !== 'forbidden')) return answer
    if (storeTrouble(error)) return answer // it takes no entry either; the log has the line
    if (answer.status < 500 && !isInFull(caller, operation.name, answer.code)) return answer
    const facts = { code: answer.code, fields: answer.fields.slice(0, 20).map(({ field }) => field) }
    try {
      await db
        .transaction()
        .execute((tx) => audit(storesOf(tx), caller, operation, answer.status < 500 ? 'refused' : 'failed', facts, []))
    } catch (err) {
      log.error({ err, action: operation.name }, 'a refusal could not be written into the audit trail')
    }
    return answer
  }

  function shown({ requestId }: Caller, { name }: AnyOperation<Context>, error: unknown): WcpError {
    const trouble = storeTrouble(error)
    const answer = trouble ?? asWcpError(error)
    if (trouble || answer.code === 'internal') log.error({ err: error, action: name, requestId }, 'an operation failed')
    return answer
  }

  /** False: it is counted, and told later. Root's are never too many. */
  function isInFull({ actor, ip }: Caller, action: string, code: ErrorCode): boolean {
    if (actor?.kind !== 'user') return true
    const { impersonator: by, scope } = actor
    const owner = by === undefined && scope.kind === 'local' ? `tenant ${scope.tenant}` : `person ${(by ?? actor).id}`
    return options.repeats.isInFull(owner, `${action} ${code}`, (refusals) =>
      refuseByName({ actor, ip, requestId: null }, action, { code, refusals }),
    )
  }

  /** As every refused change, for a form that was forged. */
  async function refuseForged(caller: Caller, action: string): Promise<void> {
    if (isInFull(caller, action, 'forbidden')) await refuseByName(caller, action, { code: 'forbidden' })
  }

  return { run, plan, recordRefusal: refuseByName, recordForgery: refuseForged }

  /** For refusals before an operation is reached, such as a forged form. */
  async function refuseByName(
    caller: AuditedCaller,
    action: string,
    facts: { readonly code: ErrorCode } & Record<string, unknown>,
  ): Promise<void> {
    await db.transaction().execute((tx) => audit(storesOf(tx), caller, { name: action }, 'refused', facts, []))
  }
}

function admit<I extends z.ZodObject>(caller: Caller, operation: Operation<Context, I>, input: unknown) {
  const { actor } = caller
  if (actor === null) throw new WcpError('not_signed_in', `Cannot run ${operation.name}: nobody is signed in`)
  if (isBarred(actor, operation.policy)) throw barred(actor, operation)
  if (!mayCall(actor, operation))
    throw new WcpError('forbidden', `Cannot run ${operation.name}: the permission "${operation.name}" is missing`)
  demandProof(caller, actor, operation)
  const parsed = operation.input.safeParse(input)
  if (!parsed.success) throw badInput(parsed.error, input, Object.keys(operation.input.shape))
  return { who: { actor, mustEnrol: Boolean(caller.session?.mustEnrol) }, parsed: parsed.data }
}

function barred(actor: Actor, { name }: AnyOperation): WcpError {
  if (actor.kind === 'user' && actor.key !== undefined)
    return new WcpError('forbidden', `Cannot run ${name} with an API key`, { help: 'Sign in and do it yourself.' })
  return new WcpError('forbidden', `Cannot run ${name} while acting as another person`, {
    help: 'End acting as this person first.',
  })
}

/** Root has shown the machine's own proof; an API key names what it is for, and was made with a fresh proof. */
function demandProof({ session }: Caller, actor: Actor, { name, stepUp, whileEnrolling }: AnyOperation): void {
  if (actor.kind === 'root') return
  if (session?.mustEnrol && !whileEnrolling)
    throw new WcpError('second_factor_needed', `Cannot run ${name}: your account needs a second factor first`)
  if (stepUp && actor.key === undefined && !isFresh(session))
    throw new WcpError('step_up_needed', `Cannot run ${name} before you have confirmed that it is you`)
}

/** Whether dangerous operations are let through now. */
export function isFresh(session: Caller['session']): boolean {
  return session !== null && Date.now() - Date.parse(session.confirmedAt) < stepUpMs
}

async function audit(
  stores: Stores,
  { actor, ip, requestId }: AuditedCaller,
  { name }: Pick<AnyOperation, 'name'>,
  outcome: 'ok' | 'refused' | 'failed',
  metadata: Record<string, unknown>,
  queued: readonly QueuedJob[],
): Promise<void> {
  const user = actor?.kind === 'user' ? actor : null
  const [tenant] = tenantsOf(queued)
  await stores.audit.append({
    id: newId(),
    at: new Date().toISOString(),
    actor: actorName(actor),
    actorId: actorId(actor),
    tenantId: tenant ?? (user?.scope.kind === 'local' ? user.scope.tenant : null),
    action: name,
    outcome,
    metadata: { ...metadata, ...(user?.impersonator && { as: user.email }), ...(user?.key && { key: user.key.id }) },
    ip,
    requestId,
  })
}

/** What is in the trash is not found any more: who asked for that again gets the job that moved it there. */
function goneAlready(existing: Existing | null, error: unknown): Existing {
  if (existing !== null && error instanceof WcpError && error.code === 'not_found') return existing
  throw error
}

function sessionOf({ actAs }: Caller, tx: Db): Context['session'] {
  return actAs === undefined ? null : { actAs: (user) => actAs(tx, user) }
}

function withoutSecrets(operation: AnyOperation<Context>, input: Readonly<Record<string, unknown>>) {
  const secret = new Set(operation.secret)
  return Object.fromEntries(Object.entries(input).filter(([key, value]) => !secret.has(key) && value !== undefined))
}

/** What webhooks are told of a change: who asked for it and what it is about, never the input. */
function newsOf(
  { name }: AnyOperation<Context>,
  actor: Actor,
  result: { readonly queued: readonly QueuedJob[] } & Outcome<unknown>,
) {
  const [tenant = null] = tenantsOf(result.queued)
  return { type: name, data: { actor: actorName(actor), tenant, ...idsOf(result) } }
}

function tenantsOf(queued: readonly QueuedJob[]): Id[] {
  return queued.map(({ payload }) => payload.tenant)
}

function idsOf({ value, jobIds }: Outcome<unknown>) {
  const id = typeof value === 'object' && value !== null && 'id' in value ? { id: value.id } : {}
  return { ...id, ...(jobIds.length > 0 && { jobs: jobIds }) }
}

interface Hashes {
  of(password: string): string
}

const noHashes: Hashes = {
  of: () => {
    throw new Error('passwords are hashed by operations of effect "write" only')
  },
}

class HashWanted extends Error {
  readonly password: string
  constructor(password: string) {
    super('a password is to be hashed')
    this.password = password
  }
}

class RolledBack extends Error {}
