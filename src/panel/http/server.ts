/**
 * The HTTP server: limits, headers and the order of checks, the same for every route. Two doors are built from it: the
 * network's, with sessions and pages, and the private socket's, where whoever got in is root.
 */
import { randomUUID } from 'node:crypto'
import { createServer as createHttpServer, type Server, STATUS_CODES } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer, type ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { Logger } from 'pino'
import { WcpError } from '../../contract/errors.ts'
import { apiRoot } from '../../lib/http-call.ts'
import { AllowedMethods } from './allowed-methods.ts'
import { peerAddress } from './client-address.ts'
import { noStore, securityHeaders } from './headers.ts'
import { demandLeastRate } from './least-rate.ts'
import { limits } from './limits.ts'
import { endFailedHandshakes } from './plain-http.ts'
import { errorHeaders, sendProblem, toWcpError } from './problem.ts'
import { sourceOf } from './source.ts'
import { decoded, isApi, loggedPath, pathOf } from './target.ts'
import type { Pages } from './types.ts'
import { isTakenFrom } from './upload-body.ts'

export interface TlsFiles {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

/** The checks of one door, asked in this order for each request. */
export interface Door {
  /** Before anything is read of the request. */
  acceptsHost(host: string): boolean
  /** Resolves when it is this request's turn to be looked at; throws when its address comes too often. */
  awaitTurn(request: FastifyRequest): Promise<void>
  /** The identity behind the request. */
  identify(request: FastifyRequest): Promise<Pick<FastifyRequest, 'session' | 'proof' | 'actor' | 'cookie'>>
  /** Throws, or answers by itself (a redirect), when this request may not go on to its route. */
  admit(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** With the body read: throws when it was forged. Takes the token out of a form. */
  checkForm(request: FastifyRequest): Promise<void>
  /** Headers that every answer of this door has. */
  complete(request: FastifyRequest, reply: FastifyReply): void
}

export interface PanelServer {
  readonly app: FastifyInstance
  readonly raw: Server
  /** Addresses that a person can be led to. */
  readonly pagePaths: { has(path: string): boolean }
  /** Pages are registered after the server is made; until then errors are problem documents. */
  setPages(pages: Pages): void
  /** For the next connections. */
  setTls(files: TlsFiles): void
}

export function createPanelServer(door: Door, log: Logger, tls: TlsFiles | null): PanelServer {
  const https = tls && httpsServer(tls)
  const raw: Server = https ?? limited(createHttpServer(serverOptions))

  const baseLog: FastifyBaseLogger = log
  const app: FastifyInstance = Fastify({
    serverFactory: (handler) => raw.on('request', handler),
    loggerInstance: baseLog,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: limits.jsonBody,
    handlerTimeout: limits.handlerTimeout,
    routerOptions: { maxParamLength: limits.maxParamLength },
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    return503OnClosing: true,
    frameworkErrors(error, request, reply) {
      reply.headers(securityHeaders).header('cache-control', noStore).header('x-request-id', request.id)
      sendProblem(request, reply, toWcpError(error))
    },
    clientErrorHandler: answerBrokenRequest,
    schemaController: { compilersFactory: noSchemas },
  })
  let pages: Pages | null = null

  app.decorateRequest('session', null)
  app.decorateRequest('proof', null)
  app.decorateRequest('actor', null)
  app.decorateRequest('addressed', null)
  app.decorateRequest('cookie', null)
  const methods = new AllowedMethods()
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined) throw new Error(`Route "${route.url}" does not say who may come`)
    const { methodsOf } = route.config
    if (methodsOf === undefined) methods.add(route.url, route.method)
    else methods.addTable(methodsOf)
  })

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders).header('x-request-id', request.id)
    demandOneHost(request, door)
    await door.awaitTurn(request)
    Object.assign(request, await door.identify(request))
    await door.admit(request, reply)
  })
  app.addHook('preHandler', async (request) => door.checkForm(request))
  app.addHook('onSend', async (request, reply) => {
    door.complete(request, reply)
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', noStore)
  })
  app.addHook('onResponse', async (request, reply) => logAnswer(request, reply))

  app.setErrorHandler(async (error: Error, request, reply) => {
    const shown = toWcpError(error)
    if (shown.code === 'internal') request.log.error({ err: error, path: loggedPath(request) }, 'a request failed')
    return await sendError(request, reply, shown, pages)
  })
  app.setNotFoundHandler(async (request, reply) => {
    const allowed = methods.of(pathOf(request))
    if (allowed.length === 0)
      return await sendError(request, reply, new WcpError('not_found', 'Cannot find this address'), pages)
    reply.header('allow', allowed.join(', '))
    if (request.method === 'OPTIONS') return reply.code(204).send()
    return await sendError(request, reply, new WcpError('wrong_method', `Cannot use ${request.method} here`), pages)
  })

  return {
    app,
    raw,
    pagePaths: {
      has: (path) => {
        const read = decoded(path)
        return !read.startsWith('/api/') && methods.of(read).includes('GET')
      },
    },
    setPages: (given) => {
      pages = given
    },
    setTls: (files) => {
      if (https) setTls(https, files)
    },
  }
}

