/** The visitor's own certificates: which there are, and how a new one is registered. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { asWcpError, type WcpError } from '../../contract/errors.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import { query } from '../../lib/safe-url.ts'
import { clientCertificate } from '../../resources/client-certificate/kind.ts'
import { ClientCertificate } from '../../resources/client-certificate/schema.ts'
import { tableOf } from '../../resources/kind.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { formText, loneControl } from './lone-form.ts'
import type { PageKit } from './page-kit.ts'
import { problemView } from './problem-view.ts'

const enrolling = { config: { access: 'session', whileEnrolling: true } } as const
const here = '/account/certificates'

export function certificateRoutes(app: FastifyInstance, kit: PageKit): void {
  const { deps } = kit
  const emailOf = ({ session }: FastifyRequest) => session?.actor.email ?? ''

  app.get(here, enrolling, async (request, reply) => {
    const shown = deps.auth.shownCertificate(request)
    return page(request, reply, { name: '', certificate: shown?.toString() ?? '', isShown: shown !== undefined })
  })

  app.post(here, enrolling, async (request, reply) => {
    const given = { name: formText(request.body, 'name'), certificate: formText(request.body, 'certificate') }
    try {
      await kit.run(request, 'client-certificate.create', { user: emailOf(request), ...given })
    } catch (thrown) {
      const error = asWcpError(thrown)
      if (error.code === 'step_up_needed') return reply.redirect(`/confirm${query({ next: here })}`, 303)
      if (error.code === 'internal') throw thrown
      return page(request, reply, { ...given, isShown: false }, error)
    }
    const t = kit.textsOf(request)
    request.session = null // registering has ended every session of the account, this one too
    return kit.send(request, reply, {
      template: 'auth/form',
      title: t.certificates.doneTitle,
      model: {
        title: t.certificates.doneTitle,
        text: t.certificates.doneText,
        fields: [],
        link: { title: t.certificates.signIn, href: `${deps.auth.certificateUrl(request) ?? ''}/login` },
        problem: null,
      },
    })
  })

  async function page(
    request: FastifyRequest,
    reply: FastifyReply,
    given: { name: string; certificate: string; isShown: boolean },
    error?: WcpError,
  ): Promise<FastifyReply> {
    const t = kit.textsOf(request)
    const user = emailOf(request)
    const { value } = await kit.run(request, 'client-certificate.list', { user, limit: 200 })
    const { items } = z.object({ items: z.array(ClientCertificate) }).parse(value)
    const fields = [
      loneControl({ name: 'name', label: t.fields.name ?? '', inputType: 'text', value: given.name }, error),
      loneControl(
        {
          name: 'certificate',
          label: t.certificates.pem,
          inputType: 'text',
          control: 'lines',
          value: given.certificate,
          hint: given.isShown ? t.certificates.shown : t.certificates.pemHint,
        },
        error,
      ),
    ]
    const port = deps.auth.certificateUrl(request)
    const list = kit.operation('client-certificate.list')
    return kit.send(request, reply, {
      template: 'account/certificates',
      title: t.certificates.title,
      status: error?.status ?? 200,
      model: {
        head: {
          title: t.certificates.title,
          lede: request.session?.mustEnrol === 'certificate' ? t.certificates.mustEnrol : t.certificates.lede,
          crumbs: [{ title: t.account.title, href: '/account' }],
        },
        section: {
          title: t.certificates.registered,
          table: tableOf(clientCertificate, t, items),
          empty: t.certificates.none,
        },
        fields: port === null ? [] : fields,
        text: port === null ? t.certificates.noPort : given.isShown ? t.certificates.text : t.certificates.elsewhere,
        link: port === null || given.isShown ? null : { title: t.certificates.open, href: `${port}${here}` },
        problem: error === undefined ? null : problemView(t, error, fields),
        command: { line: toCommandLine(list, {}), call: apiCallText(apiCall(list, {})) },
      },
    })
  }
}
