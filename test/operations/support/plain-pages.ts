/** Pages of a few words in place of the real ones: just what is needed to sign in and to see what the server gives to pages. */
import type { FastifyInstance } from 'fastify'
import type { PanelDeps, RegisterPages } from '../../../src/panel/http/types.ts'

const open = { config: { access: 'public' } } as const
const secret = { config: { access: 'public', isSignIn: true } } as const
const session = { config: { access: 'session' } } as const
const setup = { config: { access: 'bootstrap' } } as const

export const plainPages: RegisterPages = async (app, deps) => {
  app.get('/assets/token', open, async (request, reply) => deps.auth.formToken(request, reply))
  app.get('/', session, async (request) => `hello ${request.session?.actor.email}`)
  app.post('/echo', session, async (request) => JSON.stringify(request.body))
  app.get('/next', open, async (request) => deps.auth.safeNext(new URL(request.url, 'http://x').searchParams.get('to')))
  app.get('/boom', open, async () => {
    throw new Error('secret detail')
  })
  authPages(app, deps)
  return { errorPage: (error) => `<h1>${error.status} ${error.code}</h1>` }
}

function authPages(app: FastifyInstance, { auth }: PanelDeps): void {
  app.get('/login', open, async () => `login ${await auth.bootstrap.state()}`)
  app.post<{ Body: { email: string; password: string } }>('/login', secret, async (request, reply) => {
    const state = await auth.login(request, reply, request.body)
    return reply.redirect(state === 'signed in' ? '/' : '/login/code', 303)
  })
  app.post('/logout', session, async (request, reply) => {
    await auth.logout(request, reply)
    return reply.redirect('/login', 303)
  })
  app.post('/impersonation/end', session, async (request, reply) => {
    await auth.endImpersonation(request, reply)
    return reply.redirect('/', 303)
  })
  app.post<{ Body: { code: string } }>('/login/code', open, async (request, reply) => {
    await auth.secondFactor(request, reply, request.body.code)
    return reply.redirect('/', 303)
  })
  app.post<{ Body: { password?: string; code?: string } }>('/confirm', session, async (request, reply) => {
    await auth.confirm(request, reply, { password: request.body.password ?? '', code: request.body.code ?? '' })
    return 'confirmed'
  })
  app.post<{ Body: { email: string } }>('/forgot', open, async (request) => {
    await auth.links.askForReset(request, request.body.email)
    return 'asked'
  })
  app.get<{ Params: { token: string } }>('/link/:token', open, async (request) =>
    String((await auth.links.look(request.params.token))?.purpose),
  )
  app.post<{ Body: { token: string; password?: string } }>('/link', open, async (request) => {
    const { token, password } = request.body
    await (password === undefined
      ? auth.links.verify(request, token)
      : auth.links.setPassword(request, token, password))
    return 'done'
  })
  app.get('/bootstrap', setup, async (request) => `setup ${auth.bootstrap.isRoot(request)}`)
  app.post<{ Body: { password: string; code?: string } }>('/bootstrap', setup, async (request, reply) => {
    await auth.bootstrap.verifyRoot(request, reply, { code: '', ...request.body })
    return reply.redirect('/bootstrap', 303)
  })
  app.post('/bootstrap/admin', setup, async (request, reply) => {
    await auth.bootstrap.createAdmin(request, reply, request.body)
    return reply.redirect('/', 303)
  })
}
