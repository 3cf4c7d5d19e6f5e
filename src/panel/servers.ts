/** The sockets that people and programs reach the panel by: the network's, the one for certificates, and the private one. */
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { type BootstrapRoutesOptions, registerBootstrap } from './http/bootstrap-routes.ts'
import { type CertificatePort, certificatePort } from './http/certificate-port.ts'
import { privateDoor } from './http/doors.ts'
import { limits } from './http/limits.ts'
import { openApiDocument } from './http/openapi.ts'
import { registerPageParsers, registerRest } from './http/rest.ts'
import { restTable } from './http/rest-table.ts'
import {
  createPanelServer,
  type Door,
  openApiPath,
  type PanelServer,
  registerHealthz,
  type TlsFiles,
} from './http/server.ts'
import { registerTokens, type TokenRoutesOptions } from './http/token-routes.ts'
import type { PanelDeps, RegisterPages } from './http/types.ts'

export type ListenAt = { readonly fd: number } | { readonly host: string; readonly port: number }

export interface ListenOptions {
  /** `insecure`: plain HTTP, on a loopback address only; for tests. */
  readonly tls: TlsFiles | 'insecure'
  readonly listen: ListenAt
  /** Where browsers are asked for a certificate; not without TLS. */
  readonly listenForCertificates?: ListenAt | undefined
}

export interface PanelServers {
  readonly network: PanelServer
  readonly certificates: CertificatePort | null
}

export function panelServers(
  { tls, listenForCertificates }: Omit<ListenOptions, 'listen'>,
  door: Door,
  log: Logger,
): PanelServers {
  if (tls === 'insecure') return { network: createPanelServer(door, log, null), certificates: null }
  const network = createPanelServer(door, log, tls)
  return { network, certificates: listenForCertificates ? certificatePort(network, tls) : null }
}

export async function registerNetworkRoutes(
  { network }: PanelServers,
  deps: PanelDeps,
  {
    auth,
    registerPages,
  }: { auth: TokenRoutesOptions & BootstrapRoutesOptions; registerPages: RegisterPages | undefined },
): Promise<void> {
  await network.app.register(async (app) => {
    registerApi(app, deps)
    registerTokens(app, auth)
    registerBootstrap(app, auth)
  })
  registerHealthz(network.app)
  if (registerPages)
    await network.app.register(async (app) => {
      registerPageParsers(app)
      network.setPages(await registerPages(app, deps))
    })
  await network.app.ready()
}

export async function listenOnNetwork({ network, certificates }: PanelServers, options: ListenOptions): Promise<void> {
  await listening(network.raw, loopbackOnly(options))
  if (certificates && options.listenForCertificates)
    await listening(certificates.raw, bothFamilies(options.listenForCertificates))
}

/** Everybody who can enter the directory of the socket is root to the panel. */
export async function listenPrivately(socket: string, deps: PanelDeps, log: Logger): Promise<PanelServer> {
  const local = createPanelServer(privateDoor, log, null)
  await local.app.register(async (app) => registerApi(app, deps))
  await local.app.ready()
  await rm(socket, { force: true })
  await listening(local.raw, { path: socket })
  return local
}

/** Lets answers under way finish for a bounded time. */
export async function closeServers({ network, certificates }: PanelServers, local: PanelServer): Promise<void> {
  await Promise.all([network.raw, local.raw, ...(certificates ? [certificates.raw] : [])].map(drained))
  await Promise.all([network.app.close(), local.app.close()])
}

function registerApi(app: FastifyInstance, deps: PanelDeps): void {
  registerRest(app, restTable(deps.operations), deps)
  let document: string | undefined
  app.get(openApiPath, { config: { access: 'api' } }, async (_, reply) => {
    document ??= JSON.stringify(openApiDocument(deps.operations, deps))
    return reply.type('application/json; charset=utf-8').send(document)
  })
}

async function listening(raw: Server, where: Where): Promise<void> {
  raw.listen(where)
  await once(raw, 'listening')
}

function loopbackOnly({ tls, listen }: ListenOptions) {
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

export function portOf(raw: Server): number {
  const address: AddressInfo | string | null = raw.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
