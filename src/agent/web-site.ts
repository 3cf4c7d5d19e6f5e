/** The web server's part of a start: the one configuration file of all sites, and the page of a suspended one. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../lib/config.ts'
import { assetText } from '../program/assets.ts'
import type { Log } from './log.ts'
import type { Machine } from './os/machine.ts'
import { nginxVersion } from './os/nginx.ts'
import type { AwakeFpm, Services } from './os/services.ts'
import { renderNginxSite } from './render/nginx.ts'

/** A request that takes its time holds up a stop for 20 s. */
const stoppedAtOnce = 16
const own = { mode: 0o644, uid: 0, gid: 0 }

/**
 * Brings both to what this version wants. A configuration that nginx refuses, ours or a foreign one beside it, is put back
 * and logged: sites keep what they had, and the agent works on.
 */
export async function prepareWebSite(machine: Machine, config: Config, log: Log): Promise<void> {
  const { files, places, services } = machine
  await files.writeFile(join(places.web.pages, 'suspended.html'), assetText('templates/system/suspended.html'), own)
  const wanted = renderNginxSite(places, {
    http: listens(config.httpPort),
    https: listens(config.httpsPort),
    nginxVersion: await nginxVersion(),
    perAddress: config.connectionsPerAddress,
    perSite: config.connectionsPerSite,
  })
  if ((await files.readText(places.nginxSite)) === wanted) return
  const before = await files.look(places.nginxSite)
  await files.writeFile(places.nginxSite, wanted, own)
  await stopPhp(services, log)
  try {
    await services.reloadNginx()
  } catch (error) {
    await files.putBack(places.nginxSite, before)
    log.error({ err: error }, 'the web server did not take its configuration; it was put back, sites keep the old one')
  }
}

/** A process that an earlier version started may not find the places of the new configuration; it is woken again. */
async function stopPhp(services: Services, log: Log): Promise<void> {
  const awake = [...(await services.awakeFpm())]
  const stop = async ({ tenant }: AwakeFpm) => {
    await services.stopFpm(tenant).catch((error) => log.error({ tenant, err: error }, 'PHP did not stop'))
  }
  while (awake.length > 0) await Promise.all(awake.splice(0, stoppedAtOnce).map(stop))
}

function listens(port: number): string[] {
  return existsSync('/proc/net/if_inet6') ? [`${port}`, `[::]:${port}`] : [`${port}`]
}
