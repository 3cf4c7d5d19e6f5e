/** Sessions as those see them who manage users. */
import { clientName } from '../../lib/client-name.ts'
import type { Table } from '../../lib/page-model.ts'
import type { Texts } from '../../lib/texts.ts'
import type { Session } from './schema.ts'

export function sessionTable(t: Texts, sessions: readonly Session[]): Table {
  return {
    caption: t.account.sessions,
    columns: [
      { title: t.account.client },
      { title: t.account.address, wide: true },
      { title: t.account.seen },
      { title: t.account.action, hidden: true, number: true },
    ],
    rows: sessions.map(({ id, agent, ip, seenAt, factor }) => [
      { text: clientName(agent), sub: t.factor.shown[factor] ?? factor },
      { code: ip },
      { time: seenAt },
      { text: t.account.end, href: `/do/session.revoke?session=${id}`, label: ip },
    ]),
  }
}
