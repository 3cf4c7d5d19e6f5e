/** All that the watch over drift has found, also what has no page of its own. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Section } from '../../lib/page-model.ts'
import { plainWords } from '../../lib/plain-words.ts'
import { query } from '../../lib/safe-url.ts'
import type { Texts } from '../../lib/texts.ts'
import { Finding } from '../../resources/health/findings.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { driftSections } from './drift-sections.ts'
import type { PageKit } from './page-kit.ts'

const mostShown = 50

export function driftRoutes(app: FastifyInstance, kit: PageKit): void {
  app.get('/drift', { config: { access: 'session' } }, async (request, reply) => {
    const t = kit.textsOf(request)
    const operation = kit.operation('health.findings')
    const { value } = await kit.run(request, operation.name, {})
    const { items } = z.object({ items: z.array(Finding) }).parse(value)
    const found = items.slice(0, mostShown).flatMap(({ resource, changes }): Section[] => {
      const link = linkOf(t, resource)
      return driftSections(t, changes, plainWords(resource)).map((section) => ({ ...section, ...(link && { link }) }))
    })
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

/** What the installer has put in place, only it puts back. */
function linkOf({ drift }: Texts, resource: string): Section['link'] {
  if (resource === 'program') return { title: drift.adopt, href: `/do/health.adopt${query({ resource })}` }
  const isOurs = /^(tenant|domain|web server)\b/.test(resource)
  return isOurs ? { title: drift.repair, href: `/do/health.repair${query({ resource })}` } : undefined
}
