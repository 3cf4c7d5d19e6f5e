/** The panel put together: store, doors, sessions, jobs. Needs no root and no fixed path, so tests start it as the daemon does. */
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { type AnyOperation, demandPolicies } from '../contract/operation.ts'
import type { Id } from '../contract/values.ts'
import { NewEpoch } from '../contract/wire.ts'
import type { Config } from '../lib/config.ts'
import { version } from '../program/version.ts'
import type { Context } from '../resources/context.ts'
import { proofChecker } from '../resources/domain/proof-checker.ts'
import { migrations, storesFor } from '../resources/index.ts'
import { mailer } from '../resources/mail/mailer.ts'
import { giveBuiltInRights } from '../resources/role/built-in-rights.ts'
import { webhookSender } from '../resources/webhook/sender.ts'
import { checkStore } from '../store/check-store.ts'
import type { Db } from '../store/database.ts'
import { migrateKeepingCopy } from '../store/kept-copy.ts'
import { newId } from '../store/new-id.ts'
import { openStore } from '../store/open-store.ts'
import { keepReserve, roomCheck } from '../store/store-room.ts'
import { isBusyStore, storeTrouble } from '../store/store-trouble.ts'
import { StoreUnusable } from '../store/store-unusable.ts'
import { refuseAnotherPanel } from './another-panel.ts'
import { headSender } from './audit/head-sender.ts'
import { limitEntries } from './audit/limit-entries.ts'
import { auditMirror } from './audit/mirror.ts'
import { repeats } from './audit/repeats.ts'
import { accessTokens } from './auth/access-tokens.ts'
import { acquaintance } from './auth/acquaintance.ts'
import { apiKeys } from './auth/api-keys.ts'
import { programs } from './auth/bearer.ts'
import { bootstrap } from './auth/bootstrap.ts'
import { challengeTable } from './auth/challenges.ts'
import { flashMessages } from './auth/flash.ts'
import type { PanelKeys } from './auth/keys.ts'
import { knownNetworks } from './auth/known-networks.ts'
import { links } from './auth/links.ts'
import { type PasswordHasher, passwordHasher } from './auth/password.ts'
import { sessionTable } from './auth/sessions.ts'
import { signIn } from './auth/sign-in.ts'
import { loginThrottle } from './auth/throttle.ts'
import { tokenKeys } from './auth/token-keys.ts'
import { visitors } from './auth/visitors.ts'
import { certificatePort, certificateUrl, shownCertificate } from './http/certificate-port.ts'
import { clientAddress } from './http/client-address.ts'
import { networkDoor, privateDoor } from './http/doors.ts'
import { hostPolicy } from './http/host-check.ts'
import { limits } from './http/limits.ts'
import { openApiDocument } from './http/openapi.ts'
import { rateLimits } from './http/rate-limits.ts'
import { registerPageParsers, registerRest } from './http/rest.ts'
import { createPanelServer, openApiPath, type PanelServer, registerHealthz, type TlsFiles } from './http/server.ts'
import { registerTokens } from './http/token-routes.ts'
import type { PanelDeps, RegisterPages } from './http/types.ts'
import { AgentLink } from './jobs/agent-link.ts'
import { housekeeping } from './jobs/housekeeping.ts'
import { JobEventBus } from './jobs/job-events.ts'
import { jobQueue } from './jobs/job-queue.ts'
import { JobRunner } from './jobs/job-runner.ts'
import { type Caller, isFresh, mayCall } from './operations/admit.ts'
import { idempotency } from './operations/idempotency.ts'
import { operationRunner } from './operations/run-operation.ts'
import { settlePutBackStore } from './rescue/put-back-store.ts'

