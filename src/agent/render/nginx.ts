/** The web server's configuration: one file, the same for one site and for ten thousand. */

import { maxBodyMb, maxRequestSeconds } from '../../contract/request-bounds.ts'
import { bodySizes, connectionCounts, headerNames, rateBurst, requestRates } from '../../contract/site-settings.ts'
import type { Layout } from '../os/layout.ts'
import type { NginxVersion } from '../os/nginx.ts'
import { longestSocketPath } from '../os/unix-listen.ts'
import { renderSystem } from './render.ts'
import { boundFlags } from './site-rows.ts'

export interface WebOptions {
  /** The arguments of `listen`: ports, or addresses with ports. */
  readonly http: readonly string[]
  readonly https: readonly string[]
  readonly nginxVersion: NginxVersion
  /** Requests under way: of one address, to one host name. */
  readonly perAddress: number
  readonly perSite: number
  /** Ranges of addresses whose word about the visitor's address counts. */
  readonly proxies: readonly string[]
}

/** Text of `layout.nginxSite`; belongs into nginx's `http` block. */
export function renderNginxSite(places: Layout, options: WebOptions): string {
  return renderSystem('nginx/wcp360.conf.eta', {
    web: places.web.root,
    pages: places.web.pages,
    challenges: places.web.challenges,
    settings: places.web.settings,
    headers: headerNames,
    bodySizes: flagged(bodySizes, boundFlags.bodyMb),
    requestRates: flagged(requestRates, boundFlags.rate),
    rateBurst,
    connectionCounts: flagged(connectionCounts, boundFlags.connections),
    customers: places.customers.root,
    fpmRun: places.fpmRun,
    longestHostInSocket: longestHostInSocket(places),
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
    proxies: options.proxies,
  })
}

/** Each with the flag by which a site's row says that it was chosen. */
function flagged(values: readonly string[], flags: string): readonly string[] {
  return values.map((value, index) => `${flags[index]}${value}`)
}

/** PHP of a longer one is reached by the name of its tenant, so it is the tenant's own. */
export function longestHostInSocket({ web }: Layout): number {
  return longestSocketPath - `${web.hosts}//php.sock`.length
}

function isAtLeast(version: NginxVersion, wanted: NginxVersion): boolean {
  const different = version.findIndex((part, index) => part !== wanted[index])
  return different === -1 || (version[different] ?? 0) > (wanted[different] ?? 0)
}
