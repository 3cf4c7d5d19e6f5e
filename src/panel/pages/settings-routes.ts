/** Settings with what each does, and the seal of the audit trail. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { isRecord } from '../../contract/fields.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import { plainWords } from '../../lib/plain-words.ts'
import { query } from '../../lib/safe-url.ts'
import { AuditVerdict } from '../../resources/audit/schema.ts'
import { policySection } from '../../resources/policy/kind.ts'
import { Policy } from '../../resources/policy/schema.ts'
import { Setting } from '../../resources/settings/schema.ts'
import { apiCall, apiCallText } from './api-call.ts'
import type { PageKit } from './page-kit.ts'

export function settingsRoutes(app: FastifyInstance, kit: PageKit): void {
  app.get('/settings', { config: { access: 'session' } }, async (request, reply) => {
    const t = kit.textsOf(request)
    const { value } = await kit.run(request, 'settings.list', {})
    const { items } = z.object({ items: z.array(Setting) }).parse(value)
    const operation = kit.operation('settings.list')
    const mayChange = kit.may(request, 'settings.update')
    return kit.send(request, reply, {
      template: 'list',
      title: t.kinds.settings?.many ?? '',
      model: {
        head: { title: t.kinds.settings?.many ?? '', lede: t.kinds.settings?.lede },
        problem: null,
        filter: null,
        pager: null,
        empty: { title: t.kinds.settings?.none, text: t.kinds.settings?.noneText },
        table: {
          caption: t.kinds.settings?.many ?? '',
          columns: [
            { title: t.fields.setting },
            { title: t.fields.value },
            { title: t.settings.change, hidden: true, number: true },
          ],
          rows: items.map((setting) => [
            { text: setting.key, sub: plainWords(setting.description) },
            {
              code: setting.value === null ? t.settings.automatic : String(setting.value),
              ...(setting.isDefault && { sub: t.settings.isDefault }),
            },
            mayChange
              ? {
                  text: t.settings.change,
                  href: `/do/settings.update${query({ key: setting.key })}`,
                  label: setting.key,
                }
              : { text: '' },
          ]),
        },
        after: kit.may(request, 'policy.list')
          ? [policySection(t, await policies(request), kit.may(request, 'policy.update'))]
          : [],
        command: { line: toCommandLine(operation, {}), call: apiCallText(apiCall(operation, {})) },
      },
    })
  })

  app.get<{ Querystring: unknown }>('/audit/export', { config: { access: 'session' } }, async (request, reply) => {
    if (!kit.deps.isFresh(request)) return reply.redirect(`/confirm${query({ next: request.url })}`, 303)
    const asked = isRecord(request.query) ? request.query : {}
    const { value } = await kit.run(request, 'audit.export', { format: 'csv', limit: 5000, ...asked })
    const { text } = z.object({ text: z.string() }).parse(value)
    const isCsv = asked.format !== 'jsonl'
    return reply
      .type(isCsv ? 'text/csv; charset=utf-8' : 'application/jsonl; charset=utf-8')
      .header('content-disposition', `attachment; filename="audit.${isCsv ? 'csv' : 'jsonl'}"`)
      .send(text)
  })

  async function policies(request: FastifyRequest): Promise<readonly Policy[]> {
    return z.object({ items: z.array(Policy) }).parse((await kit.run(request, 'policy.list', {})).value).items
  }

  app.get('/audit/verify', { config: { access: 'session' } }, async (request, reply) => {
    const t = kit.textsOf(request)
    const operation = kit.operation('audit.verify')
    const verdict = AuditVerdict.parse((await kit.run(request, 'audit.verify', {})).value)
    return kit.send(request, reply, {
      template: 'audit/verify',
      title: t.audit.verify,
      model: {
        head: { title: t.audit.verify, crumbs: [{ title: t.kinds.audit?.many ?? '', href: '/audit' }] },
        verdict,
        command: { line: toCommandLine(operation, {}), call: apiCallText(apiCall(operation, {})) },
      },
    })
  })
}
