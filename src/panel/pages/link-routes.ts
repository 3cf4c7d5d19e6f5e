/** The forgotten password, and what people do with a link from a mail. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import type { Texts } from '../../lib/texts.ts'
import { formText, loneControl, onTheForm } from './lone-form.ts'
import type { PageKit } from './page-kit.ts'
import { problemView } from './problem-view.ts'

const open = { config: { access: 'public' } } as const
const secret = { config: { access: 'public', isSignIn: true } } as const

export function linkRoutes(app: FastifyInstance, kit: PageKit): void {
  const { deps } = kit
  const { links } = deps.auth

  const forgotPage = (request: FastifyRequest, reply: FastifyReply, email: string, error?: WcpError) => {
    const t = kit.textsOf(request)
    const fields = deps.auth.canMail
      ? [
          loneControl({
            name: 'email',
            label: t.auth.email,
            inputType: 'email',
            autocomplete: 'username',
            value: email,
          }),
        ]
      : []
    return page(request, reply, {
      title: t.links.forgotTitle,
      text: deps.auth.canMail ? t.links.forgotText : t.links.noMail,
      action: '/forgot',
      submit: t.links.send,
      fields,
      error,
    })
  }

  app.get('/forgot', open, async (request, reply) => forgotPage(request, reply, ''))

  app.post('/forgot', secret, async (request, reply) => {
    const t = kit.textsOf(request)
    const email = formText(request.body, 'email')
    try {
      await links.askForReset(request, email)
    } catch (thrown) {
      return forgotPage(request, reply, email, onTheForm(thrown))
    }
    return page(request, reply, { title: t.links.sentTitle, text: t.links.sentText, fields: [] })
  })

  const linkPage = async (request: FastifyRequest, reply: FastifyReply, token: string, error?: WcpError) => {
    const t = kit.textsOf(request)
    const link = await links.look(token)
    if (link === undefined)
      return page(request, reply, { title: t.links.overTitle, text: t.links.overText, fields: [], status: 404 })
    const hidden = [{ name: 'token', value: token }]
    if (link.purpose === 'verification') {
      const field = loneControl({ name: 'email', label: t.auth.email, inputType: 'email', value: link.email ?? '' })
      const words = { title: t.links.verifyTitle, text: t.links.verifyText, submit: t.factor.confirm }
      return page(request, reply, { ...words, action: '/link', hidden, fields: [field], error })
    }
    const fields = ['password', 'repeat'].map((name) =>
      loneControl(
        {
          name,
          label: name === 'repeat' ? t.auth.repeat : t.auth.password,
          inputType: 'password',
          autocomplete: 'new-password',
          ...(name === 'password' && { hint: t.auth.passwordHint }),
        },
        error,
      ),
    )
    const words = { title: t.links.passwordTitle, text: t.links.passwordText, submit: t.links.setPassword }
    return page(request, reply, { ...words, action: '/link', hidden, fields, error })
  }

  app.get<{ Params: { token: string } }>('/link/:token', open, async (request, reply) =>
    linkPage(request, reply, request.params.token),
  )

  app.post('/link', secret, async (request, reply) => {
    const t = kit.textsOf(request)
    const token = formText(request.body, 'token')
    try {
      if ((await links.look(token))?.purpose === 'verification') await links.verify(request, token)
      else {
        const password = formText(request.body, 'password')
        if (password !== formText(request.body, 'repeat')) throw differs(t)
        await links.setPassword(request, token, password)
      }
    } catch (thrown) {
      return await linkPage(request, reply, token, onTheForm(thrown))
    }
    return page(request, reply, { title: t.links.doneTitle, text: t.links.doneText, fields: [] })
  })

  function page(
    request: FastifyRequest,
    reply: FastifyReply,
    given: {
      title: string
      text: string
      fields: readonly ReturnType<typeof loneControl>[]
      action?: string
      submit?: string
      hidden?: readonly { name: string; value: string }[]
      error?: WcpError | undefined
      status?: number
    },
  ): FastifyReply {
    const t = kit.textsOf(request)
    const { error, title, status = error?.status ?? 200 } = given
    return kit.send(request, reply, {
      template: 'auth/form',
      title,
      status,
      model: {
        hidden: [],
        action: '',
        submit: '',
        ...given,
        link: { title: t.auth.signIn, href: '/login' },
        problem: error && problemView(t, error, given.fields),
      },
    })
  }
}

function differs(t: Texts): WcpError {
  return new WcpError('bad_input', 'Cannot set the password', {
    fields: [{ field: 'repeat', problem: t.auth.different }],
  })
}
