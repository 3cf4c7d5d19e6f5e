/** The visitor's own account: who they are, where they are signed in. */
import type { FastifyInstance } from 'fastify'
import { Id } from '../../contract/values.ts'
import { path, query } from './safe-url.ts'
import type { Site } from './site.ts'

export function accountRoutes(app: FastifyInstance, site: Site): void {
  const { t, deps } = site

  app.get('/account', { config: { access: 'session' } }, async (request, reply) => {
    const sessions = await deps.auth.sessions(request)
    const user = request.session?.actor
    const change = `/do/user.update${query({ user: user?.email ?? '', _back: '/account' })}`
    return site.send(request, reply, {
      template: 'account/account',
      title: t.account.title,
      model: {
        head: {
          title: t.account.title,
          lede: `${t.account.signedInAs} ${user?.email ?? ''}`,
          actions: site.may(request, 'user.update') ? [{ title: t.account.changePassword, href: change }] : [],
        },
        sessions: sessions.map((session) => ({
          ...session,
          agent: clientName(session.agent),
          action: path`/account/sessions/${session.id}/end`,
        })),
      },
    })
  })

  app.post<{ Params: { id: string } }>(
    '/account/sessions/:id/end',
    { config: { access: 'session' } },
    async (request, reply) => {
      await deps.auth.revoke(request, Id.parse(request.params.id))
      deps.flash.put(request, 'good', t.account.ended)
      return reply.redirect('/account', 303)
    },
  )
}

/** What names itself after others comes before them: Edge says it is Chrome, Chrome that it is Safari. */
const browsers = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
  ['Lynx/', 'Lynx'],
  ['w3m/', 'w3m'],
] as const

/** `Firefox on Linux` where that can be told, else what the browser said of itself. */
function clientName(agent: string): string {
  const browser = browsers.find(([mark]) => agent.includes(mark))?.[1]
  const system = /\b(Windows|Android|iPhone|iPad|Mac OS X|CrOS|Linux)\b/.exec(agent)?.[1]
  if (browser === undefined) return agent
  return system === undefined ? browser : `${browser} on ${system.replace('Mac OS X', 'macOS')}`
}