export interface PanelOptions {
  readonly config: Config
  readonly keys: PanelKeys
  /** `insecure`: plain HTTP, on a loopback address only; for tests. */
  readonly tls: TlsFiles | 'insecure'
  readonly listen: ListenAt
  /** Where browsers are asked for a certificate; not without TLS. */
  readonly listenForCertificates?: ListenAt | undefined
  /** Absolute; for `agent.sock` and `cli.sock`. Who can enter it is root to the panel. */
  readonly runDirectory: string
  /** Absolute path of the SQLite file; not used when the configuration names PostgreSQL. */
  readonly statePath: string
  readonly log: Logger
  readonly operations: readonly AnyOperation<Context>[]
  readonly registerPages?: RegisterPages
  /** Cheaper or faster ways of the same, for tests. */
  readonly hasher?: PasswordHasher
  readonly stallAfterMs?: number
  readonly holdMs?: number
  readonly tickMs?: number
  /** Refusals of one owner in a quarter of an hour that are written one by one. */
  readonly refusalsInFull?: number
  /** PEM of whom webhooks trust. */
  readonly webhookCa?: string
}

type ListenAt = { readonly fd: number } | { readonly host: string; readonly port: number }

export interface Panel {
  /** Of the network door. */
  readonly port: number
  /** Of the port that asks for certificates. */
  readonly certificatePort: number | null
  readonly cliSocket: string
  readonly agentSocket: string
  readonly deps: PanelDeps
  readonly db: Db
  readonly housekeeping: Pick<ReturnType<typeof housekeeping>, 'purge' | 'payLimits'>
  /** Takes what can change while the panel runs; the rest waits for the next start. */
  reload(config: Config, tls: TlsFiles | null): void
  /** Stops accepting, lets answers under way finish for a bounded time, and closes the store. */
  close(): Promise<void>
}

