/**
 * Role `wcpd drift <root>`: the look at every tenant and site, in a process of its own, so that it holds up neither the
 * agent's jobs nor the panel. It reads what the agent's registry and journal say, changes nothing, and prints the report.
 */
import { TenantName } from '../../contract/values.ts'
import type { DriftPage, DriftReport } from '../../contract/wire.ts'
import { loadConfig } from '../../lib/config.ts'
import { openDatabase } from '../../program/native-sqlite.ts'
import { Journal } from '../jobs/journal.ts'
import { Registry } from '../jobs/registry.ts'
import { systemAccounts } from '../os/accounts.ts'
import { databaseServers } from '../os/databases/servers.ts'
import { createFiles, type Files } from '../os/files.ts'
import { limitsNotInForce } from '../os/kernel-limits.ts'
import { type Layout, layout } from '../os/layout.ts'
import { LookNow } from '../os/look-now.ts'
import { type Machine, machineAccounts } from '../os/machine.ts'
import { resting, standBack } from '../os/precedence.ts'
import type { Services } from '../os/services.ts'
import { directories } from '../prepare.ts'
import { withActualWorkers } from '../web-server.ts'
import { webSiteFacts } from '../web-site.ts'
import { driftPage, findDrift, type LookForDrift, withinMessage } from './drift.ts'
import { programDrift } from './program-drift.ts'
import { webServerDrift } from './web-server-drift.ts'

/** Of the whole look, so that the panel's patience does not end first. */
const longestMs = 40_000

/** @param what nothing: all of it; `page` and the name of a tenant: the next part after that one, or the first */
export async function main([root = '/', what, after]: readonly string[]): Promise<number> {
  standBack()
  const places = layout(root)
  const all = withActualWorkers(systemAccounts(), places)
  const accounts = machineAccounts(all)
  const web = async () => {
    const machine = onlyLooking(places, accounts, createFiles(trustIn(places)))
    const own = { directories: directories(places, all), texts: await ownTexts(machine) }
    return [...(await webServerDrift(machine, own)), ...(await programDrift(machine))]
  }
  const report =
    what === 'page'
      ? await lookOn(places, accounts, { after: after === undefined ? null : TenantName.parse(after), web })
      : withinMessage([...(await web()), ...(await lookAround(places, accounts))])
  await new Promise((resolve) => process.stdout.write(JSON.stringify(report), resolve))
  return 0
}

/** At most what one message to the panel can hold. */
export async function lookAround(
  places: Layout,
  accounts: Machine['accounts'],
  mostMs: number = longestMs,
  databases: Machine['databases'] = databaseServers(places),
): Promise<DriftReport> {
  return withinMessage(await looking(places, accounts, { mostMs, databases }, findDrift))
}

interface Part {
  readonly after: TenantName | null
  /** What is no tenant's, for the first part. */
  readonly web: () => Promise<DriftReport>
}

/** The next part of the look. */
export async function lookOn(places: Layout, accounts: Machine['accounts'], { after, web }: Part): Promise<DriftPage> {
  const page = await looking(places, accounts, { mostMs: longestMs, databases: databaseServers(places) }, (...ground) =>
    driftPage(...ground, after),
  )
  if (after !== null) return page
  return { ...page, items: withinMessage([...(await web()), ...page.items]) }
}

async function looking<T>(
  places: Layout,
  accounts: Machine['accounts'],
  { mostMs, databases }: { readonly mostMs: number; readonly databases: Machine['databases'] },
  look: (registry: Registry, machine: Machine, pace: LookForDrift) => Promise<T>,
): Promise<T> {
  const until = performance.now() + mostMs
  const trust = trustIn(places)
  const now = new LookNow(trust)
  const files = { ...createFiles(trust), look: async (path: string) => now.look(path) }
  const machine = { ...onlyLooking(places, accounts, files), databases }
  const database = openDatabase(places.agentDatabase, { fileMustExist: true, timeout: 5000 })
  database.pragma('query_only = ON')
  const journal = new Journal(database)
  const rest = resting()
  const found = await look(new Registry(database), machine, {
    isBusy: ({ id }) => journal.isUnsettled(id),
    async between() {
      now.forget()
      await rest()
    },
    mayGoOn: () => performance.now() < until,
  })
  database.close()
  return found
}

/** None while the configuration is wrong or nginx does not say its version: then nobody knows what they should be. */
async function ownTexts({ files, places }: Machine): Promise<Awaited<ReturnType<typeof webSiteFacts>>> {
  try {
    const text = await files.readText(places.config)
    return await webSiteFacts(places, loadConfig(text ?? '', process.env, places.config))
  } catch {
    return []
  }
}

function onlyLooking(places: Layout, accounts: Machine['accounts'], files: Files): Machine {
  const services: Services = {
    ...noServices,
    limitsNotInForce: async ({ name }, limits) => limitsNotInForce(places, { tenant: name, limits }),
  }
  return { places, files, services, databases: databaseServers(places), accounts, now: () => new Date() }
}

function trustIn({ root }: Layout) {
  return { root, owner: 0 }
}

/** The facts of tenants and sites are files, also those of the kernel: no service is asked. */
const noServices: Services = {
  kind: 'direct',
  missing: [],
  hasOwnViews: true,
  startFpm: refuse,
  stopFpm: refuse,
  awakeFpm: refuse,
  crowd: refuse,
  applyCeiling: refuse,
  applyLimits: refuse,
  limitsNotInForce: refuse,
  stopTenant: refuse,
  runsAnything: refuse,
  runAs: refuse,
  runEnd: async () => undefined,
  stopRun: refuse,
  runOutput: refuse,
  leaveRuns: refuse,
  startFileWorker: refuse,
  refusedByPhp: refuse,
  reloadNginx: refuse,
  states: refuse,
}

async function refuse(): Promise<never> {
  throw new Error('Cannot use a service: the look for drift only reads')
}