/** Every input goes through zod, without coercion on the way. Fastify's own compilers are not even loaded (docs/0011). */
const noSchemas = { buildValidator: refuseSchema, buildSerializer: refuseSchema }

function refuseSchema(): never {
  throw new Error('Cannot compile a schema of a route: routes check with zod')
}

const serverOptions = {
  maxHeaderSize: limits.maxHeaderSize,
  connectionsCheckingInterval: limits.checkingInterval,
  noDelay: true,
  requireHostHeader: true,
}
const minVersion = 'TLSv1.2'

export function httpsServer(tls: TlsFiles, more: ServerOptions = {}): HttpsServer {
  const own = { minVersion, handshakeTimeout: limits.headersTimeout, ALPNProtocols: ['http/1.1'] } as const
  const server = limited(createHttpsServer({ ...serverOptions, ...tls, ...own, ...more }))
  endFailedHandshakes(server)
  return server
}

/** For the next connections. */
export function setTls(server: HttpsServer, files: TlsFiles, more: SecureContextOptions = {}): void {
  server.setSecureContext({ ...files, minVersion, ...more })
}

function limited<S extends Server>(server: S): S {
  server.headersTimeout = limits.headersTimeout
  server.requestTimeout = limits.requestTimeout
  server.keepAliveTimeout = limits.keepAliveTimeout
  server.timeout = limits.idleTimeout
  server.maxRequestsPerSocket = limits.maxRequestsPerSocket
  server.maxConnections = limits.maxConnections
  limitPerAddress(server)
  demandLeastRate(server, limits.leastRate)
  return server
}

/** Connections of one address, or IPv6 network, beyond its share are closed before a byte is read. */
function limitPerAddress(server: Server): void {
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const peer = peerAddress(socket)
    if (peer === undefined) return // the private socket
    const address = sourceOf(peer)
    const count = (open.get(address) ?? 0) + 1
    if (count > limits.connectionsPerAddress) return void socket.destroy()
    open.set(address, count)
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1
      if (left > 0) open.set(address, left)
      else open.delete(address)
    })
  })
}

/** One host, said once, and a path: an absolute address or a second header would let two readers disagree. */
function demandOneHost({ raw }: FastifyRequest, door: Door): void {
  const hosts = raw.rawHeaders.filter((_, index) => index % 2 === 0).filter((name) => name.toLowerCase() === 'host')
  if (hosts.length > 1) throw new WcpError('malformed', 'Cannot accept the request: it names two hosts')
  if (!raw.url?.startsWith('/') || raw.url.includes('#'))
    throw new WcpError('malformed', 'Cannot accept the request: its target is not a path')
  if (!door.acceptsHost(raw.headers.host ?? '')) throw new WcpError('wrong_host', 'Cannot answer for this host')
}

async function sendError(request: FastifyRequest, reply: FastifyReply, error: WcpError, pages: Pages | null) {
  if (pages === null || isApi(request) || !acceptsHtml(request)) return sendProblem(request, reply, error)
  try {
    const html = await pages.errorPage(error, request, reply)
    return errorHeaders(reply, error).type('text/html; charset=utf-8').send(html)
  } catch (err) {
    request.log.error({ err }, 'the error page failed')
    return sendProblem(request, reply, error)
  }
}

function acceptsHtml(request: FastifyRequest): boolean {
  return /\btext\/html\b/.test(request.headers.accept ?? '')
}

/** Changes and failures are worth a line; reading is not, unless somebody looks closer. */
function logAnswer(request: FastifyRequest, reply: FastifyReply): void {
  const facts = {
    method: request.method,
    path: loggedPath(request),
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime),
    ip: request.ip,
  }
  if (['GET', 'HEAD', 'OPTIONS'].includes(request.method) && reply.statusCode < 400)
    request.log.debug(facts, 'answered')
  else request.log.info(facts, 'answered')
}

const brokenStatus: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** A request that never became one: there is no reply object, so the answer is written by hand. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isTakenFrom(socket)) return
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const status = brokenStatus[error.code ?? ''] ?? 400
  const problem = new WcpError('malformed', 'Cannot read the request').toProblem()
  const body = JSON.stringify({ ...problem, status })
  const headers = {
    ...securityHeaders,
    'cache-control': noStore,
    'content-type': 'application/problem+json',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
  // Its own half stays open, and what comes there has no limit any more.
  const hangUp = setTimeout(() => socket.destroy(), limits.lingering)
  socket.once('close', () => clearTimeout(hangUp))
}

/** An address for scripts to ask whether the panel is there: says nothing about it. */
export function registerHealthz(app: FastifyInstance): void {
  app.get('/healthz', { config: { access: 'public' } }, async (_, reply) => reply.type('text/plain').send('ok\n'))
}

export const openApiPath = `${apiRoot}/openapi.json`
