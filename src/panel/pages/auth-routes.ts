/** Signing in and out, and the once-only setup. The checks themselves are `deps.auth`'s. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import { path, query } from '../../lib/safe-url.ts'
import type { Texts } from '../../lib/texts.ts'
import { formText, loneControl, onTheForm } from './lone-form.ts'
import type { PageKit } from './page-kit.ts'
import { problemView } from './problem-view.ts'

export function authRoutes(app: FastifyInstance, kit: PageKit): void {
  const { deps } = kit
  const { auth } = deps

  const loginPage = (request: FastifyRequest, reply: FastifyReply, email: string, next: string, error?: WcpError) => {
    const t = kit.textsOf(request)
    const fields = [
      loneControl({ name: 'email', label: t.auth.email, inputType: 'email', autocomplete: 'username', value: email }),
      loneControl({
        name: 'password',
        label: t.auth.password,
        inputType: 'password',
        autocomplete: 'current-password',
      }),
    ]
    return kit.send(request, reply, {
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
    if (state !== 'closed') return closedPage(kit, request, reply, state)
    return loginPage(request, reply, '', auth.safeNext(request.query.next))
  })

  app.post('/login', { config: { access: 'public', isSignIn: true } }, async (request, reply) => {
    const email = formText(request.body, 'email')
    const next = auth.safeNext(formText(request.body, 'next'))
    try {
      const state = await auth.login(request, reply, { email, password: formText(request.body, 'password') })
      return reply.redirect(state === 'signed in' ? next : `/login/code${query({ next })}`, 303)
    } catch (error) {
      return loginPage(request, reply, email, next, onTheForm(error))
    }
  })

  app.post('/impersonation/end', { config: { access: 'session', whileEnrolling: true } }, async (request, reply) => {
    const user = request.session?.actor.id ?? ''
    await auth.endImpersonation(request, reply)
    deps.flash.put(request, 'good', kit.textsOf(request).acting.ended)
    return reply.redirect(path`/users/${user}`, 303)
  })

  app.post('/logout', { config: { access: 'session', whileEnrolling: true } }, async (request, reply) => {
    await auth.logout(request, reply)
    return reply.redirect('/login', 303)
  })

  const rootPage = (request: FastifyRequest, reply: FastifyReply, code: string, error?: WcpError) => {
    const t = kit.textsOf(request)
    if (code === '') return kit.send(request, reply, addressPage(t))
    const fields = [
      loneControl({ name: 'password', label: t.auth.rootPassword, inputType: 'password', autocomplete: 'off' }),
    ]
    return kit.send(request, reply, {
      template: 'auth/bootstrap',
      title: t.auth.setup,
      status: error?.status ?? 200,
      model: {
        step: 1,
        title: t.auth.setup,
        text: t.auth.rootText,
        action: '/bootstrap',
        code,
        submit: t.auth.goOn,
        fields,
        problem: error && problemView(t, error, fields),
      },
    })
  }

  const adminPage = (request: FastifyRequest, reply: FastifyReply, email: string, error?: WcpError) => {
    const t = kit.textsOf(request)
    const fields = [
      loneControl(
        { name: 'email', label: t.auth.email, inputType: 'email', autocomplete: 'username', value: email },
        error,
      ),
      loneControl(
        {
          name: 'password',
          label: t.auth.password,
          inputType: 'password',
          autocomplete: 'new-password',
          hint: t.auth.passwordHint,
        },
        error,
      ),
      loneControl({ name: 'repeat', label: t.auth.repeat, inputType: 'password', autocomplete: 'new-password' }, error),
    ]
    return kit.send(request, reply, {
      template: 'auth/bootstrap',
      title: t.auth.adminTitle,
      status: error?.status ?? 200,
      model: {
        step: 2,
        title: t.auth.adminTitle,
        text: t.auth.adminText,
        action: '/bootstrap/admin',
        code: null,
        submit: t.auth.create,
        fields,
        problem: error && problemView(t, error, fields),
      },
    })
  }

  const setupPage = (request: FastifyRequest, reply: FastifyReply, code: string) =>
    auth.bootstrap.isRoot(request) ? adminPage(request, reply, '') : rootPage(request, reply, code)

  app.get('/bootstrap', { config: { access: 'bootstrap' } }, (request, reply) => setupPage(request, reply, ''))

  // The address of a refused form, opened again: no code.
  app.get('/bootstrap/admin', { config: { access: 'bootstrap' } }, (_, reply) => reply.redirect('/bootstrap', 303))

  // Not in the query: lynx tells no form where it comes from when that address has one.
  app.get<{ Params: { code: string } }>('/bootstrap/:code', { config: { access: 'bootstrap' } }, (request, reply) =>
    setupPage(request, reply, request.params.code),
  )

  app.post('/bootstrap', { config: { access: 'bootstrap', isSignIn: true } }, async (request, reply) => {
    const code = formText(request.body, 'code')
    try {
      await auth.bootstrap.verifyRoot(request, reply, { password: formText(request.body, 'password'), code })
    } catch (error) {
      return rootPage(request, reply, code, onTheForm(error))
    }
    return reply.redirect('/bootstrap', 303)
  })

  app.post('/bootstrap/admin', { config: { access: 'bootstrap' } }, async (request, reply) => {
    if (!auth.bootstrap.isRoot(request)) return reply.redirect('/bootstrap', 303)
    const email = formText(request.body, 'email')
    const password = formText(request.body, 'password')
    try {
      if (password !== formText(request.body, 'repeat')) throw differs(kit.textsOf(request))
      await auth.bootstrap.createAdmin(request, reply, { email, password })
    } catch (error) {
      return adminPage(request, reply, email, onTheForm(error))
    }
    return reply.redirect('/', 303)
  })
}

/** Without the code of the address nobody is asked for root's password. */
function addressPage(t: Texts) {
  const { addressTitle: title, addressText: text } = t.auth
  return {
    template: 'auth/closed',
    title,
    status: 200,
    model: { title, text, line: 'wcp setup open', again: null },
  } as const
}

/** Setup is neither open nor done: nobody can sign in now. */
function closedPage(
  kit: PageKit,
  request: FastifyRequest,
  reply: FastifyReply,
  state: 'lost' | 'unknown',
): FastifyReply {
  const t = kit.textsOf(request)
  const isLost = state === 'lost'
  const title = isLost ? t.auth.closedTitle : t.auth.unknownTitle
  const model = {
    title,
    text: isLost ? t.auth.closedText : t.auth.unknownText,
    line: isLost ? 'wcp emergency' : null,
    again: isLost ? null : '/login',
  }
  return kit.send(request, reply, { template: 'auth/closed', title, status: 503, model })
}

function differs(t: Texts): WcpError {
  return new WcpError('bad_input', 'Cannot create the administrator', {
    fields: [{ field: 'repeat', problem: t.auth.different }],
  })
}
