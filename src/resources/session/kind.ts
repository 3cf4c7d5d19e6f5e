/** Browsers in which somebody is signed in, as those see them who manage users. */
import { clientName } from '../../lib/client-name.ts'
import { defineKind } from '../kind.ts'
import * as operations from './operations.ts'
import { Session } from './schema.ts'
import { sessionStore } from './store.ts'

export const session = defineKind({
  name: 'session',
  words: { one: 'session', many: 'Sessions' },
  path: '/account',
  item: Session,
  columns: ({ t }) => [
    {
      title: t.account.client,
      cell: ({ agent, factor }) => ({ text: clientName(agent), sub: t.factor.shown[factor] ?? factor }),
    },
    { title: t.account.address, wide: true, cell: ({ ip }) => ({ code: ip }) },
    { title: t.account.seen, cell: ({ seenAt }) => ({ time: seenAt }) },
    {
      title: t.account.action,
      hidden: true,
      number: true,
      cell: ({ id, ip }) => ({ text: t.account.end, href: `/do/session.revoke?session=${id}`, label: ip }),
    },
  ],
  stores: { sessions: sessionStore },
  operations,
})
