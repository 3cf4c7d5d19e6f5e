/** A panel without HTTP and without a machine: operations over a real store, and an agent that does what the test says. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { z } from 'zod'
import { WcpError } from '../../src/contract/errors.ts'
import type { Operation } from '../../src/contract/operation.ts'
import type { SshSessions } from '../../src/contract/ssh-session.ts'
import { Id } from '../../src/contract/values.ts'
import type { Failure } from '../../src/contract/wire.ts'
import type { Actor } from '../../src/resources/actor.ts'
import type { Context } from '../../src/resources/context.ts'
import { eventsOf, kinds, migrations, operations, policies, storesFor } from '../../src/resources/index.ts'
import type { RunnableJob } from '../../src/resources/job/store.ts'
import { type Stores, withStores } from '../../src/resources/stores.ts'
import type { Db } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openStore } from '../../src/store/open-store.ts'

export type Panel = Awaited<ReturnType<typeof openPanel>>

interface Machine {
  php: string[] | null
  uid: number | null
  sshSessions: SshSessions
  /** Sessions that were to end. */
  readonly ended: Id[]
}

export const root: Actor = { kind: 'root' }
export const newId = () => Id.parse(randomUUID())
export const failure: Failure = { step: 'a step', code: 'machine_failed', message: 'Cannot do it', help: 'Try again' }

/** @param where `:memory:`, a file, or a PostgreSQL URL; the store is migrated when this returns */
export async function openPanel(where = ':memory:') {
  const db = openStore(where)
  const auditKey = randomBytes(32)
  const keys = { audit: auditKey, seal: randomBytes(32), codes: randomBytes(32), domains: randomBytes(32) }
  const clock = { now: Date.parse('2026-03-01T12:00:00.000Z') }
  const now = () => new Date(clock.now++).toISOString()
  await migrate(db, now(), { migrations })
  const machine: Machine = { php: ['8.2', '8.4'], uid: 20000, sshSessions: [], ended: [] }
  const stores = (over: Db) => storesFor(over, { now: now(), newId, keys })

  const contextFor = (tx: Db, actor: Actor): Context => {
    const moment = now()
    const over = storesFor(tx, { now: moment, newId, keys })
    const rest: Omit<Context, keyof Stores> = {
      actor,
      kinds,
      now: moment,
      newId,
      policies,
      events: eventsOf(operations),
      panelHost: 'panel.example.net',
      machineHost: 'web1.example.net',
      canMail: false,
      hasCertificatePort: false,
      mustEnrol: false,
      linkUrl: (token) => `https://panel.example.net/link/${token}`,
      web: {
        nameServers: ['127.0.0.1:9'],
        visit: async () => ({ failure: 'refused' }),
        shown: async () => null,
      },
      enqueue: async (contract, payload, change) => {
        const by = actor.kind === 'root' ? { actor: 'root', actorId: null } : { actor: actor.email, actorId: actor.id }
        const asked = { id: newId(), ...by, isStaff: actor.kind === 'root' }
        return (await over.jobs.enqueue(contract, payload, asked, change)).id
      },
      machine: {
        health: () => Promise.reject(new WcpError('unavailable', 'Cannot ask the machine: it is a test')),
        drift: () => Promise.reject(new WcpError('unavailable', 'Cannot ask the machine: it is a test')),
        inventory: () => Promise.reject(new WcpError('unavailable', 'Cannot ask the machine: it is a test')),
        audit: () => Promise.reject(new WcpError('unavailable', 'Cannot ask the machine: it is a test')),
        files: {
          ask: () => Promise.reject(new WcpError('unavailable', 'Cannot ask the machine: it is a test')),
          read: () => Promise.reject(new WcpError('unavailable', 'Cannot ask the machine: it is a test')),
          change: () => Promise.reject(new WcpError('unavailable', 'Cannot ask the machine: it is a test')),
          write: () => Promise.reject(new WcpError('unavailable', 'Cannot ask the machine: it is a test')),
        },
        logs: { scan: () => Promise.reject(new WcpError('unavailable', 'Cannot ask the machine: it is a test')) },
        phpVersions: () => machine.php,
        uid: async () => machine.uid,
        output: async () => ({ text: '', from: 0, next: 0 }),
        signingRequest: async () => 'a request',
        stop: () => false,
        ownFiles: () => false,
        sshSessions: async () => machine.sshSessions,
        endSshSession: async (session) => void machine.ended.push(session),
      },
      session: null,
      body: null,
      hashPassword: (password) => Promise.resolve(`$test$${Buffer.from(password).toString('hex')}`),
    }
    return withStores(over, rest)
  }

  const transaction = <T>(work: (context: Context) => Promise<T>, actor: Actor = root): Promise<T> =>
    db.transaction().execute((tx) => work(contextFor(tx, actor)))

  return {
    db,
    auditKey,
    clock,
    machine,
    stores,
    transaction,
    passDays: (days: number) => {
      clock.now += days * 86_400_000
    },

    /** Parses, runs in a transaction and checks the answer, as the one door of the panel does. */
    run: async <I extends z.ZodObject, O extends z.ZodType>(
      operation: Operation<Context, I, O>,
      input: z.input<I>,
      actor: Actor = root,
    ): Promise<z.output<O>> => {
      const parsed = operation.input.parse(input)
      return transaction(async (context) => operation.output.parse(await operation.run(context, parsed)), actor)
    },

    /** Runs what the queue offers until it is empty; `fails` picks the jobs that the machine cannot do. */
    async work(fails: (job: RunnableJob) => boolean = () => false): Promise<string[]> {
      const done: string[] = []
      for (;;) {
        const [job] = await stores(db).jobs.nextRunnable(1)
        if (job === undefined) return done
        await stores(db).jobs.delivered(job.id)
        await stores(db).jobs.accepted(job.id, ['one step'])
        await stores(db).jobs.finished(job.id, job.token, fails(job) ? failure : null)
        done.push(job.type)
      }
    },

    close: () => db.destroy(),
  }
}

/** The refusal of a promise, which must be one. */
export async function refusal(promise: Promise<unknown>): Promise<WcpError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof WcpError) return error
    throw error
  }
  throw new Error('it was not refused')
}
