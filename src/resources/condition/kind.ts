/** Whatever needs the attention of an operator, from when it was raised until it clears. */
import { type Badge, statusBadge } from '../../lib/page-model.ts'
import { plainWords } from '../../lib/plain-words.ts'
import { label } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import { conditions } from './migration.ts'
import * as operations from './operations.ts'
import { Condition } from './schema.ts'
import { conditionStore } from './store.ts'

const words = {
  one: 'condition',
  many: 'Attention',
  lede: 'Whatever needs the attention of an operator, and when it was over.',
  none: 'Nothing needs attention',
  noneText: 'Stalled jobs, failing services, full disks and trouble of the audit trail appear here.',
  severities: { warning: 'warning', critical: 'critical' },
  over: 'over',
}

export const condition = defineKind({
  name: 'condition',
  words,
  path: '/conditions',
  menu: { group: 'activity', icon: 'condition' },
  item: Condition,
  columns: ({ t, words }) => [
    {
      title: label(t, 'title'),
      cell: ({ title, detail, page }) => ({
        text: plainWords(title),
        ...(page !== null && { href: page }),
        ...(detail !== null && { sub: plainWords(detail) }),
      }),
    },
    { title: label(t, 'severity'), cell: (one) => ({ badge: badgeOf(one, words) }) },
    { title: label(t, 'raisedAt'), wide: true, cell: ({ raisedAt }) => ({ time: raisedAt }) },
  ],
  list: { filters: ['severity'] },
  stores: { conditions: conditionStore },
  migrations: [conditions],
  tables: { conditions: { one: 'condition', name: ['title'], shows: ['severity'] } },
  operations,
})

function badgeOf({ severity, clearedAt }: Condition, { severities, over }: typeof words): Badge {
  if (clearedAt !== null) return { ...statusBadge('active'), text: over }
  return { text: severities[severity], tone: severity === 'critical' ? 'bad' : 'busy' }
}
