/** The two doors: the network's, where everybody has to say who they are, and the private socket's, where only root gets. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { WcpError } from '../../contract/errors.ts'
import { isRecord } from '../../contract/fields.ts'
import type { Acquaintance } from '../auth/acquaintance.ts'
import { bearerToken, type Programs } from '../auth/bearer.ts'
import { demandOwnOrigin, demandToken, isSafe } from '../auth/csrf.ts'
import type { Visitors } from '../auth/visitors.ts'
import { clientAddress } from './client-address.ts'
import type { HostPolicy } from './host-check.ts'
import { limits } from './limits.ts'
import type { RateLimits } from './rate-limits.ts'
import type { Door } from './server.ts'
import { isApi, loggedPath, pathOf } from './target.ts'
import { turnstile } from './turnstile.ts'
import type { Bootstrap } from './types.ts'

export interface NetworkDoorOptions {
  readonly hosts: () => HostPolicy
  /** `http` in tests only. */
  readonly scheme: 'https' | 'http'
  readonly visitors: Visitors
  readonly programs: Programs
  readonly setup: Pick<Bootstrap, 'state'>
  readonly acquaintance: Pick<Acquaintance, 'placeAtDoor'>
  readonly rates: Pick<RateLimits, 'request' | 'read' | 'tell'>
  readonly csrfKey: Buffer
  readonly log: Logger
  /** A signed-in visitor's request was forged: for the audit trail. */
  readonly recordForgery: (request: FastifyRequest) => Promise<void>
}

/** Only root and the panel can enter the directory of its socket: that is the authentication (threats B1). */
export const privateDoor: Door = {
  acceptsHost: () => true,
  awaitTurn: async () => {},
  identify: async () => ({ session: null, proof: null, actor: { kind: 'root' }, cookie: null }),
  admit: async () => {},
  checkForm: async () => {},
  complete: () => {},
}

export function networkDoor(options: NetworkDoorOptions): Door {
  const { visitors, setup, csrfKey, rates } = options
  const enterLine = turnstile(limits.signInsPerSecond)

  async function checkPageForm(request: FastifyRequest): Promise<void> {
    const token = isRecord(request.body) ? request.body._csrf : undefined
    demandOwnOrigin(request.headers, [ownOrigin(request)])
    demandToken(csrfKey, request.cookie, token)
    if (isRecord(request.body)) delete request.body._csrf
  }

  function checkApiCall(request: FastifyRequest): void {
    demandOwnOrigin(request.headers, [ownOrigin(request)])
    demandToken(csrfKey, request.cookie, request.headers['x-csrf-token'])
  }

  const ownOrigin = ({ headers }: FastifyRequest) => `${options.scheme}://${headers.host?.toLowerCase()}`

  return {
    acceptsHost: (host) => options.hosts().accepts(host),

    /** Nothing of a sign-in is read before its turn, so that other pages never stand behind a flood of them. */
    async awaitTurn(request) {
      const { raw, routeOptions } = request
      rates.request(request)
      if (routeOptions.config.isSignIn !== true) return
      const { turn, leave } = enterLine(options.acquaintance.placeAtDoor(request))
      raw.socket.once('close', leave)
      const isLetGo = await turn
      raw.socket.off('close', leave)
      if (!isLetGo) throw new WcpError('unavailable', 'Cannot go on: the connection was closed')
    },

    async identify(request) {
      const token = isApi(request) ? bearerToken(request.headers.authorization) : undefined
      if (token !== undefined)
        return { session: null, cookie: null, ...(await options.programs.identify(token, request)) }
      const signer = isApi(request) ? await options.programs.identifySigned(request) : undefined
      if (signer !== undefined) return { session: null, cookie: null, ...signer }
      const { session, cookie } = await visitors.identify(request)
      // A page of another site may make the browser ask, although it cannot read the answer: it asks as nobody.
      const isForeign = isApi(request) && !['same-origin', 'none', undefined].includes(fetchSite(request))
      const known = isForeign ? null : session
      return { session: known, proof: null, actor: known?.actor ?? null, cookie }
    },

    async admit(request, reply) {
      const { access, duringSetup } = request.routeOptions.config
      if (isApi(request) && isSafe(request.method)) rates.read(request)
      if (isAsset(request)) return
      const state = await setup.state()
      if (access === 'bootstrap' || duringSetup === 'only') return demandSetup(state)
      if (state === 'open' && duringSetup !== 'too') return leadToSetup(request, reply)
      if (access !== 'session') return
      if (request.session === null) return leadToLogin(request, reply)
      if (request.session.mustEnrol && !request.routeOptions.config.whileEnrolling)
        reply.redirect(enrolmentPages[request.session.mustEnrol], 303)
    },

    complete(request, reply) {
      rates.tell(request, reply)
      visitors.sendCookie(request, reply)
    },

    async checkForm(request) {
      if (isSafe(request.method) || request.is404) return
      // Answered with 401, whatever it carries, or sent by a program, whose key no browser sends by itself.
      if (isApi(request) && request.session === null) return
      try {
        if (isApi(request)) checkApiCall(request)
        else await checkPageForm(request)
      } catch (error) {
        options.log.warn({ path: loggedPath(request), ip: clientAddress(request) }, 'a forged request was refused')
        if (request.session) await options.recordForgery(request)
        throw error
      }
    },
  }
}

const enrolmentPages = { factor: '/account/second-factor', certificate: '/account/certificates' } as const

function fetchSite({ headers }: FastifyRequest): string | undefined {
  const site = headers['sec-fetch-site']
  return Array.isArray(site) ? 'several' : site
}

/** Styles and the like, which the setup's own pages need too. */
function isAsset(request: FastifyRequest): boolean {
  const path = request.routeOptions.url ?? pathOf(request)
  return path.startsWith('/assets/') || path === '/healthz'
}

function demandSetup(state: Awaited<ReturnType<Bootstrap['state']>>): void {
  if (state === 'open') return
  if (state === 'unknown')
    throw new WcpError('unavailable', 'Cannot tell whether the panel is set up: the root side is not connected')
  throw new WcpError('not_found', 'Cannot find this address')
}

function leadToSetup(request: FastifyRequest, reply: FastifyReply): void {
  if (isApi(request)) throw new WcpError('setup_needed', 'Cannot answer before the panel is set up')
  reply.redirect('/bootstrap', 303)
}

function leadToLogin(request: FastifyRequest, reply: FastifyReply): void {
  const next =
    isSafe(request.method) && request.raw.url !== '/' ? `?next=${encodeURIComponent(request.raw.url ?? '/')}` : ''
  reply.redirect(`/login${next}`, 303)
}
