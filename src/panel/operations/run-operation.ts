/**
 * The one door to every operation: who asks, may they, is the input right, run it in one transaction, write the audit
 * entry into the same transaction, and report what went wrong in the words of the error table.
 */
import { hostname } from 'node:os'
import { Readable } from 'node:stream'
import type { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import {
  type AnyOperation,
  httpBinding,
  kindOf,
  type Operation,
  type Policy,
  verbOf,
} from '../../contract/operation.ts'
import type { Id } from '../../contract/values.ts'
import { type Change, PlanReport } from '../../contract/wire.ts'
import type { Actor } from '../../resources/actor.ts'
import type { Context } from '../../resources/context.ts'
import type { FileChange } from '../../resources/file/access.ts'
import { eventsOf, kinds } from '../../resources/index.ts'
import type { QueuedJob } from '../../resources/job/store.ts'
import type { Db } from '../../store/database.ts'
import { storeLock, storeLockShared } from '../../store/dialect.ts'
import { watched } from '../../store/watched.ts'
import type { PasswordHasher } from '../auth/password.ts'
import type { JobPlan, Outcome, Terms } from '../http/types.ts'
import type { AgentLink } from '../jobs/agent-link.ts'
import { admit, type Caller, type Who } from './admit.ts'
import { type Made, recordChange, tenantsOf } from './audit-call.ts'
import type { Existing, Idempotency } from './idempotency.ts'
import { machineView, operationContext } from './operation-context.ts'
import { type Hashes, noHashes, withHashes } from './password-hashes.ts'
import { rightsChanges } from './plan-rights.ts'
import { planStore } from './plan-store.ts'
import { type RefusalsOptions, refusals } from './refusals.ts'
import { getterOf } from './versions.ts'

/** Verbs that are tried on a full disk, too. */
const makesRoom: ReadonlySet<string> = new Set(['delete', 'suspend'])

export interface OperationRunnerOptions extends RefusalsOptions {
  /** Every operation. */
  readonly registry: readonly AnyOperation<Context>[]
  readonly idempotency: Idempotency
  readonly link: Pick<AgentLink, 'ask' | 'phpVersions' | 'setupOpen' | 'send' | 'readOnly'>
  readonly files: Context['machine']['files']
  readonly logs: Context['machine']['logs']
  readonly hasher: PasswordHasher
  /** Host name of the panel itself. */
  readonly panelHost: () => string
  readonly canMail: () => boolean
  readonly hasCertificatePort: boolean
  readonly linkUrl: Context['linkUrl']
  readonly web: Context['web']
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

/** What a call may reach beside the store. */
type Means = Pick<Context, 'session' | 'machine' | 'body'> & { readonly hashes: Hashes }

export function operationRunner(options: OperationRunnerOptions) {
  const { db, storesOf, idempotency } = options
  const { refuse, shown, recordRefusal, recordForgery } = refusals(options)
  const plain: Means = {
    hashes: noHashes,
    session: null,
    body: null,
    machine: machineView(options.link, options.files, options.logs),
  }
  const events = eventsOf(options.registry)
  const byName = new Map(options.registry.map((operation) => [operation.name, operation]))
  const policies: ReadonlyMap<string, Policy> = new Map(options.registry.map(({ name, policy }) => [name, policy]))

  /** @throws WcpError */
  async function run<I extends z.ZodObject, O extends z.ZodType, N extends string>(
    caller: Caller,
    operation: Operation<Context, I, O, N>,
    input: unknown,
    terms: Terms = {},
  ): Promise<Outcome<z.output<O>>> {
    try {
      const { who, parsed } = admit(caller, operation, input)
      if (operation.effect === 'machine') await demandSetup()
      if (operation.effect === 'read') return await call(db, operation, who, parsed, plain)
      if (!makesRoom.has(verbOf(operation))) options.demandRoom?.()
      if (operation.isOutside) return await outside({ ...caller, ...who }, operation, parsed, terms)
      return await change({ ...caller, ...who }, operation, parsed, terms)
    } catch (error) {
      throw await refuse(caller, operation, error)
    }
  }

  async function change<I extends z.ZodObject, O extends z.ZodType>(
    caller: Caller & Who,
    operation: Operation<Context, I, O>,
    parsed: z.output<I>,
    { precondition, idempotencyKey, prefersExistingJob }: Terms,
  ): Promise<Outcome<z.output<O>>> {
    const { actor } = caller
    const claim = idempotencyKey === undefined ? null : idempotency.claim(actor, operation, parsed, idempotencyKey)
    const words =
      prefersExistingJob && operation.effect === 'machine' ? idempotency.sameWords(actor, operation, parsed) : null
    const again = ({ value, jobIds }: Outcome<unknown>) =>
      ({ value: operation.output.parse(value), jobIds, isRepeated: true }) as const
    const once = async (tx: Db, hashes: Hashes): Promise<Outcome<z.output<O>>> => {
      const before = claim && (await idempotency.find(tx, claim))
      if (before) return again(before)
      const existing = words && (await idempotency.findExisting(tx, words))
      if (existing?.standing === 'stands') return again(existing.outcome)
      await demandVersion(tx, operation, caller, parsed, precondition)
      const running = call(tx, operation, caller, parsed, {
        ...plain,
        hashes,
        session: sessionOf(caller, tx),
      })
      const made = await running.catch((error: unknown) => goneAlready(existing, error))
      if ('outcome' in made) return again(made.outcome)
      for (const tenant of tenantsOf(made.queued)) options.countJob?.(actor, tenant)
      await recordChange(storesOf(tx), caller, operation, parsed, made)
      for (const one of [claim, made.jobIds.length > 0 ? words : null]) if (one) await idempotency.keep(tx, one, made)
      return made
    }
    const outcome = await idempotency.alone(claim, () =>
      withHashes(options.hasher, actor, (hashes) => db.transaction().execute((tx) => once(tx, hashes))),
    )
    options.onChanged()
    if (outcome.jobIds.length > 0) options.onQueued()
    return outcome
  }

  /** Nothing of the store waits for what may take as long as a file is long. */
  async function outside<I extends z.ZodObject, O extends z.ZodType>(
    caller: Caller & Who,
    operation: Operation<Context, I, O>,
    parsed: z.output<I>,
    { precondition, idempotencyKey, body }: Terms,
  ): Promise<Outcome<z.output<O>>> {
    const { actor } = caller
    if (precondition !== undefined) throw noHeader(operation, 'If-Match')
    if (body !== undefined && idempotencyKey !== undefined) throw noHeader(operation, 'Idempotency-Key')
    const claim = idempotencyKey === undefined ? null : idempotency.claim(actor, operation, parsed, idempotencyKey)
    return await idempotency.alone(claim, async () => {
      const before = claim && (await idempotency.find(db, claim))
      if (before) return { value: operation.output.parse(before.value), jobIds: before.jobIds, isRepeated: true }
      const made = await call(db, operation, caller, parsed, { ...plain, body: body ?? null })
      await db.transaction().execute(async (tx) => {
        await recordChange(storesOf(tx), caller, operation, parsed, made)
        if (claim) await idempotency.keep(tx, claim, made)
      })
      return made
    })
  }

  /** The same without any effect; nothing is stored, the machine is only looked at. */
  async function plan(caller: Caller, operation: AnyOperation<Context>, input: unknown): Promise<readonly JobPlan[]> {
    try {
      const { who, parsed } = admit(caller, operation, input)
      if (operation.effect === 'read')
        throw new WcpError('bad_input', `Cannot plan ${operation.name}: it changes nothing`)
      if (operation.effect === 'machine') await demandSetup()
      const { means, told } = planned(caller)
      const { queued, store } = await watched(
        db,
        (tx) => call(tx, operation, who, parsed, means),
        async (tx, found) => ({ ...found.value, store: await planStore(tx, storesOf(tx), who.actor, found) }),
      )
      const changes = [...store.rows, ...told, ...(await rightsChanges(storesOf(db), store.rights))]
      return [...(await planJobs(queued)), ...(changes.length > 0 ? [{ type: 'store', changes }] : [])]
    } catch (error) {
      throw shown(caller, operation, error)
    }
  }

  /** Nothing beyond the transaction is done: it is told. */
  function planned({ actAs }: Caller): { readonly means: Means; readonly told: readonly Change[] } {
    const told: Change[] = []
    const tell = (step: string) => void told.push({ step, action: 'run', diff: null })
    const stop = (job: Id) => {
      tell(`end the command of job ${job}`)
      return true
    }
    const ownFiles = (_: string, __: string, seen: readonly Change[]) => {
      told.push(...seen)
      return true
    }
    const session =
      actAs === undefined ? null : { actAs: async (user: Id) => tell(`let this browser act as user ${user}`) }
    const files: Context['machine']['files'] = {
      ...plain.machine.files,
      change: async (_, request) => tell(toldOf(request)),
      write: async (_, path) => tell(`write the file "${path}"`),
    }
    const machine = { ...plain.machine, stop, ownFiles, files }
    return { means: { hashes: { of: () => 'planned' }, session, body: Readable.from([]), machine }, told }
  }

  async function planJobs(queued: readonly QueuedJob[]): Promise<readonly JobPlan[]> {
    if (queued.length === 0) return []
    const jobs = queued.map(({ type, payload }) => ({ type, payload }))
    const changes = await options.link.ask({ t: 'plan', jobs }, PlanReport, 30_000)
    return queued.map(({ type }, index) => ({ type, changes: changes[index] ?? [] }))
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
    const { value } = await call(tx, get, who, about, plain)
    if (!isMet(value))
      throw new WcpError('precondition_failed', `Cannot run ${operation.name}: it was changed after you read it`)
  }

  async function call<I extends z.ZodObject, O extends z.ZodType>(
    on: Db,
    operation: Operation<Context, I, O>,
    who: Who,
    parsed: z.output<I>,
    { hashes, session, machine, body }: Means,
  ): Promise<Made<z.output<O>>> {
    const queued: QueuedJob[] = []
    const now = new Date().toISOString()
    const hashPassword = async (password: string) => hashes.of(password)
    const context = operationContext({
      actor: who.actor,
      mustEnrol: who.mustEnrol,
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
      web: options.web,
      session,
      body,
      queued,
    })
    const value = operation.output.parse(await operation.run(context, parsed))
    return { value, queued, jobIds: queued.map(({ id }) => id) }
  }

  return { run, plan, recordRefusal, recordForgery }
}

function noHeader({ name }: AnyOperation, field: string): WcpError {
  return new WcpError('bad_input', `Cannot run ${name} with the header "${field}"`, {
    fields: [{ field, problem: 'cannot be used here', accepted: 'calls of other operations' }],
  })
}

function toldOf(request: FileChange): string {
  if (request.do === 'restore') return `bring "${request.name}" back from the trash`
  if (request.do === 'move') return `move "${request.path}" to "${request.to}"`
  return request.do === 'trash' ? `move "${request.path}" to the trash` : `make the directory "${request.path}"`
}

/** A deleted thing is not found any more: a repeated deletion gets the job that moved it to the trash. */
function goneAlready(existing: Existing | null, error: unknown): Existing {
  if (existing !== null && error instanceof WcpError && error.code === 'not_found') return existing
  throw error
}

function sessionOf({ actAs }: Caller, tx: Db): Context['session'] {
  return actAs === undefined ? null : { actAs: (user) => actAs(tx, user) }
}

export type OperationRunner = ReturnType<typeof operationRunner>
