/** The second step of a sign-in, and the question whether it is still the same person. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { WcpError } from '../../contract/errors.ts'
import { query } from '../../lib/safe-url.ts'
import type { Texts } from '../../lib/texts.ts'
import type { OwedFactor } from '../http/types.ts'
import { formText, loneControl, onTheForm } from './lone-form.ts'
import type { PageKit } from './page-kit.ts'
import { problemView } from './problem-view.ts'

export function proofRoutes(app: FastifyInstance, kit: PageKit): void {
  const { deps } = kit
  const { auth } = deps

  const codePage = (request: FastifyRequest, reply: FastifyReply, next: string, owed: OwedFactor, error?: WcpError) => {
    const t = kit.textsOf(request)
    const codeField = loneControl({
      name: 'code',
      label: t.factor.codeOrRecovery,
      inputType: 'text',
      autocomplete: 'one-time-code',
    })
    const port = auth.certificateUrl(request)
    const isElsewhere = owed.certificate === 'registered' && port !== null
    const fields = owed.app && owed.certificate !== 'shown' ? [codeField] : []
    const title = fields.length > 0 ? t.factor.codeTitle : t.certificates.useTitle
    return kit.send(request, reply, {
      template: 'auth/form',
      title,
      status: error?.status ?? 200,
      model: {
        title,
        text: codeText(t, owed, port !== null),
        action: '/login/code',
        submit: t.auth.signIn,
        hidden: [{ name: 'next', value: next }],
        fields,
        isButton: owed.certificate === 'shown',
        link: isElsewhere
          ? { title: t.certificates.signIn, href: `${port}/login/code${query({ next })}` }
          : { title: t.factor.startAgain, href: '/login' },
        problem: error && problemView(t, error, fields),
      },
    })
  }

  function codeText(t: Texts, { app, certificate }: OwedFactor, hasPort: boolean): string {
    if (certificate === 'shown') return t.certificates.shownText
    if (app) return t.factor.codeText
    return hasPort ? t.certificates.useText : t.certificates.gone
  }

  app.get<{ Querystring: { next?: string } }>(
    '/login/code',
    { config: { access: 'public' } },
    async (request, reply) => {
      const owed = await auth.owesSecondFactor(request)
      if (owed === null) return reply.redirect('/login', 303)
      return codePage(request, reply, auth.safeNext(request.query.next), owed)
    },
  )

  app.post('/login/code', { config: { access: 'public', isSignIn: true } }, async (request, reply) => {
    const next = auth.safeNext(formText(request.body, 'next'))
    try {
      await auth.secondFactor(request, reply, formText(request.body, 'code'))
    } catch (thrown) {
      const owed = await auth.owesSecondFactor(request)
      return codePage(request, reply, next, owed ?? { app: true, certificate: 'none' }, onTheForm(thrown))
    }
    return reply.redirect(next, 303)
  })

  const confirmPage = (request: FastifyRequest, reply: FastifyReply, next: string, error?: WcpError) => {
    const t = kit.textsOf(request)
    const fields = [
      loneControl({
        name: 'password',
        label: t.auth.password,
        inputType: 'password',
        autocomplete: 'current-password',
        required: false,
      }),
      loneControl({
        name: 'code',
        label: t.factor.orCode,
        inputType: 'text',
        autocomplete: 'one-time-code',
        required: false,
      }),
    ]
    return kit.send(request, reply, {
      template: 'auth/form',
      title: t.factor.confirmTitle,
      status: error?.status ?? 200,
      model: {
        title: t.factor.confirmTitle,
        text: t.factor.confirmText,
        action: '/confirm',
        submit: t.factor.confirm,
        hidden: [{ name: 'next', value: next }],
        fields,
        link: null,
        problem: error && problemView(t, error, fields),
      },
    })
  }

  const config = { access: 'session', whileEnrolling: true } as const

  app.get<{ Querystring: { next?: string } }>('/confirm', { config }, async (request, reply) =>
    confirmPage(request, reply, auth.safeNext(request.query.next)),
  )

  app.post('/confirm', { config }, async (request, reply) => {
    const next = auth.safeNext(formText(request.body, 'next'))
    const proof = { password: formText(request.body, 'password'), code: formText(request.body, 'code').trim() }
    try {
      await auth.confirm(request, reply, proof)
    } catch (thrown) {
      return confirmPage(request, reply, next, onTheForm(thrown))
    }
    return reply.redirect(next, 303)
  })
}
