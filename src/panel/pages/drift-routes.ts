/** All that the watch over drift has found, also what has no page of its own. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Section } from '../../lib/page-model.ts'
import { Finding } from '../../resources/health/findings.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { changesView } from './diff-lines.ts'
import type { PageKit } from './page-kit.ts'

const mostShown = 50

export function driftRoutes(app: FastifyInstance, kit: PageKit): void {
  const { t } = kit
  app.get('/drift', { config: { access: 'session' } }, async (request, reply) => {
    const operation = kit.operation('health.findings')
    const { value } = await kit.run(request, operation.name, {})
    const { items } = z.object({ items: z.array(Finding) }).parse(value)
    const found = items
      .slice(0, mostShown)
      .map(({ resource, changes }): Section => ({ title: resource, changes: changesView(changes) }))
    const nothing = { title: t.drift.all, empty: t.drift.nothing }
    return kit.send(request, reply, {
      template: 'detail',
      title: t.drift.all,
      model: {
        head: { title: t.drift.all, lede: t.drift.lede },
        sections: found.length > 0 ? found : [nothing],
        command: { line: toCommandLine(operation, {}), call: apiCallText(apiCall(operation, {})) },
      },
    })
  })
}
