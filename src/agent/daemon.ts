/** The root side's parts, put together: what is started in which order, how it is reloaded, how it is stopped. */
import { release } from 'node:os'
import { destination, pino } from 'pino'
import { type Config, ConfigError, panelAddresses } from '../lib/config.ts'
import { notifier, reloadingLines } from '../program/notify.ts'
import { settleMemory } from '../program/settle-memory.ts'
import { version } from '../program/version.ts'
import { readConfig } from './agent-config.ts'
import { exportHeads } from './audit/export-heads.ts'
import { auditTrailOf } from './audit/open-audit.ts'
import { databaseStates } from './database-states.ts'
import { driftByChild, driftPageByChild } from './drift/drift-child.ts'
import { FileWorkers } from './file-workers.ts'
import { healthSnapshot } from './health.ts'
import type { Budgets } from './jobs/brake.ts'
import { createEngine } from './jobs/engine.ts'
import type { Engine } from './jobs/engine-api.ts'
import { accountLookup, systemAccounts } from './os/accounts.ts'
import { ceilingOf } from './os/ceiling.ts'
import { databaseServers } from './os/databases/servers.ts'
import { lackOfRoom } from './os/disk-room.ts'
import { Egress } from './os/egress.ts'
import { createFiles } from './os/files.ts'
import type { Layout } from './os/layout.ts'
import { type Machine, machineAccounts } from './os/machine.ts'
import { nginxVersion } from './os/nginx.ts'
import { openServices } from './os/open-services.ts'
import { verifyRootByPam } from './os/pam.ts'
import { setPanelPorts } from './os/panel-port.ts'
import { installedPhp } from './os/php-versions.ts'
import type { ServiceState } from './os/services.ts'
import { hasCgroups, unenforced } from './os/unenforced.ts'
import { webProblem } from './os/web-probe.ts'
import { doOwnFiles } from './own-files.ts'
import { panelLink } from './panel-link.ts'
import { openGate, prepareDirectories, preparePanelCredentials, prepareSecrets } from './prepare.ts'
import { renderEgress } from './render/egress.ts'
import { startChildServices, unitServices } from './unprivileged-services.ts'
import { measureUsage } from './usage/sources.ts'
import { answerWakes } from './wake/wake.ts'
import { IdleReaper } from './wake/wake-reaper.ts'
import { prepareWebServer, withActualWorkers } from './web-server.ts'
import { prepareWebSite, readOwedRows } from './web-site.ts'

export interface DaemonOptions {
  readonly places: Layout
  readonly config: Config
  /** False below another root: systemd is not spoken to. */
  readonly isOnServer: boolean
}

export interface Daemon {
  /** Resolves when the journal can no longer be written: only another start helps. */
  readonly broken: Promise<void>
  /** A configuration that is wrong is logged in one line, and what was in force stays. */
  /** Never rejects: a signal has nobody who could be told. */
  reload(): Promise<void>
  /** Running steps end, the journal is closed, children have ended. */
  stop(): Promise<void>
}

/** Told to systemd while interrupted jobs are settled, which may take longer than a start may. */
const moreTime = 'EXTEND_TIMEOUT_USEC=60000000'
const moreTimeEveryMs = 10_000

