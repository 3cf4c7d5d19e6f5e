/** The web server's configuration: one file, the same for one site and for ten thousand. */

import { maxBodyMb, maxRequestSeconds } from '../../contract/request-bounds.ts'
import { headerNames } from '../../contract/site-settings.ts'
import type { Layout } from '../os/layout.ts'
import type { NginxVersion } from '../os/nginx.ts'
import { longestSocketPath } from '../os/unix-listen.ts'
import { renderSystem } from './render.ts'

export interface WebOptions {
  /** The arguments of `listen`: ports, or addresses with ports. */
  readonly http: readonly string[]
  readonly https: readonly string[]
  readonly nginxVersion: NginxVersion
  /** Requests under way: of one address, to one host name. */
  readonly perAddress: number
  readonly perSite: number
}

/** Text of `layout.nginxSite`; belongs into nginx's `http` block. */
export function renderNginxSite(places: Layout, options: WebOptions): string {
  return renderSystem('nginx/wcp360.conf.eta', {
    web: places.web.root,
    pages: places.web.pages,
    challenges: places.web.challenges,
    settings: places.web.settings,
    headers: headerNames,
    customers: places.customers.root,
    fpmRun: places.fpmRun,
    longestHostInSocket: longestSocketPath - `${places.web.hosts}//php.sock`.length,
    certificateFile: places.web.certificateFile,
    keyFile: places.web.keyFile,
    wakeSocket: places.wakeSocket,
    accessSocket: places.webLogSockets.access,
    errorSocket: places.webLogSockets.error,
    phpErrorSocket: places.webLogSockets.php,
    httpListens: options.http,
    httpsListens: options.https,
    httpPort: Number(options.http[0]?.match(/\d+$/)?.[0] ?? 80),
    httpsPort: Number(options.https[0]?.match(/\d+$/)?.[0] ?? 443),
    hasHttp2Directive: isAtLeast(options.nginxVersion, [1, 25, 1]),
    maxRequestSeconds,
    maxBodyMb,
    perAddress: options.perAddress,
    perSite: options.perSite,
  })
}

function isAtLeast(version: NginxVersion, wanted: NginxVersion): boolean {
  const different = version.findIndex((part, index) => part !== wanted[index])
  return different === -1 || (version[different] ?? 0) > (wanted[different] ?? 0)
}
