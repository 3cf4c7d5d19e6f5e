/**
 * The once-only setup. Whether it is open is the agent's word alone, kept by root: an empty or restored store opens
 * nothing. Root's password goes to the agent and nowhere else; what comes of it may create the first administrator and
 * the default package, in one transaction, and then setup is closed for ever.
 */
import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { RootCheck } from '../../contract/wire.ts'
import { features } from '../../resources/package/features.ts'
import type { PackageValues } from '../../resources/package/store.ts'
import type { Stores } from '../../resources/stores.ts'
import { Password, refuseEmailAsPassword } from '../../resources/user/password.ts'
import { Email } from '../../resources/user/schema.ts'
import type { Db } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import { clientAddress } from '../http/client-address.ts'
import type { BootState, Bootstrap } from '../http/types.ts'
import type { AgentLink } from '../jobs/agent-link.ts'
import { badInput } from '../operations/field-errors.ts'
import type { Acquaintance } from './acquaintance.ts'
import { recordAuth } from './auth-log.ts'
import { knownPlace } from './network.ts'
import type { PasswordHasher } from './password.ts'
import type { SessionTable } from './sessions.ts'
import { longestPassword, type SignIn } from './sign-in.ts'
import type { Throttle } from './throttle.ts'
import type { Visitors } from './visitors.ts'

export interface BootstrapOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly sessions: Pick<SessionTable, 'find' | 'end' | 'isThere'>
  readonly signIn: Pick<SignIn, 'startSession'>
  readonly visitors: Pick<Visitors, 'hasSession' | 'giveCookie'>
  readonly hasher: PasswordHasher
  readonly throttle: Throttle
  readonly acquaintance: Pick<Acquaintance, 'meet' | 'greet'>
  readonly link: Pick<AgentLink, 'ask' | 'setupOpen' | 'setupClosed'>
  readonly log: Logger
}

const refusals = {
  password: 'Cannot sign in as root: the password is wrong',
  code: 'Cannot sign in as root: this address was used, or a newer one was printed',
  closed: 'Cannot sign in as root: setup is closed to the network',
}
const newAddress = 'On the server, root gets a new address with "wcp setup open"; it is good for 24 hours.'
/** The longest that a message to the root side may be; a code has 22. */
const longestCode = 100

const FirstAdmin = z.strictObject({ email: Email, password: Password })

/** The package of a tenant where none is named: enough for a site, and not the machine. */
const defaultPackage: PackageValues = {
  name: 'default',
  description: 'Made at setup',
  isSystem: false,
  features,
  maxDomains: 10,
  maxDatabases: 10,
  cpuPct: 100,
  memMb: 512,
  pids: 128,
  ioMbps: null,
  diskMb: 10_240,
  sshAccess: 'sftp',
}