export async function startPanel(options: PanelOptions): Promise<Panel> {
  const { keys, log } = options
  demandPolicies(options.operations)
  let config = options.config
  let hosts = policyOf(config)
  const cliSocket = join(options.runDirectory, 'cli.sock')
  await refuseAnotherPanel(cliSocket)
  const db = await openCheckedStore(options)
  const storesOf = (on: Db) =>
    storesFor(on, { now: new Date().toISOString(), newId, keys, appended: () => mirror.appended() })

  const link = new AgentLink(log)
  const mirror = auditMirror({ db, log, send: (message) => link.send(message) })
  await db.transaction().execute((tx) => giveBuiltInRights(storesOf(tx), options.operations))
  const remoteHeads = headSender({ url: () => config.auditRemote, from: () => config.baseUrl, log })
  const events = new JobEventBus()
  const queue = jobQueue(db, storesOf)
  const { stallAfterMs, holdMs, tickMs } = options
  const runner = new JobRunner({
    queue,
    link,
    events,
    log,
    atOnce: () => config.jobsAtOnce,
    stallAfterMs,
    holdMs,
    tickMs,
  })
  const hasher = options.hasher ?? passwordHasher()
  const panelHost = () => new URL(config.baseUrl).hostname
  const canMail = () => config.smtp !== null
  const unwritten = (err: unknown) => log.error({ err }, 'a refusal could not be written into the audit trail')
  const tooOften = limitEntries({
    record: (who, action, facts) =>
      operations.recordRefusal({ ...who, requestId: null }, action, { code: 'too_many_requests', ...facts }),
    onError: unwritten,
  })
  const repeated = repeats({
    onError: unwritten,
    ...(options.refusalsInFull !== undefined && { mostInFull: options.refusalsInFull }),
  })
  const rates = rateLimits(
    () => ({
      requests: config.requestsPerMinute,
      reads: config.readsPerMinute,
      writes: config.writesPerMinute,
      jobs: config.jobsPerMinute,
    }),
    (limit, request) => tooOften.refused(limit, callerOf(request)),
  )
  const answers = idempotency(keys)
  const keysOfPrograms = apiKeys({ db, storesOf, log })
  const operations = operationRunner({
    db,
    storesOf,
    registry: options.operations,
    idempotency: answers,
    link,
    hasher,
    repeats: repeated,
    panelHost,
    canMail,
    hasCertificatePort: options.listenForCertificates !== undefined && options.tls !== 'insecure',
    linkUrl: (token) => `${config.baseUrl}/link/${token}`,
    log,
    demandRoom: roomCheck(db, options.statePath),
    countJob: rates.job,
    onChanged: () => keysOfPrograms.forget(),
    onQueued: () => runner.wake(),
    closeSetupIfDone: () => setup.closeIfDone(),
  })

  const sessions = sessionTable(() => ({
    idleMinutes: config.sessionIdleMinutes,
    adminIdleMinutes: config.adminIdleMinutes,
    hours: config.sessionHours,
  }))
  const challenges = challengeTable()
  const throttle = loginThrottle(
    () => ({ perAccount: config.loginAttempts, perNetwork: 30, globalPerMinute: 200 }),
    (ip) => tooOften.refused('sign-ins', { actor: null, ip }),
  )
  const visiting = visitors({ db, storesOf, sessions, csrfKey: keys.csrf })
  const networks = knownNetworks()
  await networks.load(db)
  const acquainted = acquaintance({ db, networks, key: keys.devices })
  const signing = signIn({
    db,
    storesOf,
    sessions,
    challenges,
    visitors: visiting,
    hasher,
    throttle,
    acquaintance: acquainted,
    repeats: repeated,
  })
  const tokens = accessTokens({
    db,
    sessions,
    visitors: visiting,
    keys: tokenKeys(keys.tokens),
    baseUrl: () => config.baseUrl,
  })
  const setup = bootstrap({
    db,
    storesOf,
    signIn: signing,
    visitors: visiting,
    hasher,
    throttle,
    acquaintance: acquainted,
    link,
    log,
  })
  const post = mailer({
    db,
    storesOf,
    log,
    server: () => config.smtp,
    from: () => (config.mailFrom === 'auto' ? `wcp360@${panelHost()}` : config.mailFrom),
    baseUrl: () => config.baseUrl,
    tickMs,
  })
  const proofs = proofChecker({
    db,
    storesOf,
    hosts: () => ({ panelHost: panelHost(), machineHost: hostname() }),
    servers: () => config.dnsServers,
    onQueued: () => runner.wake(),
    log,
    tickMs,
  })
  const oneTimeLinks = links({
    db,
    storesOf,
    hasher,
    canMail,
    onMail: () => post.wake(),
    onRefused: (ip) => tooOften.refused('links', { actor: null, ip }),
  })
  const hooks = webhookSender({
    db,
    storesOf,
    log,
    mayBePrivate: () => config.webhookTargets === 'any',
    version: version().trim(),
    tickMs,
    ca: options.webhookCa,
  })
  const house = housekeeping({
    db,
    storesOf,
    sessions,
    challenges,
    networks,
    idempotency: answers,
    log,
    onQueued: () => runner.wake(),
  })

  const door = networkDoor({
    hosts: () => hosts,
    scheme: options.tls === 'insecure' ? 'http' : 'https',
    visitors: visiting,
    programs: programs(keysOfPrograms, tokens),
    setup,
    acquaintance: acquainted,
    rates,
    csrfKey: keys.csrf,
    log,
    recordForgery: (request) =>
      operations.recordForgery(callerOf(request), request.routeOptions.config.operation ?? 'auth.form'),
  })
  const network = createPanelServer(door, log, options.tls === 'insecure' ? null : options.tls)
  const certificates =
    options.listenForCertificates === undefined || options.tls === 'insecure'
      ? null
      : certificatePort(network, options.tls)

  const deps: PanelDeps = {
    get baseUrl() {
      return config.baseUrl
    },
    version: version().trim(),
    log,
    operations: options.operations,
    async run(request, operation, input, terms) {
      if (operation.effect !== 'read') rates.write(request)
      let cookie: string | undefined
      const actAs = async (tx: Db, user: Id) => {
        cookie = await signing.actAs(tx, request, user)
      }
      const caller = callerOf(request)
      const outcome = await operations.run(request.session ? { ...caller, actAs } : caller, operation, input, terms)
      if (cookie !== undefined) visiting.renewCookie(request, cookie)
      return outcome
    },
    async plan(request, operation, input) {
      rates.write(request)
      return await operations.plan(callerOf(request), operation, input)
    },
    mayCall,
    isFresh: (request) => isFresh(request.session),
    auth: {
      formToken: (request, reply) => visiting.formToken(request, reply),
      login: signing.login,
      owesSecondFactor: signing.owesSecondFactor,
      secondFactor: signing.secondFactor,
      shownCertificate,
      certificateUrl: (request) => certificates && certificateUrl(request, portOf(certificates.raw)),
      confirm: signing.confirm,
      logout: signing.logout,
      links: oneTimeLinks,
      get canMail() {
        return canMail()
      },
      endImpersonation: signing.endImpersonation,
      safeNext: (next) => safeNext(next, network),
      bootstrap: setup,
    },
    jobEvents: events,
    agent: link,
    flash: flashMessages(),
  }

  const api = async (app: FastifyInstance) => registerApi(app, deps)
  await network.app.register(async (app) => {
    await api(app)
    registerTokens(app, { db, signIn: signing, accessTokens: tokens })
  })
  registerHealthz(network.app)
  const { registerPages } = options
  if (registerPages)
    await network.app.register(async (app) => {
      registerPageParsers(app)
      network.setPages(await registerPages(app, deps))
    })
  await network.app.ready()

  const agentSocket = join(options.runDirectory, 'agent.sock')
  events.followAll((event) => {
    if (event.kind === 'state' && event.state !== 'running') house.payLimitsSoon()
  })
  await runner.start()
  await link.listen(agentSocket, {
    async connected(hello) {
      const newEpoch = async () => (await link.ask({ t: 'new_epoch' }, NewEpoch, 10_000)).epoch
      if (await settlePutBackStore(db, hello, newEpoch)) {
        keysOfPrograms.forget()
        log.error(putBackHelp, 'the store was put back from a backup')
      }
      await runner.connected(hello)
      void setup.closeIfDone().catch((err) => log.error({ err }, 'setup could not be closed on the root side'))
    },
    heard: (job) => runner.heard(job),
    told: (messages) => runner.told(messages),
    audited(message) {
      mirror.audited(message)
      remoteHeads.told(message.head)
    },
    gone() {
      runner.gone()
      mirror.gone()
    },
  })
  await listening(network.raw, loopbackOnly(options))
  if (certificates && options.listenForCertificates)
    await listening(certificates.raw, bothFamilies(options.listenForCertificates))
  // Whoever waits in the port since before the start is let in first; the rest of the start is no business of theirs.
  await setImmediate()
  const local = createPanelServer(privateDoor, log, null)
  await local.app.register(api)
  await local.app.ready()
  await rm(cliSocket, { force: true })
  await listening(local.raw, { path: cliSocket })
  if (!(await keepReserve(db))) log.warn('there is no room for the reserve of the store')
  house.start()
  post.start()
  proofs.start()
  hooks.start()

  return {
    port: portOf(network.raw),
    certificatePort: certificates && portOf(certificates.raw),
    cliSocket,
    agentSocket,
    deps,
    db,
    housekeeping: house,
    reload(next, tls) {
      config = next
      hosts = policyOf(config)
      log.level = config.logLevel
      if (tls) for (const one of [network, certificates]) one?.setTls(tls)
    },
    async close() {
      await Promise.all([network.raw, local.raw, ...(certificates ? [certificates.raw] : [])].map(drained))
      await Promise.all([network.app.close(), local.app.close()])
      await tooOften.stop()
      await repeated.stop()
      await house.stop()
      await post.stop()
      await proofs.stop()
      await hooks.stop()
      await mirror.close()
      await link.close()
      await runner.stop()
      remoteHeads.close()
      await db.destroy()
    },
  }
}