export async function startDaemon({ places, config, isOnServer }: DaemonOptions): Promise<Daemon> {
  const log = pino({ level: config.logLevel, base: null }, destination({ fd: 1, sync: true }))
  const systemd = notifier(process.env)
  let inForce = config
  const files = createFiles({ root: places.root, owner: 0 })
  await prepareWebServer({ files, places }, log)
  const accounts = withActualWorkers(systemAccounts(), places)
  const preparation = { files, places, accounts, host: new URL(config.baseUrl).hostname }
  await prepareDirectories(preparation)
  await prepareSecrets(preparation)

  const egress = new Egress({
    render: (policies, resolvers) =>
      renderEgress({ policies, resolvers, webPorts: [inForce.httpPort, inForce.httpsPort] }),
    log,
    isAllowed: isOnServer,
  })
  await egress.begin()
  const opened = await openServices({
    places,
    webGid: accounts.workers.gid,
    webGroup: accounts.workers.name,
    log,
    egress,
    mayUseSystemd: isOnServer,
  })
  const { services } = opened
  await openGate(preparation, services)
  const machine: Machine = {
    places,
    files,
    services,
    databases: databaseServers(places),
    accounts: machineAccounts(accounts),
    now: () => new Date(),
  }
  await prepareWebSite(machine, config, log)
  await readOwedRows(machine, log)

  const broken = Promise.withResolvers<void>()
  const link = panelLink({ socket: places.agentSocket, ownerUid: accounts.panel.uid, log })
  const audit = await auditTrailOf(places, files, log)
  audit.note({ event: 'agent.started', version: version() })
  const databases = databaseStates(machine.databases)
  const fileWorkers = new FileWorkers({ places, services, panelUid: accounts.panel.uid })
  const engine: Engine = await createEngine({
    machine,
    audit,
    databasePath: places.agentDatabase,
    accounts: accountLookup,
    log,
    emit: (message) => link.emit(message),
    version: version(),
    phpVersions: installedPhp,
    unenforced: () =>
      unenforced({ services: opened.kind, hasCgroups: hasCgroups(), hasEgressRules: egress.missing.length === 0 }),
    health: () => health(machine, { httpPort: inForce.httpPort, databases: () => databases(engine.databaseEngines()) }),
    drift: async (signal) => [...(await egress.drift()), ...(await driftByChild(places, signal))],
    openFiles: (worker) => fileWorkers.open(worker),
    usage: (of, tenants, signal) => measureUsage[of](machine, tenants, signal),
    driftPage: async (signal, after) => {
      const page = await driftPageByChild(places, signal, after)
      return after === null ? { ...page, items: [...(await egress.drift()), ...page.items] } : page
    },
    ownFiles: (what, by) => doOwnFiles({ machine, preparation, config: inForce, log }, what, by),
    budgets: () => budgetsOf(inForce),
    verifyRoot: (password, from) => verifyRootByPam(password, from, log),
    parallel: config.jobsAtOnce,
    broken: () => broken.resolve(),
    lackOfRoom: () => lackOfRoom(places),
  })
  await egress.load(engine.egressPolicies())
  await recover(engine, systemd.say)

  const unprivileged =
    opened.kind === 'systemd'
      ? unitServices
      : await startChildServices({
          places,
          accounts,
          listen: panelAddresses(config),
          env: process.env,
          log,
          webLogSockets: opened.services.webLogSockets,
          prepareCredentials: () => preparePanelCredentials(preparation),
          watch: (child) => opened.services.watch(child),
        })
  if (opened.kind === 'systemd') await setPanelPorts(files, panelAddresses(config))
  else await opened.services.superviseNginx()
  link.start(engine)
  let reaper = await reaperOf(config)
  const wakes = answerWakes({
    socket: places.wakerAgentSocket,
    ownerUid: accounts.waker.uid,
    services,
    lookup: (host) => engine.lookupHost(host),
    makeRoom: () => reaper.makeRoom(),
    log,
  })
  const heads = exportHeads({ audit, engine, log })
  const watchdog = systemd.watchdogMs && setInterval(() => systemd.say('WATCHDOG=1'), systemd.watchdogMs)
  systemd.say('READY=1')
  settleMemory()
  log.info({ version: version(), services: opened.kind, readOnly: engine.readOnly }, 'agent is ready')

  async function reaperOf({ phpIdleSeconds, tenantsSharePct }: Config): Promise<IdleReaper> {
    const ceiling = ceilingOf(tenantsSharePct)
    await services
      .applyCeiling(ceiling)
      .catch((error) => log.error({ err: error }, 'the ceiling above all customers was not set'))
    const made = new IdleReaper({ services, log, idleSeconds: phpIdleSeconds, ceiling })
    made.begin()
    return made
  }

  return {
    broken: broken.promise,
    async reload() {
      systemd.say(...reloadingLines())
      try {
        const next = await readConfig(places)
        inForce = next
        log.level = next.logLevel
        reaper.close()
        reaper = await reaperOf(next)
        await prepareWebSite(machine, next, log)
        await unprivileged.restartPanel()
        log.info({}, 'configuration reloaded')
      } catch (error) {
        if (error instanceof ConfigError)
          log.error({ problem: error.message }, 'configuration is wrong; the one in force stays')
        else log.error({ err: error }, 'configuration cannot be taken; the next SIGHUP tries again')
      }
      systemd.say('READY=1')
    },
    async stop() {
      systemd.say('STOPPING=1')
      log.info({ running: engine.running() }, 'agent is stopping')
      // first, as systemd does it by the order of the units: the panel hands over the end of its audit trail
      await unprivileged.stop()
      wakes.close()
      reaper.close()
      egress.close()
      await engine.close()
      heads.close()
      audit.close()
      link.close()
      if (opened.kind === 'direct') opened.services.close()
      clearInterval(watchdog)
      log.info({}, 'agent has stopped')
    },
  }
}

function budgetsOf(config: Config): Budgets {
  return {
    deletes: config.deletesPerHour,
    restores: config.restoresPerHour,
    creates: config.createsPerHour,
    suspensions: config.suspensionsPerHour,
    changes: config.changesPerHour,
    runs: config.runsPerHour,
  }
}

async function recover(engine: Engine, say: (line: string) => void): Promise<void> {
  const timer = setInterval(() => say(moreTime), moreTimeEveryMs)
  try {
    await engine.recover()
  } finally {
    clearInterval(timer)
  }
}

interface Watched {
  readonly httpPort: number
  databases(): Promise<readonly ServiceState[]>
}

async function health({ places, services, now }: Machine, { httpPort, databases }: Watched) {
  const nginx = await nginxVersion().catch(() => undefined)
  return await healthSnapshot({
    now,
    states: async () => {
      // at once: whoever asks waits ten seconds
      const [states, problem, servers] = await Promise.all([services.states(), webProblem(httpPort), databases()])
      return [...states.map((state) => withProblem(state, problem)), ...servers]
    },
    missing: services.missing,
    mounts: [places.root, places.agentState, places.customers.root],
    versions: () => ({
      wcp360: version(),
      kernel: release(),
      ...(nginx && { nginx: nginx.join('.') }),
      ...(installedPhp().length > 0 && { php: installedPhp().join(', ') }),
    }),
  })
}

/** A web server that runs and answers nobody has failed. */
function withProblem(service: ServiceState, problem: string | undefined): ServiceState {
  if (service.name !== 'nginx' || service.state !== 'running' || problem === undefined) return service
  return { ...service, state: 'failed', detail: `${service.detail}; ${problem}` }
}
