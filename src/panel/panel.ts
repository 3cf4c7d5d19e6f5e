/** The panel put together: store, doors, sessions, jobs. Needs no root and no fixed path, so tests start it as the daemon does. */
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import { type AnyOperation, demandPolicies } from '../contract/operation.ts'
import { DriftPage } from '../contract/wire.ts'
import type { Config } from '../lib/config.ts'
import type { WatcherPace } from '../resources/condition/watcher.ts'
import type { Context } from '../resources/context.ts'
import type { DriftPace } from '../resources/health/drift-watcher.ts'
import { storesFor } from '../resources/index.ts'
import type { ProbePace } from '../resources/probe/prober.ts'
import { giveBuiltInRights } from '../resources/role/built-in-rights.ts'
import type { Db } from '../store/database.ts'
import { newId } from '../store/new-id.ts'
import { keepReserve, roomCheck } from '../store/store-room.ts'
import { agentSide } from './agent-side.ts'
import { refuseAnotherPanel } from './another-panel.ts'
import { authentication } from './auth/authentication.ts'
import type { PanelKeys } from './auth/keys.ts'
import { type PasswordHasher, passwordHasher } from './auth/password.ts'
import type { Base } from './base.ts'
import { callLimits } from './call-limits.ts'
import { networkDoor } from './http/doors.ts'
import type { TlsFiles } from './http/server.ts'
import type { PanelDeps, RegisterPages } from './http/types.ts'
import type { housekeeping } from './jobs/housekeeping.ts'
import { LiveConfig } from './live-config.ts'
import { WebLogReader } from './logs/web-log-reader.ts'
import { openPanelStore } from './open-panel-store.ts'
import { callerOf } from './operations/caller-of.ts'
import { idempotency } from './operations/idempotency.ts'
import { machineView } from './operations/operation-context.ts'
import { ownWeb } from './operations/own-web.ts'
import { type OperationRunner, operationRunner } from './operations/run-operation.ts'
import { panelDeps } from './panel-deps.ts'
import {
  closeServers,
  type ListenOptions,
  listenOnNetwork,
  listenPrivately,
  panelServers,
  portOf,
  registerNetworkRoutes,
} from './servers.ts'
import { workers } from './workers.ts'

export interface PanelOptions extends ListenOptions {
  readonly config: Config
  readonly keys: PanelKeys
  /** Absolute; for `agent.sock` and `cli.sock`. Who can enter it is root to the panel. */
  readonly runDirectory: string
  /** Absolute path of the SQLite file; not used when the configuration names PostgreSQL. */
  readonly statePath: string
  /** Absolute; of the logs of the web server. */
  readonly webLogs: string
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
  readonly watcherPace?: WatcherPace
  /** Between two looks at whose usage to measure; a minute unless told. */
  readonly usageTickMs?: number
  /** Between two looks at keys for the DNS. */
  readonly dnsTickMs?: number
  readonly driftPace?: DriftPace
  readonly probePace?: ProbePace
}

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
  const { keys, log, stallAfterMs, holdMs, tickMs, webhookCa, refusalsInFull, registerPages } = options
  demandPolicies(options.operations)
  const config = new LiveConfig(options.config)
  const cliSocket = join(options.runDirectory, 'cli.sock')
  const agentSocket = join(options.runDirectory, 'agent.sock')
  await refuseAnotherPanel(cliSocket)
  const db = await openPanelStore(options)
  const storesOf: Base['storesOf'] = (on) =>
    storesFor(on, { now: new Date().toISOString(), newId, keys, appended: () => agent.mirror.appended() })
  const base: Base = { db, storesOf, keys, log, config, hasher: options.hasher ?? passwordHasher() }

  const agent = agentSide({ ...base, stallAfterMs, holdMs, tickMs })
  await db.transaction().execute((tx) => giveBuiltInRights(storesOf(tx), options.operations))
  const onQueued = () => agent.runner.wake()
  const callLimit = callLimits({
    ...base,
    refusalsInFull,
    recordRefusal: (...refusal) => operations.recordRefusal(...refusal),
  })
  const answers = idempotency(keys)
  const web = ownWeb(() => config.now)
  const logs = new WebLogReader({ directory: options.webLogs })
  const operations: OperationRunner = operationRunner({
    ...base,
    registry: options.operations,
    idempotency: answers,
    link: agent.link,
    files: agent.files,
    logs,
    repeats: callLimit.repeats,
    panelHost: () => config.panelHost,
    canMail: () => config.canMail,
    hasCertificatePort: options.listenForCertificates !== undefined && options.tls !== 'insecure',
    linkUrl: (token) => `${config.now.baseUrl}/link/${token}`,
    web,
    demandRoom: roomCheck(db, options.statePath),
    countJob: callLimit.rates.job,
    onChanged: () => auth.apiKeys.forget(),
    onQueued,
    closeSetupIfDone: () => auth.setup.closeIfDone(),
  })
  const auth = await authentication({ ...base, limits: callLimit, link: agent.link, onMail: () => beside.mail.wake() })
  const beside = workers({
    ...base,
    auth,
    idempotency: answers,
    onQueued,
    tickMs,
    webhookCa,
    machine: machineView(agent.link, agent.files, logs),
    agent: agent.link,
    watcherPace: options.watcherPace,
    usageTickMs: options.usageTickMs,
    dnsTickMs: options.dnsTickMs,
    driftPage: (after) => agent.link.ask({ t: 'drift_page', after }, DriftPage, 60_000),
    driftPace: options.driftPace,
    web,
    probePace: options.probePace,
  })

  const door = networkDoor({
    ...auth,
    hosts: () => config.hosts,
    scheme: options.tls === 'insecure' ? 'http' : 'https',
    rates: callLimit.rates,
    csrfKey: keys.csrf,
    log,
    recordForgery: (request) =>
      operations.recordForgery(callerOf(request), request.addressed?.operation.name ?? 'auth.form'),
  })
  const servers = panelServers(options, door, log)
  const deps = panelDeps({
    config,
    log,
    registry: options.operations,
    operations,
    auth,
    rates: callLimit.rates,
    agent,
    servers,
  })
  await registerNetworkRoutes(servers, deps, { auth: { db, ...auth }, registerPages })

  agent.events.followAll((event) => {
    if (event.kind === 'state' && event.state !== 'running') beside.house.payLimitsSoon()
  })
  await agent.files.listen(join(options.runDirectory, 'files.sock'))
  await agent.listen(agentSocket, {
    onRestored: () => auth.apiKeys.forget(),
    closeSetupIfDone: () => auth.setup.closeIfDone(),
  })
  await listenOnNetwork(servers, options)
  // Lets connections in that waited in the port since before the start: the rest of the start does not concern them.
  await setImmediate()
  const local = await listenPrivately(cliSocket, deps, log)
  if (!(await keepReserve(db))) log.warn('there is no room for the reserve of the store')
  beside.start()

  const { network, certificates } = servers
  return {
    port: portOf(network.raw),
    certificatePort: certificates && portOf(certificates.raw),
    cliSocket,
    agentSocket,
    deps,
    db,
    housekeeping: beside.house,
    reload(next, tls) {
      config.replace(next)
      log.level = next.logLevel
      if (tls) for (const one of [network, certificates]) one?.setTls(tls)
    },
    async close() {
      await closeServers(servers, local)
      await callLimit.stop()
      await beside.stop()
      await agent.close()
      await db.destroy()
    },
  }
}