const putBackHelp = {
  help: 'Everybody has to sign in again, and programs need new API keys. "wcp audit verify" says from where on; what was made since is on the machine and not in the store: "wcp health drift" tells of it.',
}

const policyOf = ({ anyHost, baseUrl }: Config) => hostPolicy(anyHost ? null : baseUrl)

async function openCheckedStore({ config, statePath, log }: PanelOptions): Promise<Db> {
  const where = config.store.kind === 'postgres' ? config.store.url : statePath
  const db = openOrRefuse(where)
  try {
    const faults = await checkStore(db)
    if (faults.length > 0) throw damaged(where, faults.slice(0, 3).join('; '))
    const applied = await migrateKeepingCopy(db, where, new Date().toISOString(), migrations)
    if (applied.length > 0) log.info({ applied }, 'the store has a new schema')
    return db
  } catch (error) {
    await db.destroy()
    throw inOneLine(where, error)
  }
}

function openOrRefuse(where: string): Db {
  try {
    return openStore(where)
  } catch (error) {
    throw inOneLine(where, error)
  }
}

/** A file that is damaged, read-only, or no database: said in one line. Anything else keeps its own words. */
function inOneLine(where: string, error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error)) return error
  if (['SQLITE_CORRUPT', 'SQLITE_NOTADB'].includes(String(error.code))) return damaged(where, error.message)
  if (isBusyStore(error)) return error
  const trouble = storeTrouble(error)
  return trouble ? new StoreUnusable(`${trouble.message} ("${where}")`) : error
}

