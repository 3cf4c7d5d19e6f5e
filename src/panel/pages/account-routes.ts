/** The visitor's own account: who they are, where they are signed in, and what they show beside the password. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { asWcpError, type WcpError } from '../../contract/errors.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Section } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import type { Texts } from '../../lib/texts.ts'
import { clientCertificate } from '../../resources/client-certificate/kind.ts'
import { ClientCertificate } from '../../resources/client-certificate/schema.ts'
import { displaySection } from '../../resources/display/kind.ts'
import { AccountDisplay } from '../../resources/display/schema.ts'
import { tableOf } from '../../resources/kind.ts'
import { factorFacts } from '../../resources/totp/kind.ts'
import { RecoveryCodes, TotpSecret, TotpState } from '../../resources/totp/schema.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { formText, loneControl } from './lone-form.ts'
import type { PageKit } from './page-kit.ts'
import { problemView } from './problem-view.ts'
import { qrCode } from './qr-code.ts'
import { sessionRows } from './session-rows.ts'

const enrolling = { config: { access: 'session', whileEnrolling: true } } as const
const factorPath = '/account/second-factor'
const certificatePath = '/account/certificates'

export function accountRoutes(app: FastifyInstance, kit: PageKit): void {
  const { deps } = kit
  const emailOf = ({ session }: FastifyRequest) => session?.actor.email ?? ''
  const stateOf = async (request: FastifyRequest) =>
    TotpState.parse((await kit.run(request, 'totp.get', { user: emailOf(request) })).value)

  app.get('/account', { config: { access: 'session' } }, async (request, reply) => {
    const t = kit.textsOf(request)
    const email = emailOf(request)
    const factor: Section = {
      title: t.factor.title,
      link: { title: t.factor.open, href: factorPath },
      facts: factorFacts(t, await stateOf(request)),
    }
    const display = displaySection(
      t,
      AccountDisplay.parse((await kit.run(request, 'display.get', { user: email })).value),
    )
    const change = `/do/user.update${query({ user: email, _back: '/account' })}`
    const list = kit.operation('session.list')
    const certificates = await certificatesOf(kit, request, email)
    return kit.send(request, reply, {
      template: 'account/account',
      title: t.account.title,
      model: {
        head: {
          title: t.account.title,
          lede: `${t.account.signedInAs} ${email}`,
          actions: [
            ...(kit.may(request, 'user.update') ? [{ title: t.account.changePassword, href: change }] : []),
            ...(certificates.length === 0 ? [{ title: t.certificates.add, href: certificatePath }] : []),
            ...(deps.auth.canMail && kit.may(request, 'user.change-email')
              ? [
                  {
                    title: t.account.changeEmail,
                    href: `/do/user.change-email${query({ user: email, _back: '/account' })}`,
                  },
                ]
              : []),
          ],
        },
        factor,
        display,
        certificates: certificates.length > 0 ? certificateSection(t, certificates) : null,
        sessions: await sessionRows(kit, request, email),
        endAll: `/do/session.revoke-all${query({ user: email, _back: '/account' })}`,
        here: '/account',
        command: { line: toCommandLine(list, {}), call: apiCallText(apiCall(list, {})) },
      },
    })
  })

  app.get(factorPath, enrolling, async (request, reply) => factorPage(request, reply, {}))

  app.post(factorPath, enrolling, async (request, reply) => {
    try {
      const { value } = await kit.run(request, 'totp.create', { user: emailOf(request) })
      const { secret, uri } = TotpSecret.parse(value)
      return factorPage(request, reply, { secret, qr: qrCode(uri), isAsking: true })
    } catch (thrown) {
      const error = asWcpError(thrown)
      if (error.code === 'step_up_needed') return reply.redirect(`/confirm${query({ next: factorPath })}`, 303)
      if (error.code === 'internal') throw thrown
      return factorPage(request, reply, {}, error)
    }
  })

  app.post(`${factorPath}/confirm`, enrolling, async (request, reply) => {
    const input = { user: emailOf(request), code: formText(request.body, 'code') }
    try {
      const { recoveryCodes } = RecoveryCodes.parse((await kit.run(request, 'totp.confirm', input)).value)
      return factorPage(request, reply, { codes: recoveryCodes, next: '/login' })
    } catch (thrown) {
      const error = asWcpError(thrown)
      if (error.code === 'internal') throw thrown
      return factorPage(request, reply, { isAsking: true }, error)
    }
  })

  async function factorPage(
    request: FastifyRequest,
    reply: FastifyReply,
    shown: Readonly<Record<string, unknown>>,
    error?: WcpError,
  ): Promise<FastifyReply> {
    const t = kit.textsOf(request)
    const user = emailOf(request)
    const state = 'codes' in shown ? null : await stateOf(request)
    const isOn = state?.state === 'on'
    const field = loneControl(
      { name: 'code', label: t.factor.code, inputType: 'text', inputMode: 'numeric', autocomplete: 'one-time-code' },
      error,
    )
    const action = (title: string, operation: string, danger = false) => ({
      title,
      href: `/do/${operation}${query({ user, _back: factorPath })}`,
      danger,
    })
    return kit.send(request, reply, {
      template: 'account/second-factor',
      title: t.factor.title,
      status: error?.status ?? 200,
      model: {
        head: {
          title: t.factor.title,
          lede: request.session?.mustEnrol ? t.factor.mustEnrol : t.factor.lede,
          crumbs: [{ title: t.account.title, href: '/account' }],
          actions: isOn
            ? [action(t.factor.newCodes, 'totp.renew-codes'), action(t.factor.remove, 'totp.delete', true)]
            : [],
        },
        isOn,
        facts: state === null ? [] : factorFacts(t, state),
        field,
        problem: error === undefined ? null : problemView(t, error, [field]),
        ...shown,
      },
    })
  }
}

const CertificatePage = z.object({ items: z.array(ClientCertificate) })

async function certificatesOf(kit: PageKit, request: FastifyRequest, user: string): Promise<ClientCertificate[]> {
  return CertificatePage.parse((await kit.run(request, 'client-certificate.list', { user, limit: 200 })).value).items
}

function certificateSection(t: Texts, items: readonly ClientCertificate[]): Section {
  return {
    title: t.certificates.title,
    link: { title: t.certificates.manage, href: certificatePath },
    table: tableOf(clientCertificate, t, items),
  }
}