export function bootstrap(options: BootstrapOptions): Bootstrap & { closeIfDone(): Promise<void> } {
  const { db, storesOf, sessions, signIn, visitors, hasher, throttle, acquaintance, link, log } = options
  /** Stays true: the last administrator cannot be removed. */
  let hasAdmin = false

  async function adminExists(): Promise<boolean> {
    hasAdmin ||= (await storesOf(db).users.countAdmins()) > 0
    return hasAdmin
  }

  async function state(): ReturnType<Bootstrap['state']> {
    if (await adminExists()) return 'closed'
    if (link.setupOpen === null) return 'unknown'
    return link.setupOpen ? 'open' : 'lost'
  }

  async function bootState(): Promise<BootState> {
    const now = await state()
    if (now === 'closed') return 'done'
    if (now !== 'open') return now
    return (await sessions.isThere(db, 'bootstrap')) ? 'bootstrap' : 'not_initialized'
  }

  async function demandOpen(): Promise<void> {
    if ((await state()) !== 'open') throw new WcpError('not_found', 'Cannot find this address')
  }

  async function close(): Promise<void> {
    try {
      await link.ask({ t: 'close_setup' }, z.unknown(), 10_000)
      link.setupClosed()
    } catch (err) {
      // Nothing is open meanwhile: with an administrator in the store the routes are gone. The next hello tries again.
      log.error({ err }, 'setup could not be closed on the root side')
    }
  }

  async function proveRoot(request: FastifyRequest, { password, code }: { password: string; code: string }) {
    await demandOpen()
    const from = clientAddress(request)
    const attempt = throttle.enter({ account: 'root', address: from, known: null })
    if (password === '' || password.length > longestPassword || code.length > longestCode)
      throw await refuseRoot(request, 'password')
    const check = await link.ask({ t: 'verify_root', password, code, from }, RootCheck, 50_000).catch((error) => {
      attempt.withdrawn()
      throw error
    })
    if (check.retryAfterSeconds !== null && !check.ok)
      throw new WcpError('too_many_requests', 'Cannot check the password of root now: too many attempts', {
        details: { retryAfterSeconds: Math.ceil(check.retryAfterSeconds) },
      })
    if (!check.ok) throw await refuseRoot(request, check.refused ?? 'password')
    attempt.succeeded()
    return await db.transaction().execute(async (tx) => {
      await recordAuth(storesOf, tx, request, { action: 'auth.root', outcome: 'ok', user: null, metadata: {} })
      const kind = 'bootstrap'
      const secret = await signIn.startSession(tx, request, { kind, userId: null, factor: 'none', isAdmin: true })
      const begun = await sessions.find(tx, secret)
      if (begun === undefined) throw new Error('A session was over at its start')
      return { secret, expiresAt: begun.expiresAt }
    })
  }

  async function makeAdmin(request: FastifyRequest, secret: string | null, input: unknown): Promise<string> {
    await demandOpen()
    const proof = secret === null ? undefined : await sessions.find(db, secret)
    if (proof?.kind !== 'bootstrap') throw rootFirst()
    const parsed = FirstAdmin.safeParse(input)
    if (!parsed.success) throw badInput(parsed.error, input, ['email', 'password'])
    const { email, password } = parsed.data
    refuseEmailAsPassword(`create user "${email}"`, email, password)
    const passwordHash = await hasher.hash(knownPlace('setup'), password)
    const id = newId()
    const value = await db.transaction().execute(async (tx) => {
      const stores = storesOf(tx)
      if ((await stores.users.countAdmins()) > 0)
        throw new WcpError('conflict', 'Cannot create the first administrator: there is one already')
      if (!(await sessions.end(tx, proof.id, null))) throw rootFirst()
      await stores.users.insert({ id, email, passwordHash, role: 'system_admin', tenantId: null })
      await insertDefaultPackage(stores)
      const user = { id, email, tenant: null }
      await recordAuth(storesOf, tx, request, { action: 'auth.bootstrap', outcome: 'ok', user, metadata: { email } })
      await acquaintance.meet(tx, request, id)
      return await signIn.startSession(tx, request, { kind: 'user', userId: id, factor: 'none', isAdmin: true })
    })
    hasAdmin = true
    await close()
    return value
  }

  return {
    state,
    bootState,
    isRoot: (request) => visitors.hasSession(request, 'bootstrap'),
    proveRoot,
    makeAdmin,

    async verifyRoot(request, reply, input) {
      visitors.giveCookie(request, reply, (await proveRoot(request, input)).secret)
    },

    async createAdmin(request, reply, input) {
      visitors.giveCookie(request, reply, await makeAdmin(request, request.cookie, input))
      acquaintance.greet(request, reply)
    },

    /** After each hello: an administrator may exist although the root side was away when it should have closed setup. */
    async closeIfDone() {
      if (link.setupOpen && (await adminExists())) await close()
    },
  }

  async function refuseRoot(request: FastifyRequest, why: keyof typeof refusals): Promise<WcpError> {
    await db
      .transaction()
      .execute((tx) =>
        recordAuth(storesOf, tx, request, { action: 'auth.root', outcome: 'refused', user: null, metadata: { why } }),
      )
    return new WcpError('not_signed_in', refusals[why], why === 'password' ? {} : { help: newAddress })
  }
}

function rootFirst(): WcpError {
  return new WcpError('not_signed_in', 'Cannot create the administrator: root has not signed in')
}

export async function insertDefaultPackage({ packages }: Stores): Promise<void> {
  if (await packages.findDefault(null)) return
  const id = newId()
  await packages.insert(id, defaultPackage, null)
  await packages.makeDefault(id)
}
