/** The material of every emergency command: the machine without supervision, the journal, and the engine when jobs are run. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { WcpError } from '../../contract/errors.ts'
import type { AgentMessage } from '../../contract/wire.ts'
import { type Config, defaultConfigText, loadConfig } from '../../lib/config.ts'
import type { Database } from '../../program/native-sqlite.ts'
import { version } from '../../program/version.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import { auditTrailOf } from '../audit/open-audit.ts'
import { openAgentDatabase } from '../jobs/agent-database.ts'
import { createEngine } from '../jobs/engine.ts'
import type { Engine } from '../jobs/engine-api.ts'
import type { Log } from '../log.ts'
import { accountLookup, type SystemAccounts, systemAccounts } from '../os/accounts.ts'
import { databaseServers } from '../os/databases/servers.ts'
import { foreignEgress } from '../os/egress.ts'
import { createFiles } from '../os/files.ts'
import type { Layout } from '../os/layout.ts'
import { type Machine, machineAccounts } from '../os/machine.ts'
import { nginxMaster, testNginxConfig } from '../os/nginx.ts'
import { openServices } from '../os/open-services.ts'
import { installedPhp } from '../os/php-versions.ts'
import type { Services } from '../os/services.ts'
import { openGate, prepareDirectories } from '../prepare.ts'
import { withActualWorkers } from '../web-server.ts'

export interface Rescue {
  readonly places: Layout
  readonly config: Config
  readonly accounts: SystemAccounts
  readonly machine: Machine
  readonly log: Log
  readonly audit: AuditTrail
  close(): void
}

export async function openRescue(places: Layout): Promise<Rescue> {
  const config = readConfig(places)
  const installed = systemAccounts(accountFile(places, 'passwd'), accountFile(places, 'group'))
  const accounts = withActualWorkers(installed, places)
  const files = createFiles({ root: places.root, owner: 0 })
  const preparation = { files, places, accounts, host: new URL(config.baseUrl).hostname }
  await prepareDirectories(preparation)
  const log = errorsOnly
  const egress = foreignEgress(log)
  const opened = await openServices({
    places,
    webGid: accounts.workers.gid,
    webGroup: accounts.workers.name,
    log,
    egress,
    mayUseSystemd: places.root === '/',
  })
  await openGate(preparation, opened.services)
  const machine: Machine = {
    places,
    files,
    services: opened.kind === 'direct' ? unsupervised(opened.services, places) : opened.services,
    databases: databaseServers(places),
    accounts: machineAccounts(accounts),
    now: () => new Date(),
  }
  const audit = await auditTrailOf(places, files, log)
  return {
    places,
    config,
    accounts,
    machine,
    log,
    audit,
    close() {
      audit.close()
      if (opened.kind === 'direct') opened.services.close()
    },
  }
}

/** As the daemon has it: what its unit's EnvironmentFile= sets counts, and a missing file is all defaults. */
export function readConfig({ root, config: file }: Layout): Config {
  const env = { ...parseEnv(textOf(join(root, 'etc/default/wcp360')) ?? ''), ...process.env }
  return loadConfig(textOf(file) ?? defaultConfigText(), env, file)
}

function accountFile({ root }: Layout, name: string): string {
  return readFileSync(join(root, 'etc', name), 'utf8')
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** A web server that is not running is left so: one started from here would be nobody's child. */
function unsupervised(services: Services, places: Layout): Services {
  return {
    ...services,
    async reloadNginx() {
      await testNginxConfig(places)
      const master = nginxMaster(places)
      if (master !== undefined) process.kill(master, 'SIGHUP')
    },
  }
}

/** The answer tells everything else. */
const errorsOnly: Log = {
  info() {},
  warn() {},
  error(facts, message) {
    const error = Object.values(facts).find((fact) => fact instanceof Error)
    process.stderr.write(`${message}${error === undefined ? '' : `: ${error.message}`}\n`)
  },
}

/** Registry and journal, for looking and for settling; closed again whatever happens. */
export async function withDatabase<T>({ places, machine }: Rescue, work: (db: Database) => T | Promise<T>): Promise<T> {
  const database = await openAgentDatabase(places.agentDatabase, machine)
  try {
    return await work(database)
  } finally {
    database.close()
  }
}

function noLook(): Promise<never> {
  return Promise.reject(new WcpError('unavailable', 'Cannot look for drift here: "wcp emergency render" does'))
}

/** The engine as the daemon has it, with what it says collected. Throws when it may only look. */
export async function withEngine<T>(
  { places, machine, log, audit }: Rescue,
  work: (engine: Engine, said: Conversation) => Promise<T>,
): Promise<T> {
  const said = new Conversation()
  const engine = await createEngine({
    machine,
    databasePath: places.agentDatabase,
    accounts: accountLookup,
    log,
    audit,
    emit: (message) => said.add(message),
    version: version(),
    phpVersions: installedPhp,
    health: () =>
      Promise.reject(new WcpError('unavailable', 'Cannot report the health of the machine in an emergency')),
    drift: noLook,
    driftPage: noLook,
    ownFiles: noLook,
    openFiles: () => Promise.reject(new WcpError('unavailable', 'Cannot open files of customers in an emergency')),
    usage: () => Promise.reject(new WcpError('unavailable', 'Cannot measure tenants in an emergency')),
    verifyRoot: async () => false,
    budgets: () => unbraked,
    parallel: 1,
  })
  try {
    if (engine.readOnly !== null) {
      throw new WcpError('unavailable', `Cannot change the machine: ${engine.readOnly}`, {
        help: 'Put the registry back from a backup; "wcp emergency jobs" shows whether it can be read.',
      })
    }
    return await work(engine, said)
  } finally {
    await engine.close()
  }
}

/** Every caller here is root. */
const unbraked = {
  deletes: Number.POSITIVE_INFINITY,
  restores: Number.POSITIVE_INFINITY,
  creates: Number.POSITIVE_INFINITY,
  suspensions: Number.POSITIVE_INFINITY,
  changes: Number.POSITIVE_INFINITY,
  runs: Number.POSITIVE_INFINITY,
}

type Message<K extends AgentMessage['t']> = Extract<AgentMessage, { t: K }>

/** The engine's messages, and a wait for one of them. */
export class Conversation {
  readonly messages: AgentMessage[] = []
  #arrived: (() => void)[] = []

  add(message: AgentMessage): void {
    this.messages.push(message)
    for (const tell of this.#arrived.splice(0)) tell()
  }

  of<K extends AgentMessage['t']>(kind: K): readonly Message<K>[] {
    return this.messages.filter((message): message is Message<K> => message.t === kind)
  }

  /** The first message of the kind that fits, now or later. */
  async first<K extends AgentMessage['t']>(kind: K, fits: (message: Message<K>) => boolean): Promise<Message<K>> {
    for (;;) {
      const found = this.of(kind).find(fits)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#arrived.push(resolve))
    }
  }
}
