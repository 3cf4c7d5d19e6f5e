/** The web server's part of a start: the one configuration file of all sites, and the pages of suspended ones and of those under maintenance. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../lib/config.ts'
import { assetText } from '../program/assets.ts'
import { type AdoptableFile, adoptedText } from './adopted-text.ts'
import type { Log } from './log.ts'
import type { Layout } from './os/layout.ts'
import type { Machine } from './os/machine.ts'
import { nginxVersion } from './os/nginx.ts'
import type { AwakeFpm, Services } from './os/services.ts'
import { renderNginxSite } from './render/nginx.ts'
import { keepForeignText, noteOwnText } from './replaced-text.ts'
import type { TextFile } from './steps/text-file.ts'

/** A request that takes its time holds up a stop for 20 s. */
const stoppedAtOnce = 16
const own = { mode: 0o644, uid: 0, gid: 0 }

/**
 * Brings them to what this version wants. A configuration that nginx refuses, ours or a foreign one beside it, is put back
 * and logged: sites keep what they had, and the agent works on.
 */
export async function prepareWebSite(machine: Machine, config: Config, log: Log): Promise<void> {
  const { files, places, services } = machine
  const page = suspendedPage(places)
  const { text } = (await adoptedText(machine, page)) ?? page
  await keep(machine, page.path, text, log)
  await files.writeFile(page.path, text, own)
  await noteOwnText(machine, page.path, text)
  const away = maintenancePage(places)
  await keep(machine, away.path, away.text, log)
  await files.writeFile(away.path, away.text, own)
  await noteOwnText(machine, away.path, away.text)
  const wanted = await siteText(places, config)
  if ((await files.readText(places.nginxSite)) === wanted) return await noteOwnText(machine, places.nginxSite, wanted)
  const before = await files.look(places.nginxSite)
  await keep(machine, places.nginxSite, wanted, log)
  await files.writeFile(places.nginxSite, wanted, own)
  await stopPhp(services, log)
  try {
    await services.reloadNginx()
    await noteOwnText(machine, places.nginxSite, wanted)
  } catch (error) {
    await files.putBack(places.nginxSite, before)
    log.error({ err: error }, 'the web server did not take its configuration; it was put back, sites keep the old one')
  }
}

/** Rows of sites' settings that were written and not read when the agent ended. Before its first job, which has its own. */
export async function readOwedRows({ files, places, services }: Machine, log: Log): Promise<void> {
  const owed = await files.list(places.web.owedRows)
  if (owed.length === 0) return
  try {
    await services.reloadNginx()
    for (const name of owed) await files.remove(join(places.web.owedRows, name))
  } catch (error) {
    log.error({ err: error }, 'the web server did not read settings of sites; a repair of these sites has them read')
  }
}

/** The files, for the look for drift. That of all sites is never adopted: it keeps them apart. */
export async function webSiteFacts(places: Layout, config: Config): Promise<readonly (TextFile | AdoptableFile)[]> {
  return [
    suspendedPage(places),
    maintenancePage(places),
    { path: places.nginxSite, text: await siteText(places, config), ...own },
  ]
}

export function suspendedPage({ web, adopted }: Layout): AdoptableFile {
  const name = 'suspended.html'
  return {
    path: join(web.pages, name),
    text: assetText(`templates/system/${name}`),
    ...own,
    record: join(adopted, name),
  }
}

/** For sites that have none of their own. */
function maintenancePage({ web }: Layout): TextFile {
  const name = 'maintenance.html'
  return { path: join(web.pages, name), text: assetText(`templates/system/${name}`), ...own }
}

async function siteText(places: Layout, config: Config): Promise<string> {
  return renderNginxSite(places, {
    http: listens(config.httpPort),
    https: listens(config.httpsPort),
    nginxVersion: await nginxVersion(),
    perAddress: config.connectionsPerAddress,
    perSite: config.connectionsPerSite,
    proxies: config.siteProxies,
  })
}

async function keep(machine: Machine, path: string, wanted: string, log: Log): Promise<void> {
  if ((await machine.files.readText(path)) === wanted) return
  const kept = await keepForeignText(machine, path)
  if (kept !== undefined) log.warn({ path, kept }, 'a file of ours was changed by somebody else; it is put back')
}

/** A process that an earlier version started may not find the places of the new configuration; it is woken again. */
async function stopPhp(services: Services, log: Log): Promise<void> {
  const awake = [...(await services.awakeFpm())]
  const stop = async ({ tenant, pool }: AwakeFpm) => {
    await services.stopFpm(pool).catch((error) => log.error({ tenant, err: error }, 'PHP did not stop'))
  }
  while (awake.length > 0) await Promise.all(awake.splice(0, stoppedAtOnce).map(stop))
}

function listens(port: number): string[] {
  return existsSync('/proc/net/if_inet6') ? [`${port}`, `[::]:${port}`] : [`${port}`]
}
