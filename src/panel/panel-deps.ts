/** Makes `PanelDeps`: the rest of the panel as pages and REST see it. */
import type { Logger } from 'pino'
import type { AnyOperation } from '../contract/operation.ts'
import type { Id } from '../contract/values.ts'
import { version } from '../program/version.ts'
import type { Context } from '../resources/context.ts'
import type { Db } from '../store/database.ts'
import type { AgentSide } from './agent-side.ts'
import type { Authentication } from './auth/authentication.ts'
import { flashMessages } from './auth/flash.ts'
import { certificateUrl, shownCertificate } from './http/certificate-port.ts'
import type { RateLimits } from './http/rate-limits.ts'
import type { PanelServer } from './http/server.ts'
import type { Auth, PanelDeps } from './http/types.ts'
import type { LiveConfig } from './live-config.ts'
import { isFresh, mayCall } from './operations/admit.ts'
import { callerOf } from './operations/caller-of.ts'
import type { OperationRunner } from './operations/run-operation.ts'
import { type PanelServers, portOf } from './servers.ts'

export interface PanelDepsOptions {
  readonly config: LiveConfig
  readonly log: Logger
  readonly registry: readonly AnyOperation<Context>[]
  readonly operations: OperationRunner
  readonly auth: Authentication
  readonly rates: RateLimits
  readonly agent: AgentSide
  readonly servers: PanelServers
}

export function panelDeps(options: PanelDepsOptions): PanelDeps {
  const { config, log, registry, operations, auth, rates, agent } = options
  const { signIn, visitors } = auth
  return {
    get baseUrl() {
      return config.now.baseUrl
    },
    version: version().trim(),
    log,
    operations: registry,
    async run(request, operation, input, terms) {
      if (operation.effect !== 'read' && !terms?.ofBatch) rates.write(request)
      let cookie: string | undefined
      const actAs = async (tx: Db, user: Id) => {
        cookie = await signIn.actAs(tx, request, user)
      }
      const caller = callerOf(request)
      const outcome = await operations.run(request.session ? { ...caller, actAs } : caller, operation, input, terms)
      if (cookie !== undefined) visitors.renewCookie(request, cookie)
      return outcome
    },
    countBatch(request, things) {
      for (let counted = 0; counted < things; counted += ofBatchAsOne) rates.write(request)
    },
    async plan(request, operation, input, terms) {
      if (!terms?.ofBatch) rates.write(request)
      const caller = callerOf(request)
      return await operations.plan(request.session ? { ...caller, actAs: async () => {} } : caller, operation, input)
    },
    mayCall,
    isFresh: (request) => isFresh(request.session),
    auth: authOf(options),
    jobEvents: agent.events,
    agent: agent.link,
    flash: flashMessages(),
  }
}

const ofBatchAsOne = 10

function authOf({ config, auth, servers }: PanelDepsOptions): Auth {
  const { signIn, visitors, links, setup } = auth
  const { network, certificates } = servers
  return {
    formToken: (request, reply) => visitors.formToken(request, reply),
    login: signIn.login,
    owesSecondFactor: signIn.owesSecondFactor,
    secondFactor: signIn.secondFactor,
    shownCertificate,
    certificateUrl: (request) => certificates && certificateUrl(request, portOf(certificates.raw)),
    confirm: signIn.confirm,
    logout: signIn.logout,
    links,
    get canMail() {
      return config.canMail
    },
    endImpersonation: signIn.endImpersonation,
    safeNext: (next) => safeNext(next, network),
    bootstrap: setup,
  }
}

/** A path that a page of this panel answers to, or the start: never a word of a stranger. */
function safeNext(next: unknown, { pagePaths }: PanelServer): string {
  const isPath = typeof next === 'string' && /^\/[\w\-./?=&%~+]*$/.test(next) && !next.startsWith('//')
  return isPath && pagePaths.has(next.split('?')[0] ?? '') ? next : '/'
}