function damaged(where: string, why: string): StoreUnusable {
  return new StoreUnusable(`Cannot use the store: it is damaged (${why}); bring back a backup of "${where}"`)
}

function registerApi(app: FastifyInstance, deps: PanelDeps): void {
  registerRest(app, deps.operations, deps)
  let document: string | undefined
  app.get(openApiPath, { config: { access: 'api' } }, async (_, reply) => {
    document ??= JSON.stringify(openApiDocument(deps.operations, deps))
    return reply.type('application/json; charset=utf-8').send(document)
  })
}

function callerOf(request: FastifyRequest): Caller {
  const { actor, session, proof } = request
  return {
    actor,
    session: session ?? proof,
    requestId: request.id,
    ip: actor?.kind === 'root' ? null : clientAddress(request),
  }
}

/** A path that a page of this panel answers to, or the start: never a word of a stranger. */
function safeNext(next: unknown, { pagePaths }: PanelServer): string {
  const isPath = typeof next === 'string' && /^\/[\w\-./?=&%~+]*$/.test(next) && !next.startsWith('//')
  return isPath && pagePaths.has(next.split('?')[0] ?? '') ? next : '/'
}

async function listening(raw: Server, where: Where): Promise<void> {
  raw.listen(where)
  await once(raw, 'listening')
}

function loopbackOnly({ tls, listen }: PanelOptions) {
  const isLoopback = 'host' in listen && ['127.0.0.1', '::1'].includes(listen.host)
  if (tls === 'insecure' && !isLoopback)
    throw new Error('Cannot serve plain HTTP: the address is not a loopback address')
  return bothFamilies(listen)
}

type Where = Parameters<Server['listen']>[0] & object

function bothFamilies(listen: ListenAt): Where {
  return 'fd' in listen ? { fd: listen.fd } : { ...listen, ipv6Only: false }
}

async function drained(raw: Server): Promise<void> {
  const closed = once(raw, 'close')
  raw.close()
  raw.closeIdleConnections()
  const timer = setTimeout(() => raw.closeAllConnections(), limits.drain)
  await closed
  clearTimeout(timer)
}

function portOf(raw: Server): number {
  const address: AddressInfo | string | null = raw.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
