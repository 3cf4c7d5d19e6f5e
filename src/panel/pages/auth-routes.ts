/** Signing in and out, and the once-only setup. The checks themselves are `deps.auth`'s. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import { isRecord } from '../../lib/fields.ts'
import { toWcpError } from '../http/problem.ts'
import type { Control } from './form-fields.ts'
import { problemView } from './problem-view.ts'
import { path } from './safe-url.ts'
import type { Site } from './site.ts'

export function authRoutes(app: FastifyInstance, site: Site): void {
  const { t, deps } = site
  const { auth } = deps

  const loginPage = (request: FastifyRequest, reply: FastifyReply, email: string, next: string, error?: WcpError) => {
    const fields = [
      control({ name: 'email', label: t.auth.email, inputType: 'email', autocomplete: 'username', value: email }),
      control({ name: 'password', label: t.auth.password, inputType: 'password', autocomplete: 'current-password' }),
    ]
    return site.send(request, reply, {
      template: 'auth/login',
      title: t.auth.signIn,
      status: error?.status ?? 200,
      model: { next, fields, problem: error && problemView(t, error, fields) },
    })
  }

  app.get<{ Querystring: { next?: string } }>('/login', { config: { access: 'public' } }, async (request, reply) => {
    if (request.session !== null) return reply.redirect('/', 303)
    const state = await auth.bootstrap.state()
    if (state === 'open') return reply.redirect('/bootstrap', 303)
    if (state !== 'closed') return closedPage(site, request, reply, state)
    return loginPage(request, reply, '', auth.safeNext(request.query.next))
  })

  app.post('/login', { config: { access: 'public' } }, async (request, reply) => {
    const email = text(request.body, 'email')
    const next = auth.safeNext(text(request.body, 'next'))
    try {
      await auth.login(request, reply, { email, password: text(request.body, 'password') })
    } catch (error) {
      return loginPage(request, reply, email, next, onTheForm(error))
    }
    return reply.redirect(next, 303)
  })

  app.post('/impersonation/end', { config: { access: 'session' } }, async (request, reply) => {
    const user = request.session?.actor.id ?? ''
    await auth.endImpersonation(request, reply)
    deps.flash.put(request, 'good', t.acting.ended)
    return reply.redirect(path`/users/${user}`, 303)
  })

  app.post('/logout', { config: { access: 'session' } }, async (request, reply) => {
    await auth.logout(request, reply)
    return reply.redirect('/login', 303)
  })

  const rootPage = (request: FastifyRequest, reply: FastifyReply, error?: WcpError) => {
    const fields = [
      control({ name: 'password', label: t.auth.rootPassword, inputType: 'password', autocomplete: 'off' }),
    ]
    return site.send(request, reply, {
      template: 'auth/bootstrap',
      title: t.auth.setup,
      status: error?.status ?? 200,
      model: {
        step: 1,
        title: t.auth.setup,
        text: t.auth.rootText,
        action: '/bootstrap',
        submit: t.auth.goOn,
        fields,
        problem: error && problemView(t, error, fields),
      },
    })
  }

  const adminPage = (request: FastifyRequest, reply: FastifyReply, email: string, error?: WcpError) => {
    const refusal = (name: string) => error?.fields.find(({ field }) => field === name)?.problem
    const fields = [
      control(
        { name: 'email', label: t.auth.email, inputType: 'email', autocomplete: 'username', value: email },
        refusal,
      ),
      control(
        {
          name: 'password',
          label: t.auth.password,
          inputType: 'password',
          autocomplete: 'new-password',
          hint: t.auth.passwordHint,
        },
        refusal,
      ),
      control({ name: 'repeat', label: t.auth.repeat, inputType: 'password', autocomplete: 'new-password' }, refusal),
    ]
    return site.send(request, reply, {
      template: 'auth/bootstrap',
      title: t.auth.adminTitle,
      status: error?.status ?? 200,
      model: {
        step: 2,
        title: t.auth.adminTitle,
        text: t.auth.adminText,
        action: '/bootstrap/admin',
        submit: t.auth.create,
        fields,
        problem: error && problemView(t, error, fields),
      },
    })
  }

  app.get('/bootstrap', { config: { access: 'bootstrap' } }, (request, reply) =>
    auth.bootstrap.isRoot(request) ? adminPage(request, reply, '') : rootPage(request, reply),
  )

  app.post('/bootstrap', { config: { access: 'bootstrap' } }, async (request, reply) => {
    try {
      await auth.bootstrap.verifyRoot(request, reply, text(request.body, 'password'))
    } catch (error) {
      return rootPage(request, reply, onTheForm(error))
    }
    return reply.redirect('/bootstrap', 303)
  })

  app.post('/bootstrap/admin', { config: { access: 'bootstrap' } }, async (request, reply) => {
    if (!auth.bootstrap.isRoot(request)) return reply.redirect('/bootstrap', 303)
    const email = text(request.body, 'email')
    const password = text(request.body, 'password')
    try {
      if (password !== text(request.body, 'repeat')) throw differs(site)
      await auth.bootstrap.createAdmin(request, reply, { email, password })
    } catch (error) {
      return adminPage(request, reply, email, onTheForm(error))
    }
    return reply.redirect('/', 303)
  })
}

/** What a person can do something about; anything else is logged and becomes the page of an error. */
function onTheForm(error: unknown): WcpError {
  const shown = toWcpError(error instanceof Error ? error : new Error(String(error)))
  if (shown.code === 'internal') throw error
  return shown
}

/** Setup is neither open nor done: nobody can sign in now. */
function closedPage(site: Site, request: FastifyRequest, reply: FastifyReply, state: 'lost' | 'unknown'): FastifyReply {
  const { t } = site
  const isLost = state === 'lost'
  const title = isLost ? t.auth.closedTitle : t.auth.unknownTitle
  const model = {
    title,
    text: isLost ? t.auth.closedText : t.auth.unknownText,
    line: isLost ? 'wcp emergency' : null,
    again: isLost ? null : '/login',
  }
  return site.send(request, reply, { template: 'auth/closed', title, status: 503, model })
}

function differs({ t }: Site): WcpError {
  return new WcpError('bad_input', 'Cannot create the administrator', {
    fields: [{ field: 'repeat', problem: t.auth.different }],
  })
}

function control(
  given: Pick<Control, 'name' | 'label' | 'inputType'> & Partial<Control>,
  refusal: (name: string) => string | undefined = () => undefined,
): Control {
  const error = refusal(given.name)
  return {
    id: `f-${given.name}`,
    control: 'input',
    choices: [],
    value: '',
    required: true,
    saysOptional: false,
    short: false,
    secret: given.inputType === 'password',
    ...given,
    ...(error !== undefined && { error }),
  }
}

function text(body: unknown, name: string): string {
  const value = isRecord(body) ? body[name] : undefined
  return typeof value === 'string' ? value : ''
}
