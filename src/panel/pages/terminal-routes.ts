/** The terminal page: `wcp` and calls of the API in the browser, and the words of a session that `wcp` has not. */
import type { FastifyInstance } from 'fastify'
import { isRecord } from '../../contract/fields.ts'
import { commandSpec, usageLine } from '../../lib/command-spec.ts'
import { apiCallText } from './api-call.ts'
import type { PageKit } from './page-kit.ts'
import { isCall, runCall } from './terminal-call.ts'
import { offered, runLine } from './terminal-run.ts'
import { TerminalHistory } from './terminal-session.ts'

export function terminalRoutes(app: FastifyInstance, kit: PageKit): void {
  const { deps } = kit
  const history = new TerminalHistory()

  app.get<{ Querystring: { line?: string } }>('/terminal', { config: { access: 'session' } }, (request, reply) => {
    const t = kit.textsOf(request)
    const entries = request.session === null ? [] : history.of(request.session.id)
    return kit.send(request, reply, {
      template: 'terminal/terminal',
      title: t.terminal.title,
      model: {
        head: { title: t.terminal.title, lede: t.terminal.lede },
        entries: entries.map((entry) => ({ ...entry, call: entry.call === null ? null : apiCallText(entry.call) })),
        line: request.query.line ?? '',
        commands: [
          ...Object.entries(t.terminal.words).map(([words, summary]) => ({ words, usage: words, summary })),
          ...offered(kit, request).map((operation) => ({
            words: commandSpec(operation).words,
            usage: usageLine(operation),
            summary: operation.summary,
          })),
        ],
      },
    })
  })

  app.post('/terminal', { config: { access: 'session' } }, async (request, reply) => {
    const line = isRecord(request.body) && typeof request.body.line === 'string' ? request.body.line.trim() : ''
    if (request.session === null || line === '') return reply.redirect('/terminal', 303)
    switch (line.replace(/^wcp\s+/, '')) {
      case 'clear':
        history.clear(request.session.id)
        break
      case 'confirm':
        return reply.redirect('/confirm?next=%2Fterminal', 303)
      case 'return':
        await deps.auth.endImpersonation(request, reply)
        deps.flash.put(request, 'good', kit.textsOf(request).acting.ended)
        break
      case 'logout':
        await deps.auth.logout(request, reply)
        return reply.redirect('/login', 303)
      default:
        history.add(request.session.id, await (isCall(line) ? runCall : runLine)(kit, request, line))
    }
    return reply.redirect('/terminal#line', 303)
  })
}
