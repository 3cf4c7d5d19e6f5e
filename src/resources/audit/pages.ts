/** The audit trail as people see it. */
import { isRecord } from '../../lib/fields.ts'
import type { Badge, Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { AuditEntry } from './schema.ts'

const tones = { ok: 'good', refused: 'idle', failed: 'bad' } as const

export function auditTable(t: Texts, entries: readonly AuditEntry[]): Table {
  return {
    caption: t.audit.title,
    columns: [
      { title: label(t, 'action') },
      { title: t.audit.outcome },
      { title: t.audit.at },
      { title: label(t, 'actor') },
      { title: t.audit.details, wide: true },
      { title: t.audit.number, number: true, wide: true },
    ],
    rows: entries.map((entry) => [
      { text: entry.action },
      { badge: outcome(t, entry) },
      { time: entry.at },
      { text: entry.actor, sub: [actedAs(t, entry), entry.ip ?? ''].filter((part) => part !== '').join(' · ') },
      { text: summary(entry.metadata) },
      { text: entry.sequence },
    ]),
  }
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
