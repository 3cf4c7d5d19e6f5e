/** The audit trail: a chain in which each entry seals the one before. */
import { isRecord } from '../../contract/fields.ts'
import type { Badge, Cell } from '../../lib/page-model.ts'
import { query } from '../../lib/safe-url.ts'
import { deed, label, type Texts } from '../../lib/texts.ts'
import { defineKind } from '../kind.ts'
import { auditTrouble } from './conditions.ts'
import * as operations from './operations.ts'
import { type AuditEntry, ListedEntry } from './schema.ts'
import { auditStore } from './store.ts'

const tones = { ok: 'good', refused: 'idle', failed: 'bad' } as const

export const audit = defineKind({
  name: 'audit',
  words: {
    one: 'audit',
    many: 'Audit log',
    lede: 'Who did what, in a chain where each entry seals the one before.',
    none: 'No entries',
    noneText: 'Nothing has been recorded yet.',
  },
  path: '/audit',
  menu: { group: 'activity', icon: 'audit' },
  conditions: [auditTrouble],
  item: ListedEntry,
  columns: ({ t }) => [
    { title: label(t, 'action'), cell: ({ action }) => actionCell(t, action) },
    { title: t.audit.outcome, cell: (entry) => ({ badge: outcome(t, entry) }) },
    { title: t.audit.at, cell: ({ at }) => ({ time: at }) },
    {
      title: label(t, 'actor'),
      cell: (entry) => ({
        text: entry.actor,
        sub: [actedAs(t, entry), entry.ip ?? ''].filter((part) => part !== '').join(' · '),
      }),
    },
    { title: t.audit.details, wide: true, cell: ({ metadata }) => ({ text: summary(metadata) }) },
    { title: t.audit.number, number: true, wide: true, cell: ({ sequence }) => ({ text: sequence }) },
  ],
  list: {
    filters: ['action', 'actor', 'since', 'until', 'outcome'],
    actions: ({ t }, given) => [
      { title: t.audit.verify, href: '/audit/verify' },
      { title: t.audit.export, href: `/audit/export${query(given)}` },
    ],
  },
  stores: { audit: (db, { keys, appended }) => auditStore(db, keys.audit, appended) },
  operations,
})

/** With the word that the filter takes; what is no operation has that alone. */
function actionCell(t: Texts, action: string): Cell {
  const isKnown = t.kinds[action.slice(0, action.indexOf('.'))] !== undefined
  return isKnown ? { text: deed(t, action), sub: action } : { text: action }
}

function outcome(t: Texts, entry: AuditEntry): Badge {
  return { text: t.audit.outcomes[entry.outcome], tone: tones[entry.outcome] }
}

/** Whom the actor acted as. */
function actedAs(t: Texts, { metadata }: AuditEntry): string {
  return typeof metadata.as === 'string' ? `${t.audit.as} ${metadata.as}` : ''
}

/** `name: blog, package: starter`: what was asked for and why it was refused, without the ids that came of it. */
function summary({ input, ...rest }: Readonly<Record<string, unknown>>): string {
  const { id: _, jobs: __, as: ___, ...told } = rest
  const text = Object.entries({ ...(isRecord(input) ? input : {}), ...told })
    .filter(([, value]) => !Array.isArray(value) || value.length > 0)
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
  return text.length > 140 ? `${text.slice(0, 139)}…` : text
}
