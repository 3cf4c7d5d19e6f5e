/** API keys as people see them. */
import { type Section, statusBadge, type Table } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { ApiKey } from './schema.ts'

export function apiKeyTable(t: Texts, keys: readonly ApiKey[]): Table {
  return {
    caption: t.apiKeys.title,
    columns: [
      { title: label(t, 'name') },
      { title: label(t, 'status') },
      { title: t.apiKeys.beginning, wide: true },
      { title: label(t, 'lastUsedAt') },
      { title: label(t, 'expiresAt'), wide: true },
    ],
    rows: keys.map((key) => [
      { text: key.name, href: `/api-keys/${key.id}`, sub: key.email },
      { badge: statusBadge(key.status, t.statuses) },
      { code: key.beginning },
      usedCell(t, key),
      { text: key.expiresAt.slice(0, 10) },
    ]),
  }
}

export function apiKeyFacts(t: Texts, key: ApiKey): Section {
  return {
    title: t.job.about,
    facts: [
      { title: t.apiKeys.beginning, code: key.beginning },
      { title: label(t, 'owner'), text: key.email },
      ...(key.isSigned ? [{ title: t.apiKeys.use, text: t.apiKeys.signs }] : []),
      {
        title: label(t, 'addresses'),
        text: key.addresses.length === 0 ? t.apiKeys.everywhere : key.addresses.join(', '),
      },
      { title: label(t, 'lastUsedAt'), ...usedCell(t, key) },
      { title: label(t, 'createdAt'), time: key.createdAt },
      { title: label(t, 'expiresAt'), text: key.expiresAt.slice(0, 10) },
      { title: label(t, 'id'), code: key.id },
    ],
  }
}

function usedCell(t: Texts, { lastUsedAt }: ApiKey) {
  return lastUsedAt === null ? { text: t.apiKeys.never } : { time: lastUsedAt }
}
