/**
 * First boot without a browser: where it stands, root's password with the code that was printed on the machine, and the
 * first administrator. The checks, and the one use, are those of the pages.
 */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { apiRoot } from '../../lib/http-call.ts'
import type { TokenGrant } from '../../lib/token-grant.ts'
import { Password } from '../../resources/user/password.ts'
import { Email } from '../../resources/user/schema.ts'
import type { AccessTokens } from '../auth/access-tokens.ts'
import { readBody, sendJson } from './json-body.ts'
import type { BootState, Bootstrap } from './types.ts'

export interface BootstrapRoutesOptions {
  readonly setup: Pick<Bootstrap, 'bootState' | 'proveRoot' | 'makeAdmin'>
  readonly accessTokens: Pick<AccessTokens, 'issue'>
}

/** Below the root of the API. */
export const bootstrapPath = '/bootstrap'

const word = z.string().max(1024)

export const bootstrapBodies = {
  root: z.strictObject({ code: word, password: word }),
  admin: z.strictObject({ secret: word, email: Email, password: Password }),
}

const states = ['not_initialized', 'bootstrap', 'done', 'lost', 'unknown'] as const satisfies readonly BootState[]

export const bootstrapAnswers = {
  state: z.strictObject({
    /** null: the root side has not told yet. */
    systemInitialized: z.boolean().nullable(),
    state: z.enum(states),
    /** The call that leads on. */
    next: z.string().nullable(),
  }),
  root: z.strictObject({ secret: z.string(), expiresAt: z.iso.datetime() }),
}

const steps: Readonly<Record<BootState, Omit<z.output<typeof bootstrapAnswers.state>, 'state'>>> = {
  not_initialized: { systemInitialized: false, next: `POST ${apiRoot}${bootstrapPath}` },
  bootstrap: { systemInitialized: false, next: `POST ${apiRoot}${bootstrapPath}/admin` },
  done: { systemInitialized: true, next: null },
  lost: { systemInitialized: true, next: null },
  unknown: { systemInitialized: null, next: null },
}

export function registerBootstrap(app: FastifyInstance, { setup, accessTokens }: BootstrapRoutesOptions): void {
  const at = (path: string) => `${apiRoot}${bootstrapPath}${path}`

  app.get(at(''), { config: { access: 'api', duringSetup: 'too' } }, async (_, reply) => {
    const state = await setup.bootState()
    return sendJson(reply, { state, ...steps[state] })
  })

  const root = { config: { access: 'api', duringSetup: 'only', isSignIn: true } } as const
  app.post(at(''), root, async (request, reply) =>
    sendJson(reply.code(201), await setup.proveRoot(request, readBody(bootstrapBodies.root, request))),
  )

  app.post(at('/admin'), { config: { access: 'api', duringSetup: 'only' } }, async (request, reply) => {
    const { secret: proof, ...person } = readBody(bootstrapBodies.admin, request)
    const secret = await setup.makeAdmin(request, proof, person)
    const grant: TokenGrant = { secret, ...(await accessTokens.issue(secret, request)) }
    return sendJson(reply.code(201), grant)
  })
}
