/** The web server's part of a start: the one configuration file of all sites, and the page of a suspended one. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { assetText } from '../lib/assets.ts'
import type { Config } from '../lib/config.ts'
import type { Log } from './engine-api.ts'
import { ensureLogFile } from './os/log-file.ts'
import type { Machine } from './os/machine.ts'
import { nginxVersion } from './os/nginx.ts'
import { renderNginxSite } from './render/nginx.ts'

const own = { mode: 0o644, uid: 0, gid: 0 }

/**
 * Brings both to what this version wants. A configuration that nginx refuses, ours or a foreign one beside it, is put back
 * and logged: sites keep what they had, and the agent works on.
 */
export async function prepareWebSite(machine: Machine, config: Config, log: Log): Promise<void> {
  const { files, places, services } = machine
  await files.writeFile(join(places.web.pages, 'suspended.html'), assetText('templates/system/suspended.html'), own)
  for (const path of [places.accessLog, places.webErrorLog]) ensureLogFile(path)
  const wanted = renderNginxSite(places, {
    http: listens(config.httpPort),
    https: listens(config.httpsPort),
    nginxVersion: await nginxVersion(),
  })
  if ((await files.readText(places.nginxSite)) === wanted) return
  const before = await files.look(places.nginxSite)
  await files.writeFile(places.nginxSite, wanted, own)
  try {
    await services.reloadNginx()
  } catch (error) {
    await files.putBack(places.nginxSite, before)
    log.error({ err: error }, 'the web server did not take its configuration; it was put back, sites keep the old one')
  }
}

function listens(port: number): string[] {
  return existsSync('/proc/net/if_inet6') ? [`${port}`, `[::]:${port}`] : [`${port}`]
}
